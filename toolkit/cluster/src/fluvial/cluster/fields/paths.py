"""Sets of field paths, and their wire form `fieldsV1`.

A path is a tuple of path elements, each in its wire form: `f:name` for a field, `k:{"name":"a"}`
for an item of a list that is keyed, `v:"a"` for an item of a set, `i:0` for an index. A set of
fields is a frozenset of paths. On the wire it is a trie of objects in which `.` marks an inner
node that is a member itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

__all__ = [
    "FieldSet",
    "Path",
    "decode_fields",
    "encode_fields",
    "field_element",
    "index_element",
    "key_element",
    "path_text",
    "under",
    "value_element",
    "without_subtrees",
]

Path = tuple[str, ...]
FieldSet = frozenset[Path]

_REMEMBERED = 256
"""Sets whose wire form is known: most writes leave most managers' sets as they are."""

_KIND_ORDER = {"f": 0, "k": 1, "v": 2, "i": 3}


def field_element(name: str) -> str:
    """Return the path element of a field or map key."""
    return f"f:{name}"


def index_element(index: int) -> str:
    """Return the path element of an item of a list without identity."""
    return f"i:{index}"


def key_element(keys: Mapping[str, Any]) -> str:
    """Return the path element of an item of a keyed list."""
    return "k:" + msgspec.json.encode(dict(keys), order="sorted").decode()


def value_element(value: object) -> str:
    """Return the path element of an item of a set."""
    return "v:" + msgspec.json.encode(value).decode()


def encode_fields(fields: Iterable[Path]) -> Mapping[str, Any]:
    """Return the wire form of a set of fields; shared, not to be changed."""
    return _written(frozenset(fields))


@lru_cache(_REMEMBERED)
def _written(fields: FieldSet) -> Mapping[str, Any]:
    root: dict[str, Any] = {}
    for path in sorted(fields, key=_order):
        node = root
        for depth, element in enumerate(path, start=1):
            if not node and path[: depth - 1] in fields:
                node["."] = {}
            node = node.setdefault(element, {})
    return root


def decode_fields(wire: Mapping[str, Any]) -> FieldSet:
    """Return the set of fields of a wire form.

    Raises ValueError for an element that is none of `f:`, `k:`, `v:`, `i:` and `.`.
    """
    return _read(msgspec.json.encode(wire))


@lru_cache(_REMEMBERED)
def _read(wire: bytes) -> FieldSet:
    return frozenset(_walk(msgspec.json.decode(wire), ()))


def _walk(node: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for element, child in node.items():
        if element == ".":
            if path:
                yield path
            continue
        if element[:2] not in {"f:", "k:", "v:", "i:"}:
            raise ValueError(f"unknown path element {element!r} in fieldsV1")
        if not child:
            yield (*path, element)
        else:
            yield from _walk(child, (*path, element))


def under(fields: FieldSet, prefix: Path) -> FieldSet:
    """Return what the set holds below `prefix`, relative to it."""
    size = len(prefix)
    return frozenset(p[size:] for p in fields if len(p) > size and p[:size] == prefix)


def without_subtrees(fields: FieldSet, roots: FieldSet) -> FieldSet:
    """Return the set without `roots` and everything below them."""
    if not roots:
        return fields
    return frozenset(p for p in fields if not any(p[:n] in roots for n in range(1, len(p) + 1)))


def path_text(path: Path) -> str:
    """Return a path as conflicts print it: `.spec.containers[name="web"].image`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    kind, text = element[0], element[2:]
    if kind == "f":
        return f".{text}"
    if kind == "k":
        keys = msgspec.json.decode(text)
        inner = ",".join(
            f"{name}={msgspec.json.encode(keys[name]).decode()}" for name in sorted(keys)
        )
        return f"[{inner}]"
    return f"[={text}]" if kind == "v" else f"[{text}]"


def _order(path: Path) -> list[tuple[int, str]]:
    return [(_KIND_ORDER[element[0]], element) for element in path]
