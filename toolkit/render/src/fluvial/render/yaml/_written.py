"""Scalars of which the text says more than the value, and what becomes of them."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Self

from fluvial.render.yaml._folded import refold
from fluvial.render.yaml._scalars import Dialect, Scalar, go_float, is_integer, resolve

__all__ = [
    "Written",
    "is_text",
    "meaning",
    "plain_kind",
    "plain_scalar",
    "settled",
    "written_places",
]

FOLDED = ">"


class Written(str):
    """A scalar as it stands in a file: `1.10`, `0x1F`, `True`, a date, or a text in quotes.

    As a string it is what is written, which counts when the scalar is copied, joined or searched.
    `value` is what a reader of the printed object makes of it. `style` is the sign of its quotes
    or block (one of `'"|>`); empty for plain scalars, which are then no strings.
    """

    __slots__ = ("style", "value")

    value: Scalar
    style: str

    def __new__(cls, text: str, value: Scalar, style: str = "") -> Self:
        """Tie a text to its meaning."""
        made = super().__new__(cls, text)
        made.value = value
        made.style = style
        return made

    @classmethod
    def quoted(cls, text: str, style: str) -> Self:
        """Make a string in quotes or a block; a folded one changes when it is printed and read."""
        text = str(text)
        return cls(text, refold(text) if style == FOLDED else text, style)


@lru_cache(maxsize=65536)
def plain_scalar(text: str) -> Scalar:
    """Return what a plain scalar means to kustomize, `Written` if it could be written shorter."""
    value = resolve(text, Dialect.KYAML)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return value
    if isinstance(value, str):
        usual = value
    elif isinstance(value, bool):
        usual = "true" if value else "false"
    else:
        usual = str(value) if isinstance(value, int) else go_float(value)
    return value if usual == text else Written(text, value)


def plain_kind(text: str) -> str:
    """Return the tag of a plain scalar: str, int, float, bool, null or timestamp."""
    value = resolve(text, Dialect.KYAML)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "str" if value == text else "timestamp"
    return "int" if is_integer(text) else "float"


def is_text(value: Any) -> bool:
    """Say whether a scalar is a string to a reader of YAML."""
    return isinstance(value, str) and (not isinstance(value, Written) or bool(value.style))


def meaning(value: Any) -> Scalar:
    """Return what a `Written` means; the hook for encoders that know no such type."""
    if isinstance(value, Written):
        return value.value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def settled(value: Any) -> Any:
    """Replace every `Written` of a tree, in place, by what it means; returns the tree."""
    for path, scalar in list(written_places(value)):
        node = value
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = scalar.value
    return value


def written_places(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Written]]:
    """Iterate over the `Written` of a tree, each with its path."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, Written):
            yield (*path, key), item
        elif isinstance(item, dict | list):
            yield from written_places(item, (*path, key))
