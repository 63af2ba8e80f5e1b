"""JSON pointers (RFC 6901)."""

from collections.abc import Iterator
from typing import Any

__all__ = ["escape", "leaves"]


def escape(part: str) -> str:
    """Escape one part of a JSON pointer."""
    if "/" not in part and "~" not in part:
        return part
    return part.replace("~", "~0").replace("/", "~1")


def leaves(value: Any, pointer: str = "") -> Iterator[str]:
    """Go through the pointers of what holds no other value, in document order.

    An empty map or list is one too.
    """
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{pointer}/{escape(str(key))}")
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer
