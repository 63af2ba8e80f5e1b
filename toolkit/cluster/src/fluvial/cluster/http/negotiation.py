"""Accept headers: which media type, and whether as a Table or as metadata only."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.errors import StatusError, not_acceptable

__all__ = ["Accepted", "negotiate", "parse_accept"]

SERVED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
WATCHED = (
    *SERVED,
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """What the answer will be: JSON or YAML; `form` is empty, Table or PartialObjectMetadata."""

    yaml: bool = False
    form: str = ""
    version: str = "v1"


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


def _form(values: dict[str, str], *, listing: bool) -> str | None:
    wanted = values.get("as", "")
    if not wanted:
        return ""
    if values.get("g") != "meta.k8s.io" or values.get("v") not in ("v1", "v1beta1"):
        return None
    if wanted == "Table":
        return wanted
    if wanted == ("PartialObjectMetadataList" if listing else "PartialObjectMetadata"):
        return "PartialObjectMetadata"
    return None


def negotiate(header: str, *, listing: bool = False, watching: bool = False) -> Accepted:
    """Pick an answer form; raises 406. Protobuf alone is not served, JSON is always offered."""
    known = False
    for media, values in parse_accept(header or "*/*"):
        if media in ("*/*", "application/*", "application/json", "application/yaml"):
            known = True
            form = _form(values, listing=listing and not watching)
            if form is None:
                continue
            return Accepted(
                media == "application/yaml" and not watching, form, values.get("v", "v1")
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
