"""Lenient conversion between numbers and text, as Sprig takes it from its cast library."""

import re
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import text_of
from fluvial.render.gotemplate._numbers import go_int, parse_float
from fluvial.render.gotemplate._values import Int64, Strings, from_bytes, kind_of, wrap64

__all__ = ["FUNCTIONS", "NIL", "as_float", "as_int", "as_list", "strings_of", "strval"]

NIL: Final = "runtime error: invalid memory address or nil pointer dereference"
_DECIMAL_ZEROS: Final = re.compile(r"[+-]?[0-9]+\.0+")


def strval(value: Any) -> str:
    """Print a value as Sprig does: bytes are text."""
    return from_bytes(value) if isinstance(value, bytes) else text_of(value)


def as_int(value: Any) -> int:
    """Read anything as an integer; what is none is 0, floats are cut."""
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float):
        if value != value or abs(value) >= 2**63:  # noqa: PLR0124  (not a number)
            return -(2**63)
        return int(value)
    if isinstance(value, str):
        text = value.split(".")[0] if _DECIMAL_ZEROS.fullmatch(value) else value
        number = go_int(text) if text else 0
        return number if number is not None and -(2**63) <= number < 2**63 else 0
    return 0


def as_float(value: Any) -> float:
    """Read anything as a float; what is none is 0."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str):
        return parse_float(value) or 0.0
    return 0.0


def as_list(value: Any, name: str) -> list[Any]:
    """Take a list of any type. Raises FunctionError."""
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, list):
        return value
    if value is None:
        raise FunctionError(NIL)
    raise FunctionError(f"Cannot find {name} on type {kind_of(value)}")


def strings_of(value: Any) -> Strings:
    """Make a list of strings: entries that are nil are left out, a scalar is a list of one."""
    if isinstance(value, list):
        return Strings(strval(item) for item in value if item is not None)
    return Strings() if value is None else Strings([strval(value)])


def atoi(text: str) -> int:
    """Read a decimal integer; what is none is 0."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else 0


def to_decimal(value: Any) -> Int64:
    """Read as octal."""
    text = strval(value)
    return Int64(int(text, 8) if re.fullmatch(r"[+-]?[0-7]{1,20}", text) else 0)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "atoi": atoi,
    "int": as_int,
    "int64": lambda value: Int64(wrap64(as_int(value))),
    "float64": as_float,
    "toDecimal": to_decimal,
    "toString": strval,
    "toStrings": strings_of,
}
