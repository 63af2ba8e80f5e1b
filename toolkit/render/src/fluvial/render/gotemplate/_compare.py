"""Comparison by Go's basic kinds: integers of any size compare, an integer and a float do not."""

from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import sprintf
from fluvial.render.gotemplate._values import kind_of, type_of

__all__ = ["eq", "ge", "gt", "le", "lt", "ne"]

_INCOMPATIBLE: Final = "incompatible types for comparison"
_INVALID: Final = "invalid type for comparison"


def _basic(value: Any) -> str:
    for kind in (bool, int, float, complex, str):
        if isinstance(value, kind):
            return kind.__name__
    return ""


def _incompatible(left: Any, right: Any) -> FunctionError:
    return FunctionError(f"{_INCOMPATIBLE}: {type_of(left)} and {type_of(right)}")


def eq(first: Any, *others: Any) -> bool:
    """Say whether the first equals any of the others."""
    if not others:
        raise FunctionError("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def _equal(left: Any, right: Any) -> bool:
    kind = _basic(left)
    if kind != _basic(right):
        if left is not None and right is not None:
            raise _incompatible(left, right)
        return False
    if kind:
        return bool(left == right)
    if left is None or right is None:
        return left is right
    if isinstance(right, (dict, list, bytes)) or kind_of(left) != kind_of(right):
        kinds = type_of(left), type_of(right)
        if kinds[0] == kinds[1]:
            raise FunctionError(sprintf("non-comparable type %s: %s", [right, kinds[1]]))
        words = sprintf("non-comparable types %s: %s, %s: %v", [left, *kinds, right])
        raise FunctionError(words)
    if kind_of(left) == "ptr":
        return left is right
    return bool(left == right)


def ne(left: Any, right: Any) -> bool:
    """Say whether two values differ."""
    return not _equal(left, right)


def lt(left: Any, right: Any) -> bool:
    """Say whether the first is less."""
    kind, other = _basic(left), _basic(right)
    if not kind or not other:
        raise FunctionError(_INVALID)
    if kind != other:
        raise _incompatible(left, right)
    if kind in {"bool", "complex"}:
        raise FunctionError(_INVALID)
    return bool(left < right)


def le(left: Any, right: Any) -> bool:
    """Say whether the first is less or equal."""
    return lt(left, right) or _equal(left, right)


def gt(left: Any, right: Any) -> bool:
    """Say whether the first is greater."""
    return not le(left, right)


def ge(left: Any, right: Any) -> bool:
    """Say whether the first is greater or equal."""
    return not lt(left, right)
