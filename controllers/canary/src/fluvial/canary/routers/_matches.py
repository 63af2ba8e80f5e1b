"""Istio's request matches, which Canary objects carry, as matches of an HTTPRoute."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from fluvial.apis.flagger import AnalysisMatch, HeaderMatch, HTTPMatch, StringMatch
from fluvial.canary.routers.model import InvalidRoute

__all__ = ["Match", "analysis_matches", "crossed", "service_matches"]

Match: TypeAlias = dict[str, Any]
"""An HTTPRouteMatch, with the path written out: the API server would fill it in."""

_ANY_PATH: Final = {"type": "PathPrefix", "value": "/"}


def service_matches(matches: Iterable[HTTPMatch]) -> list[Match]:
    """Return what `spec.service.match` asks for; a match of nothing known is left out.

    Never empty: without a match the route is for every path. Raises InvalidRoute for what the
    Gateway API cannot match.
    """
    found = [_service_match(f"spec.service.match[{n}]", match) for n, match in enumerate(matches)]
    return [match for match in found if match] or [{"path": _ANY_PATH}]


def analysis_matches(matches: Iterable[AnalysisMatch]) -> list[Match]:
    """Return what `spec.analysis.match` asks for, without paths. Raises InvalidRoute."""
    found = [
        _conditions(f"spec.analysis.match[{n}]", match.headers, match.query_params)
        for n, match in enumerate(matches)
    ]
    return [match for match in found if match]


def crossed(special: Iterable[Match], general: Iterable[Match]) -> list[Match]:
    """Return every combination: the general match with the headers and parameters of the special.

    Upstream's rule: the special conditions replace the general ones of the same sort, they are not
    added to them.
    """
    general = list(general)
    return [{**match, **over} for over in special for match in general]


def _service_match(field: str, match: HTTPMatch) -> Match:
    result: Match = {}
    if match.uri is not None:
        result["path"] = _path(field, match.uri)
    if match.method is not None:
        if not match.method.exact:
            raise InvalidRoute(f"{field}.method: the Gateway API matches methods by exact only")
        result["method"] = match.method.exact
    result |= _conditions(field, match.headers, match.query_params)
    return {"path": _ANY_PATH, **result} if result else {}


def _path(field: str, uri: StringMatch) -> dict[str, str]:
    for kind, value in (
        ("RegularExpression", uri.regex),
        ("Exact", uri.exact),
        ("PathPrefix", uri.prefix),
    ):
        if value:
            return {"type": kind, "value": value}
    raise InvalidRoute(f"{field}.uri: give one of regex, exact and prefix")


def _conditions(
    field: str,
    headers: Mapping[str, StringMatch] | Mapping[str, HeaderMatch],
    parameters: Mapping[str, StringMatch],
) -> Match:
    result: Match = {}
    if headers:
        result["headers"] = _values(f"{field}.headers", headers)
    if parameters:
        result["queryParams"] = _values(f"{field}.queryParams", parameters)
    return result


def _values(
    field: str, matches: Mapping[str, StringMatch] | Mapping[str, HeaderMatch]
) -> list[dict[str, str]]:
    return [
        {"type": kind, "name": name, "value": value}
        for name in sorted(matches)
        for kind, value in [_value(f"{field}[{name}]", matches[name])]
    ]


def _value(field: str, match: StringMatch | HeaderMatch) -> tuple[str, str]:
    if match.exact:
        return "Exact", match.exact
    if match.regex:
        return "RegularExpression", match.regex
    raise InvalidRoute(f"{field}: the Gateway API matches by exact and regex only")
