"""JSONPath of printer columns (`client-go/util/jsonpath`): members, places, slices, filters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from fluvial.cluster.errors import ClusterError

__all__ = ["PathError", "find"]

_STEP = re.compile(
    r"\.(?P<recursive>\.)?(?P<name>(?:\\.|[^.\[\]\\])+)"
    r"|\[(?P<index>-?\d+)\]"
    r"|\[(?P<slice>-?\d*:-?\d*(?::\d*)?)\]"
    r"|\[(?P<all>\*)\]"
    r"|\[(?P<quote>['\"])(?P<quoted>[^'\"]*)(?P=quote)\]"
    r"|\[\?\(\s*@(?P<path>[^\s=!<>]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>[^)]*?)\s*)?\)\]"
)


class PathError(ClusterError):
    """A path that cannot be followed in an object, not just one that leads nowhere."""


@cache
def _steps(path: str) -> tuple[dict[str, str | None], ...]:
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    if not text.startswith((".", "[")):
        text = "." + text
    steps, at = [], 0
    while at < len(text):
        found = _STEP.match(text, at)
        if not found:
            break
        steps.append(found.groupdict())
        at = found.end()
    return tuple(steps)


def find(obj: Any, path: str) -> list[Any]:
    """Return the values at a path, in order, nulls among them; nothing when it leads nowhere.

    Raises `PathError` for a place outside of a list, for a place in or a filter of what is no list,
    and for a comparison of values that do not compare.
    """
    values = [obj]
    for step in _steps(path):
        values = [item for value in values for item in _follow(value, step)]
    return values


def _follow(value: Any, step: dict[str, str | None]) -> list[Any]:
    name = step["name"] if step["name"] is not None else step["quoted"]
    if step["recursive"]:
        inner = {**step, "recursive": None}
        return [item for deep in _inside(value) for item in _follow(deep, inner)]
    if name == "*" or step["all"]:
        return _members(value)
    if name is not None:
        name = re.sub(r"\\(.)", r"\1", name)
        return [value[name]] if isinstance(value, dict) and name in value else []
    if step["index"] is not None or step["slice"] is not None:
        return [] if value is None else _part(_list(value), step)
    return [item for item in _list(value) if _selected(item, step)]


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _inside(value: Any) -> Iterator[Any]:
    """Yield a value that has members, and every such value within it."""
    members = _members(value)
    if members:
        yield value
        for member in members:
            yield from _inside(member)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PathError("no list")
    return value


def _part(items: list[Any], step: dict[str, str | None]) -> list[Any]:
    """Return one item, or those from a place up to another; both must lie within the list."""
    if step["index"] is not None:
        index = int(step["index"])
        if not -len(items) <= index < len(items):
            raise PathError("outside of the list")
        return [items[index]]
    first, last, *step_by = (int(text) if text else None for text in str(step["slice"]).split(":"))
    start = 0 if first is None else first + (len(items) if first < 0 else 0)
    end = len(items) if last is None else last + (len(items) if last < 0 else 0)
    if start != end and not (0 <= start < len(items) and start <= end <= len(items)):
        raise PathError("outside of the list")
    return items[start : end : (step_by[0] if step_by else None) or 1] if start != end else []


def _selected(item: Any, step: dict[str, str | None]) -> bool:
    found = find(item, step["path"] or "") if step["path"] else [item]
    if step["op"] is None or not found:
        return bool(found)
    return _compare(found[0], str(step["op"]), _literal(step["value"] or ""))


def _compare(left: Any, operator: str, right: Any) -> bool:
    """Compare two values of one type, as Go's templates do; truth has no order."""
    if type(left) is not type(right) or not isinstance(left, str | int | float):
        raise PathError("values that do not compare")
    if operator in ("==", "!="):
        return bool((left == right) == (operator == "=="))
    if isinstance(left, bool):
        raise PathError("values that have no order")
    if operator.endswith("=") and left == right:
        return True
    return bool(left < right if operator.startswith("<") else left > right)


def _literal(text: str) -> Any:
    if text[:1] in "'\"" and text[-1:] == text[:1]:
        return text[1:-1]
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
