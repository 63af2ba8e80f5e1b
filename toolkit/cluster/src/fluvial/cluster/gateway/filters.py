"""Filters of an HTTPRoute as fields of Envoy's routes and weighted clusters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fluvial.cluster.gateway.errors import UnresolvedError, UnsupportedError
from fluvial.cluster.gateway.matches import path_of
from fluvial.cluster.objects import Object

__all__ = ["header_fields", "mirrors", "rewrite"]

_MODIFIERS = {
    "RequestHeaderModifier": ("requestHeaderModifier", "request"),
    "ResponseHeaderModifier": ("responseHeaderModifier", "response"),
}
_KNOWN = (*_MODIFIERS, "URLRewrite", "RequestMirror")


def header_fields(filters: Sequence[Object], field: str, known: Sequence[str] = _KNOWN) -> Object:
    """Return what the header modifiers add to an Envoy route (or weighted cluster).

    Raises `UnsupportedError` for every type that is not in `known`, and for a second filter of a
    type that may be there once.
    """
    made: Object = {}
    seen: set[str] = set()
    for index, each in enumerate(filters):
        kind = each["type"]
        if kind not in known:
            raise UnsupportedError(f"{field}[{index}].type: {kind} is not supported, use {known}")
        if kind in seen and kind != "RequestMirror":
            raise UnsupportedError(f"{field}[{index}].type: {kind} may be there only once")
        seen.add(kind)
        if kind in _MODIFIERS:
            member, side = _MODIFIERS[kind]
            made |= _modifier(each.get(member) or {}, side, f"{field}[{index}].{member}")
    return made


def _modifier(modifier: Object, side: str, field: str) -> Object:
    actions = (("set", "OVERWRITE_IF_EXISTS_OR_ADD"), ("add", "APPEND_IF_EXISTS_OR_ADD"))
    added = [
        {
            "header": {"key": _header(entry["name"], field), "value": _literal(entry["value"])},
            "append_action": action,
        }
        for member, action in actions
        for entry in modifier.get(member) or []
    ]
    removed = [_header(name, field) for name in modifier.get("remove") or []]
    return {
        **({f"{side}_headers_to_add": added} if added else {}),
        **({f"{side}_headers_to_remove": removed} if removed else {}),
    }


def _header(name: str, field: str) -> str:
    if name.lower() == "host" or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
        raise UnsupportedError(f"{field}: the header {name!r} cannot be changed")
    return name


def _literal(value: str) -> str:
    """Return a value that Envoy takes as it is: `%` begins its variables."""
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise UnsupportedError("a header's value holds control characters")
    return value.replace("%", "%%")


def rewrite(filters: Sequence[Object], match: Object, field: str) -> Object:
    """Return the fields of an Envoy RouteAction for a URLRewrite, for one match of the rule."""
    wanted = next((each.get("urlRewrite") or {} for each in filters if _is(each, "URLRewrite")), {})
    made: Object = {}
    if wanted.get("hostname"):
        made["host_rewrite_literal"] = wanted["hostname"]
    path = wanted.get("path")
    if not path:
        return made
    if path["type"] == "ReplaceFullPath":
        made["regex_rewrite"] = _regex("^.*$", _slashed(path.get("replaceFullPath", "/")))
        return made
    kind, prefix = path_of(match)
    if kind != "PathPrefix":
        text = "ReplacePrefixMatch needs matches of type PathPrefix"
        raise UnsupportedError(f"{field}: urlRewrite.path: {text}, not {kind}")
    old = re.escape(prefix.rstrip("/"))
    new = _slashed(path.get("replacePrefixMatch", "/")).rstrip("/")
    # What follows the prefix keeps exactly one slash before it; nothing left is the root.
    made["regex_rewrite"] = _regex(f"^{old}/*", f"{new}/")
    if new and old:
        made["regex_rewrite"] = _regex(f"^{old}", new)
    return made


def _slashed(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _regex(pattern: str, replacement: str) -> Object:
    return {"pattern": {"regex": pattern}, "substitution": replacement.replace("\\", "\\\\")}


def _is(entry: Object, kind: str) -> bool:
    return bool(entry["type"] == kind)


def mirrors(
    filters: Sequence[Object], cluster: Callable[[Object], str]
) -> tuple[list[Object], list[UnresolvedError]]:
    """Return Envoy's mirror policies, and what kept others from being made.

    `cluster` names the cluster of a backendRef or raises `UnresolvedError`; nothing is sent to a
    mirror that cannot be used.
    """
    made, problems = [], []
    for each in filters:
        if not _is(each, "RequestMirror"):
            continue
        mirror = each.get("requestMirror") or {}
        fraction = mirror.get("fraction") or {"numerator": mirror.get("percent", 100)}
        share = fraction["numerator"] * 1_000_000 // fraction.get("denominator", 100)
        try:
            name = cluster(mirror["backendRef"])
        except UnresolvedError as problem:
            problems.append(problem)
            continue
        value = {"numerator": min(share, 1_000_000), "denominator": "MILLION"}
        made.append({"cluster": name, "runtime_fraction": {"default_value": value}})
    return made, problems
