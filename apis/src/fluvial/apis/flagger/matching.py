"""Istio's way of matching requests, as Canary objects carry it."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from collections.abc import Mapping
from typing import Any, Final

from fluvial.apis.schema import Model

__all__ = [
    "AnalysisMatch",
    "HTTPMatch",
    "HeaderMatch",
    "OriginMatch",
    "StringMatch",
]

_BRANCHES: Final = ({"required": ["exact"]}, {"required": ["prefix"]}, {"required": ["regex"]})
_NONE: Final[Mapping[str, Any]] = {"not": {"anyOf": list(_BRANCHES)}}


class StringMatch(Model, kw_only=True):
    """A match of a string: at most one field is set; none matches any value."""

    one_of = (_NONE, *_BRANCHES)

    exact: str = ""
    """The value itself."""
    prefix: str = ""
    """What the value starts with."""
    regex: str = ""
    """RE2 expression that the whole value matches."""


class OriginMatch(Model, kw_only=True):
    """A match of an origin: exactly one field is set."""

    one_of = _BRANCHES

    exact: str = ""
    """The origin itself."""
    prefix: str = ""
    """What the origin starts with."""
    regex: str = ""
    """RE2 expression that the whole origin matches."""


class HeaderMatch(Model, kw_only=True):
    """A match of a header: exactly one field is set."""

    one_of = (
        {"required": ["exact"]},
        {"required": ["prefix"]},
        {"required": ["suffix"]},
        {"required": ["regex"]},
    )

    exact: str = ""
    """The value itself."""
    prefix: str = ""
    """What the value starts with."""
    suffix: str = ""
    """What the value ends with."""
    regex: str = ""
    """RE2 expression that the whole value matches."""


class HTTPMatch(Model, kw_only=True):
    """Requests that the generated route is for; all fields that are set must match."""

    name: str = ""
    """Name of this match, for statistics."""
    uri: StringMatch | None = None
    """Path of the request."""
    scheme: StringMatch | None = None
    """Scheme of the request."""
    method: StringMatch | None = None
    """Method of the request."""
    authority: StringMatch | None = None
    """Host of the request."""
    headers: dict[str, StringMatch] = {}
    """Headers of the request, by lower-case name."""
    without_headers: dict[str, StringMatch] = {}
    """Headers that the request must not have."""
    query_params: dict[str, StringMatch] = {}
    """Query parameters of the request."""
    ignore_uri_case: bool = False
    """Do not tell upper from lower case in the path."""
    port: int = 0
    """Port of the host that is asked."""
    source_labels: dict[str, str] = {}
    """Labels of the workload that asks."""
    source_namespace: str = ""
    """Namespace of the workload that asks."""
    gateways: list[str] = []
    """Gateways this match is for."""


class AnalysisMatch(Model, kw_only=True):
    """Users of an A/B test; all fields that are set must match."""

    headers: dict[str, HeaderMatch] = {}
    """Headers of the request, by lower-case name."""
    query_params: dict[str, StringMatch] = {}
    """Query parameters of the request."""
    source_labels: dict[str, str] = {}
    """Labels of the workload that asks."""
