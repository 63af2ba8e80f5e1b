"""Accept headers: which media type, and whether as a Table or as metadata only."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.errors import StatusError, not_acceptable
from fluvial.cluster.resources import Resource

__all__ = ["Accepted", "negotiate", "parse_accept"]

SERVED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
WATCHED = (
    *SERVED,
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
)


_FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """What the answer will be: JSON or YAML; `form` is empty, Table or PartialObjectMetadata.

    `asked` is the name of the metadata form as the client wrote it.
    """

    yaml: bool = False
    form: str = ""
    version: str = "v1"
    asked: str = ""

    @property
    def plain(self) -> bool:
        """Tell whether the answer is the object itself as JSON."""
        return not self.form and not self.yaml

    def check(self, resource: Resource, *, listing: bool) -> None:
        """Refuse a form for one object that was asked of a list, and the other way round."""
        if not self.asked or self.asked.endswith("List") == listing:
            return
        name = resource.group.partition(".")[0] or "core"
        if resource.prefix == "/events":
            name = "core"
        kind = f"{name}.{resource.kind}"
        if resource.custom is not None:
            kind = "unstructured.Unstructured"
        what = f"is a list (*{kind}List)" if listing else f"is not a list (*{kind})"
        text = f"you requested {self.asked}, but the requested object {what}"
        raise StatusError(406, "NotAcceptable", text)


def parse_accept(header: str) -> list[tuple[str, dict[str, str]]]:
    """Return the clauses of an Accept header by falling quality."""
    clauses = []
    for index, part in enumerate(header.split(",")):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        values = dict(p.partition("=")[::2] for p in parameters)
        try:
            quality = float(values.pop("q", "1"))
        except ValueError:
            quality = 1.0
        clauses.append((-quality, index, media.lower(), values))
    return [(media, values) for _, _, media, values in sorted(clauses, key=lambda c: c[:2])]


def _form(values: dict[str, str]) -> str | None:
    wanted = values.get("as", "")
    if not wanted:
        return ""
    if values.get("g") != "meta.k8s.io" or values.get("v") not in ("v1", "v1beta1"):
        return None
    return wanted if wanted in _FORMS else None


def negotiate(header: str, *, watching: bool = False) -> Accepted:
    """Pick an answer form; raises 406. Protobuf alone is not served, JSON is always offered."""
    known = False
    for media, values in parse_accept(header or "*/*"):
        if media in ("*/*", "application/*", "application/json", "application/yaml"):
            known = True
            form = _form(values)
            if form is None:
                continue
            one_or_list = form.removesuffix("List")
            return Accepted(
                media == "application/yaml" and not watching,
                one_or_list,
                values.get("v", "v1"),
                form if form != "Table" else "",
            )
        known = known or media == "application/vnd.kubernetes.protobuf"
    if known:
        raise not_acceptable(SERVED)
    raise StatusError(
        406,
        "NotAcceptable",
        "406: Not Acceptable\n\nAvailable representations: " + ", ".join(WATCHED),
        {},
    )
