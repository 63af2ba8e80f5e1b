"""Lists and maps in CEL expressions whose items are of several types, which Kubernetes refuses.

The CEL library has no option for it (`cel.HomogeneousAggregateLiterals` of the Go implementation),
so the checked expression is read in its wire form (`cel.expr.CheckedExpr`), which has the type of
every node. Where the library knows no type, anything goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluvial.cluster.fields.celpaths import complaint

__all__ = ["mixed_literal"]

Message = dict[int, list[Any]]
"""The fields of a message by number: integers, and bytes of everything else."""

_PRIMITIVES = ("", "bool", "int", "uint", "double", "string", "bytes")
_KNOWN = ("", "any", "google.protobuf.Timestamp", "google.protobuf.Duration")
_ANYTHING = "dyn"
_OWN = ("__", "math.@")
"""How the names of functions begin that take literals of any types."""


def mixed_literal(checked: bytes, source: str) -> str | None:
    """Return the complaint about the first literal of mixed types; None when there is none.

    `checked` is a serialized expression. Arguments of functions of our own (`_OWN`) may mix types:
    they are the fields of objects, and the numbers of `math.greatest`.
    """
    whole = _message(_first(_message(checked), 2))  # it is inside of an Any
    types = {_id(entry): _type(_first(entry, 2)) for entry in map(_message, whole.get(3, []))}
    positions = {
        _id(entry): _number(entry, 2)
        for entry in map(_message, _message(_first(whole, 5)).get(4, []))
    }
    for items in _literals(_first(whole, 4)):
        expected = types.get(items[0], _ANYTHING) if items else _ANYTHING
        for node in items:
            found = types.get(node, _ANYTHING)
            if not _fits(expected, found):
                text = f"expected type '{_shown(expected)}' but found '{_shown(found)}'"
                return complaint(source, positions.get(node, 0), text)
            expected = _general(expected, found)
    return None


def _literals(data: bytes, *, exempt: bool = False) -> Iterator[list[int]]:
    """Yield the ids of what must be of one type: items of lists, keys of maps, values of maps."""
    node = _message(data)
    if 7 in node and not exempt:
        elements = _message(node[7][0]).get(1, [])
        yield [_number(_message(each), 2) for each in elements]
    if 8 in node and not exempt:
        entries = [_message(each) for each in _message(node[8][0]).get(2, [])]
        yield [_number(_message(_first(each, 3)), 2) for each in entries]
        yield [_number(_message(_first(each, 4)), 2) for each in entries if not each.get(5)]
    for child, is_exempt in _children(node):
        yield from _literals(child, exempt=is_exempt)


def _children(node: Message) -> Iterator[tuple[bytes, bool]]:
    """Yield the parts of a node, and whether they may mix types."""
    if 5 in node:
        yield _first(_message(node[5][0]), 1), False
    if 6 in node:
        call = _message(node[6][0])
        own = _first(call, 2).decode().startswith(_OWN)
        yield from ((child, own) for child in (*call.get(1, []), *call.get(3, [])))
    if 7 in node:
        yield from ((child, False) for child in _message(node[7][0]).get(1, []))
    if 8 in node:
        for entry in map(_message, _message(node[8][0]).get(2, [])):
            yield from ((child, False) for place in (3, 4) for child in entry.get(place, []))
    if 9 in node:
        loop = _message(node[9][0])
        yield from ((child, False) for place in (2, 4, 5, 6, 7) for child in loop.get(place, []))


def _type(data: bytes) -> Any:
    """Return a type: its name, or a name with the types of its parts."""
    fields = _message(data)
    if 3 in fields:
        return _PRIMITIVES[fields[3][0]]
    if 5 in fields:
        return _KNOWN[fields[5][0]]
    if 6 in fields:
        return "list", _type(_first(_message(fields[6][0]), 1))
    if 7 in fields:
        parts = _message(fields[7][0])
        return "map", _type(_first(parts, 1)), _type(_first(parts, 2))
    if 9 in fields:
        return fields[9][0].decode()
    if 14 in fields:
        parts = _message(fields[14][0])
        return (_first(parts, 1).decode(), *map(_type, parts.get(2, [])))
    return _ANYTHING  # null, types, parameters and errors fit everywhere


def _fits(expected: Any, found: Any) -> bool:
    if _ANYTHING in {expected, found} or expected == found:
        return True
    if not (isinstance(expected, tuple) and isinstance(found, tuple)):
        return False
    same = expected[0] == found[0] and len(expected) == len(found)
    return same and all(map(_fits, expected[1:], found[1:]))


def _general(one: Any, other: Any) -> Any:
    """Return the more general of two types that fit."""
    if _ANYTHING in {one, other}:
        return _ANYTHING
    if isinstance(one, tuple):
        return one[0], *map(_general, one[1:], other[1:])
    return one


def _shown(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    name, *parts = kind
    return f"{name}({', '.join(map(_shown, parts))})" if parts else str(name)


def _first(message: Message, number: int) -> bytes:
    value = message.get(number, [b""])[0]
    return value if isinstance(value, bytes) else b""


def _number(message: Message, number: int) -> int:
    value = message.get(number, [0])[0]
    return value if isinstance(value, int) else 0


def _id(entry: Message) -> int:
    return _number(entry, 1)


def _message(data: bytes) -> Message:
    """Read a message: varints as integers, bytes as they are, no numbers of fixed size."""
    found: Message = {}
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, form = tag >> 3, tag & 7
        value: Any = None
        if form == 0:
            value, place = _varint(data, place)
        elif form == 2:
            size, place = _varint(data, place)
            value = data[place : place + size]
            place += size
        else:
            place += 8 if form == 1 else 4
        if value is not None:
            found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
