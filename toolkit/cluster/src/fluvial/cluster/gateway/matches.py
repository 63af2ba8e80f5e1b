"""Matches of an HTTPRoute as Envoy's, and the order in which they are tried."""

from __future__ import annotations

from functools import lru_cache

from fluvial.cluster.fields.cel import EvaluationError, Program
from fluvial.cluster.gateway.errors import UnsupportedError
from fluvial.cluster.objects import Object

__all__ = ["check_pattern", "envoy_match", "precedence"]

_RANKS = {"Exact": 0, "RegularExpression": 1, "PathPrefix": 2}


@lru_cache(maxsize=1)
def _re2() -> Program:
    """Return a check of patterns by RE2 itself, which CEL brings along."""
    return Program("''.matches(self)", {"type": "string"})


def check_pattern(pattern: str, field: str) -> None:
    """Raise `UnsupportedError` for what Envoy (RE2) would refuse."""
    try:
        _re2().run(pattern)
    except EvaluationError as error:
        raise UnsupportedError(f"{field}: {error}") from None


def path_of(match: Object) -> tuple[str, str]:
    """Return type and value of a path match; everything by default."""
    path = match.get("path") or {}
    return path.get("type", "PathPrefix"), path.get("value", "/")


def precedence(match: Object) -> tuple[int, int, int, int, int]:
    """Return the key by which matches are sorted: the smallest is tried first."""
    kind, value = path_of(match)
    headers, parameters = match.get("headers") or [], match.get("queryParams") or []
    has_method = 1 if match.get("method") else 0
    return _RANKS[kind], -len(value), -has_method, -len(headers), -len(parameters)


def envoy_match(match: Object, field: str) -> Object:
    """Return Envoy's RouteMatch; `field` names the match in messages. Raises `UnsupportedError`."""
    made = _path(match, f"{field}.path")
    headers = [_value(each, f"{field}.headers") for each in match.get("headers") or []]
    if match.get("method"):
        headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
    parameters = [_value(each, f"{field}.queryParams") for each in match.get("queryParams") or []]
    if headers:
        made["headers"] = headers
    if parameters:
        made["query_parameters"] = parameters
    return made


def _path(match: Object, field: str) -> Object:
    kind, value = path_of(match)
    if kind == "RegularExpression":
        check_pattern(value, field)
        return {"safe_regex": {"regex": value}}
    if not value.startswith("/"):
        raise UnsupportedError(f"{field}: {value!r} does not begin with a slash")
    if kind == "Exact":
        return {"path": value}
    prefix = value.rstrip("/")
    # A prefix ends at a slash: /shop is no prefix of /shopping.
    return {"path_separated_prefix": prefix} if prefix else {"prefix": "/"}


def _value(entry: Object, field: str) -> Object:
    if entry.get("type", "Exact") == "Exact":
        return {"name": entry["name"], "string_match": {"exact": entry["value"]}}
    check_pattern(entry["value"], f"{field}[{entry['name']}]")
    return {"name": entry["name"], "string_match": {"safe_regex": {"regex": entry["value"]}}}
