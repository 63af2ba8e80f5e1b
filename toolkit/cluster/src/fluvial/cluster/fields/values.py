"""JSON values: equality as Kubernetes sees it, and how Go prints them in messages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar, cast

import msgspec

__all__ = ["copied", "equal", "go_syntax", "go_text", "settle_numbers"]


T = TypeVar("T")

_CONTAINERS = frozenset({dict, list})
_LARGE = 1e21  # from here on Go writes an exponent


def copied(value: T) -> T:
    """Return a JSON value of one's own, faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        return cast(
            "T",
            {
                name: copied(item) if item.__class__ in _CONTAINERS else item
                for name, item in value.items()
            },
        )
    if isinstance(value, list):
        return cast("T", [copied(item) for item in value])
    return value


def settle_numbers(value: Any) -> Any:
    """Return a JSON value with numbers as Go keeps them: 64 bits, and 1.0 written as 1."""
    if isinstance(value, dict):
        return {name: settle_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [settle_numbers(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGE:
        # The shortest digits that give the same double again, then zeros.
        return int(Decimal(repr(value)))
    return value


def equal(left: object, right: object) -> bool:
    """Tell whether two values are equal: 1 equals 1.0, but true does not equal 1."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(
                (value.__class__ is str and value == right[name]) or equal(value, right[name])
                for name, value in left.items()
            )
        )
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(equal(a, b) for a, b in zip(left, right, strict=True))
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def go_text(value: object) -> str:
    """Return a value as Go's `%v` prints it: `map[a:1 b:[x y]]`, `<nil>`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{go_text(value[k])}" for k in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def go_syntax(value: object) -> str:
    """Return a value as Go's `%#v` prints it: `map[string]interface {}{"a":1}`."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, dict):
        inner = ", ".join(f"{go_syntax(k)}:{go_syntax(value[k])}" for k in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(go_syntax(item) for item in value) + "}"
    return go_text(value)
