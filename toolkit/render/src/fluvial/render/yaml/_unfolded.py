"""Writing without a width: as the YAML writers of Go that fold nothing."""

import re
from typing import Any, Final, NamedTuple

from fluvial.render.yaml._emit import block_allowed, literal, scalar, sorted_keys

__all__ = ["Layout", "write_unfolded"]

_FAR_LEFT: Final = -(10**9)
"""A column from which no line is too long."""
_LONGEST_KEY: Final = 128
_BREAK: Final = re.compile("[\n\r\x85\u2028\u2029]")
_SOFT_BREAK: Final = re.compile("[\x85\u2028\u2029](?!'?\\Z)")
_HIDDEN_TAB: Final = "\ue009"


class Layout(NamedTuple):
    """What differs among the writers.

    `indented_lists` puts lists further right than their key, `tabs_in_blocks` keeps literal blocks
    for texts with tabs, `own_order` is a class of mappings whose keys are not sorted, `newer_order`
    sorts the others as go-yaml v3 does.
    """

    indented_lists: bool = False
    tabs_in_blocks: bool = False
    own_order: type = type(None)
    newer_order: bool = False


def write_unfolded(value: Any, layout: Layout = Layout()) -> str:  # noqa: B008  (a frozen value)
    """Print one document, ending in a newline.

    Raises TypeError for values that JSON does not know.
    """
    first, *rest = _lines(value, layout)
    # The lines of a text stand below a key; alone they are indented all the same.
    lines = _beside("", [first, *rest]) if isinstance(value, str) else [first, *rest]
    return "\n".join([*lines, ""])


def _lines(value: Any, layout: Layout) -> list[str]:
    if isinstance(value, dict) and value:
        return _mapping(value, layout)
    if isinstance(value, list) and value:
        return [line for item in value for line in _beside("- ", _lines(item, layout))]
    return _scalar(value, layout)


def _mapping(value: dict[str, Any], layout: Layout) -> list[str]:
    lines: list[str] = []
    keys = tuple(value)
    if not isinstance(value, layout.own_order):
        keys = sorted_keys(keys, newer=layout.newer_order)
    for key in keys:
        item = value[key]
        inner = _lines(item, layout)
        shown = _scalar(key, layout)
        if len(key.encode("utf-8", "surrogateescape")) > _LONGEST_KEY or _BREAK.search(key):
            lines += _beside("? ", shown) + _beside(": ", inner)
        elif isinstance(item, dict | list) and item:
            flush = isinstance(item, list) and not layout.indented_lists
            lines += [f"{shown[0]}:", *(inner if flush else _indented(inner))]
        else:
            lines += _beside(f"{shown[0]}: ", inner)
    return lines


def _scalar(value: Any, layout: Layout) -> list[str]:
    """Write a scalar or an empty container; what follows the first line is for below the key."""
    if isinstance(value, str) and layout.tabs_in_blocks and "\n" in value and "\t" in value:
        hidden = value.replace("\t", _HIDDEN_TAB)
        if block_allowed(hidden):
            return literal(hidden, 0).replace(_HIDDEN_TAB, "\t").split("\n")
    return scalar(value, 0, _FAR_LEFT).split("\n")


def _beside(mark: str, lines: list[str]) -> list[str]:
    """Put a mark before the first line, and indent the others."""
    return [f"{mark}{_soft(lines[0])}", *_indented(lines[1:])]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {_soft(line)}" if line else "" for line in lines]


def _soft(line: str) -> str:
    """Indent what follows the line breaks that are not the usual one."""
    return line if line.isascii() else _SOFT_BREAK.sub(r"\g<0>  ", line)
