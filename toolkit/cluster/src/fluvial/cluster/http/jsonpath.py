"""The part of JSONPath that printer columns use: members, indexes, wildcards and filters."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

__all__ = ["find"]

_STEP = re.compile(
    r"\.(?P<recursive>\.)?(?P<name>(?:\\.|[^.\[\]\\])+)"
    r"|\[(?P<index>-?\d+)\]"
    r"|\[(?P<all>\*)\]"
    r"|\['(?P<quoted>[^']*)'\]"
    r"|\[\?\(\s*@(?P<path>[^\s=!<>]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>[^)]*?)\s*)?\)\]"
)


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
    """Return the values at a path, in order; nothing when it leads nowhere."""
    values = [obj]
    for step in _steps(path):
        values = [item for value in values for item in _follow(value, step)]
    return [value for value in values if value is not None]


def _follow(value: Any, step: dict[str, str | None]) -> list[Any]:
    name = step["name"] if step["name"] is not None else step["quoted"]
    if name == "*":
        return list(value.values()) if isinstance(value, dict) else _items(value)
    if name is not None:
        name = re.sub(r"\\(.)", r"\1", name)
        return [value[name]] if isinstance(value, dict) and name in value else []
    if step["all"]:
        return list(value.values()) if isinstance(value, dict) else _items(value)
    if step["index"] is not None:
        index, items = int(step["index"]), _items(value)
        return [items[index]] if -len(items) <= index < len(items) else []
    return [item for item in _items(value) if _selected(item, step)]


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _selected(item: Any, step: dict[str, str | None]) -> bool:
    found = find(item, step["path"] or "")
    if step["op"] is None:
        return bool(found)
    if not found:
        return False
    wanted = _literal(step["value"] or "")
    left = found[0]
    if step["op"] == "==":
        return bool(left == wanted)
    if step["op"] == "!=":
        return bool(left != wanted)
    if not isinstance(left, int | float) or not isinstance(wanted, int | float):
        return False
    return {"<": left < wanted, "<=": left <= wanted, ">": left > wanted, ">=": left >= wanted}[
        str(step["op"])
    ]


def _literal(text: str) -> Any:
    if text[:1] in "'\"" and text[-1:] == text[:1]:
        return text[1:-1]
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
