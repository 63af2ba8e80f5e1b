"""JSON as text: members that stand twice, and what YAML reads in the same way."""

from __future__ import annotations

import json
import re
from typing import Any

from fluvial.cluster.objects import Object

__all__ = ["duplicates", "plain"]


class _RepeatedError(Exception):
    """An object in JSON names a member twice."""


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise _RepeatedError
    return found


class _Twice(dict[str, Any]):
    """An object that remembers which of its keys came twice."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        super().__init__()
        self.twice: list[str] = []
        for key, value in members:
            if key in self:
                self.twice.append(key)
            self[key] = value


_ONCE, _TWICE = (
    json.JSONDecoder(object_pairs_hook=hook, parse_int=str, parse_float=str)
    for hook in (_once, _Twice)
)


def duplicates(body: bytes) -> tuple[str, ...]:
    """Return a complaint for each member that a JSON object names twice, in order, each once."""
    text = body.decode()
    try:
        _ONCE.decode(text)
    except _RepeatedError:
        found: dict[str, None] = {}
        _collect_repeated(_TWICE.decode(text), "", found)
        return tuple(f'duplicate field "{path}"' for path in found)
    return ()


def _collect_repeated(value: Any, path: str, found: dict[str, None]) -> None:
    if isinstance(value, _Twice):
        for key in value.twice:
            found[f"{path}.{key}" if path else key] = None
        for key, item in value.items():
            _collect_repeated(item, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _collect_repeated(item, f"{path}[{index}]", found)


class _OtherwiseError(Exception):
    """Something in JSON that YAML reads otherwise, or of which there is more to say."""


def _no_number(_: str) -> Any:
    raise _OtherwiseError


def _short_number(text: str) -> int:
    if len(text) > _DIGITS:
        raise _OtherwiseError
    return int(text)


def _short_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members) or max(map(len, found), default=0) > _KEY:
        raise _OtherwiseError
    return found


_DIGITS, _KEY = 15, 250
"""Longer whole numbers, and longer keys (YAML looks ahead for 1,024 bytes), are left to YAML."""
_LIKE_YAML = json.JSONDecoder(
    object_pairs_hook=_short_members,
    parse_int=_short_number,
    parse_float=_no_number,
    parse_constant=_no_number,
)
_ESCAPES = ("\\/", "\\ud", "\\uD")
"""What YAML has no escapes for: slashes, and halves of characters."""
_UNLIKE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What ends a line in YAML, or may not stand in it."""


def plain(body: bytes) -> Object | None:
    """Return a configuration in JSON that YAML reads the same, much faster than YAML does."""
    if not body.startswith(b"{") or b"\t" in body:
        return None
    try:
        text = body.decode()
        if any(escape in text for escape in _ESCAPES) or "\x7f" in text:
            return None
        if not text.isascii() and _UNLIKE.search(text):
            return None
        value: Object = _LIKE_YAML.decode(text)
    except (ValueError, RecursionError, _OtherwiseError):
        return None
    return value
