"""Where the values of a document stand: one number for each, in the order of the document.

While a text is read no value pays for a pointer. Pointers are made when somebody asks for them, by
walking the value in the same order: a container, then what is in it, entry by entry.
"""

from typing import Any

from fluvial.render.pointers import escape
from fluvial.render.yaml._errors import Position

__all__ = ["PLACE_BITS", "place_of", "pointers", "position_of", "size_of"]

PLACE_BITS = 32
"""How many low bits of a place are its column; the line is above them, and both count from 0."""
_MASK = (1 << PLACE_BITS) - 1


def place_of(line: int, column: int) -> int:
    """Pack a line and a column, which count from 0, into one number."""
    return line << PLACE_BITS | column


def position_of(place: int) -> Position:
    """Unpack a place; lines and columns of positions count from 1."""
    return Position((place >> PLACE_BITS) + 1, (place & _MASK) + 1)


def pointers(value: Any) -> list[str]:
    """Return the RFC 6901 pointer of each value of a tree, first the empty one of the whole."""
    found = [""]
    if isinstance(value, dict | list):
        _collect(value, "", found)
    return found


def _collect(node: Any, pointer: str, found: list[str]) -> None:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, item in items:
        inner = f"{pointer}/{escape(key) if type(key) is str else key}"
        found.append(inner)
        if isinstance(item, dict | list):
            _collect(item, inner, found)


def size_of(value: Any) -> int:
    """Count the values of a tree: the number of its pointers."""
    if not isinstance(value, dict | list):
        return 1
    items = value.values() if isinstance(value, dict) else value
    return 1 + sum(map(size_of, items))
