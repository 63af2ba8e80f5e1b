"""Accept headers: which media type, and whether as a Table or as metadata only.

Two judges read the header, as upstream: the router of built-in paths, which knows media types only,
and then the negotiation (`apiserver/pkg/endpoints/handlers/negotiation`), which knows parameters.
Paths of custom resources have no router.
"""

from __future__ import annotations

import dataclasses

from fluvial.cluster.errors import StatusError, not_acceptable
from fluvial.cluster.kinds import go_package
from fluvial.cluster.resources import Resource

__all__ = [
    "DISCOVERY",
    "LISTED",
    "SERVED",
    "Accepted",
    "negotiate",
    "offer",
    "parse_accept",
    "prefers_yaml",
]

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
SERVED = (JSON, YAML, PROTOBUF)
"""What one object, or a discovery document, can be served as."""
_STREAMED = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
LISTED = (*SERVED, *_STREAMED)
"""What the router offers where lists and watches share a path."""
DISCOVERY = ("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList")
"""Group, version and kind of the aggregated discovery documents."""

_FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_PARAMETERS = ("as", "g", "v")


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
        kind = f"{go_package(resource)}.{resource.kind}"
        if resource.custom is not None:
            kind = "unstructured.Unstructured"
        what = f"is a list (*{kind}List)" if listing else f"is not a list (*{kind})"
        text = f"you requested {self.asked}, but the requested object {what}"
        raise StatusError(406, "NotAcceptable", text)


@dataclasses.dataclass(frozen=True, slots=True)
class _Clause:
    """One part of an Accept header."""

    kind: str
    sub: str
    quality: float
    values: dict[str, str]

    def precedes(self, other: _Clause) -> bool:
        """Tell whether this clause goes before another: by quality, or as the more exact one."""
        return (
            self.quality > other.quality
            or (self.kind != "*" and other.kind == "*")
            or (self.sub != "*" and other.sub == "*")
        )

    def matches(self, media: str) -> bool:
        """Tell whether a media type is what the clause speaks of."""
        kind, _, sub = media.partition("/")
        return (self.kind in (kind, "*") and self.sub == "*") or (self.kind, self.sub) == (
            kind,
            sub,
        )


def _clause(text: str) -> _Clause | None:
    media, *pieces = text.strip().split(";")
    kind, slash, sub = (piece.strip() for piece in media.partition("/"))
    if kind == "*" and not slash:
        sub = "*"
    if not sub or "/" in sub:
        return None
    values, quality = {}, 1.0
    for piece in pieces:
        name, _, value = (part.strip() for part in piece.partition("="))
        if not value or "=" in value:
            continue
        if name == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
        else:
            values[name] = value
    return _Clause(kind, sub, quality, values)


def parse_accept(header: str) -> list[_Clause]:
    """Return the clauses of an Accept header, best first; what is no clause is passed over.

    The order is no total one (an exact type goes before a wildcard of higher quality and after it),
    so it depends on how upstream sorts: by insertion.
    """
    clauses: list[_Clause] = []
    for clause in map(_clause, header.split(",")):
        if clause is None:
            continue
        at = len(clauses)
        while at and clause.precedes(clauses[at - 1]):
            at -= 1
        clauses.insert(at, clause)
    return clauses


def offer(header: str, offered: tuple[str, ...]) -> None:
    """Raise 406 for a header that names no offered media type; `type/*` counts for nothing."""
    if not header:
        return
    named = {part.partition(";")[0].strip() for part in header.split(",")}
    if "*/*" not in named and named.isdisjoint(offered):
        text = "406: Not Acceptable\n\nAvailable representations: " + ", ".join(offered)
        raise StatusError(406, "NotAcceptable", text, {})


def _form(clause: _Clause, media: str) -> str | None:
    """Return the form that a clause asks for, empty for none; None when it is not to be had."""
    values = clause.values
    if values.get("stream", "watch") != "watch" or (media == YAML and "stream" in values):
        return None
    if values.get("sv", "v1") != "v1":
        return None
    if not any(name in values for name in _PARAMETERS):
        return ""
    if values.get("g") != "meta.k8s.io" or values.get("v") not in ("v1", "v1beta1"):
        return None
    wanted = values.get("as", "")
    return wanted if wanted in _FORMS else None


def negotiate(
    header: str,
    resource: Resource | None = None,
    *,
    offered: tuple[str, ...] = SERVED,
    watching: bool = False,
) -> Accepted:
    """Pick an answer form; raises 406. Protobuf alone is not served, JSON is always offered.

    `offered` is what the router of a built-in path has; without a resource the path is that of a
    discovery document, which has no forms.
    """
    if not header:
        return Accepted()
    if resource is None or resource.custom is None:
        offer(header, offered)
    for clause in parse_accept(header):
        for media in (JSON, YAML):
            form = _form(clause, media) if clause.matches(media) else None
            if form is None or (form and resource is None):
                continue
            if watching and media == YAML:
                raise not_acceptable(_STREAMED)
            return Accepted(
                media == YAML,
                form.removesuffix("List"),
                clause.values.get("v", "v1"),
                form if form != "Table" else "",
            )
    raise not_acceptable(SERVED)


def prefers_yaml(header: str) -> bool:
    """Tell whether a refusal is to be written as YAML: then no form may be asked for beside it."""
    for clause in parse_accept(header):
        if any(name in clause.values for name in (*_PARAMETERS, "sv")):
            continue
        for media in SERVED:
            if clause.matches(media):
                return media == YAML
    return False
