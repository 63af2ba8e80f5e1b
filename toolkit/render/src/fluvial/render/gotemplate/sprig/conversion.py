"""Lenient conversion between numbers and text, as Sprig takes it from its cast library."""

import re
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import text_of
from fluvial.render.gotemplate._numbers import go_int, parse_float
from fluvial.render.gotemplate._values import (
    Int64,
    Strings,
    Uint32,
    Uint64,
    from_bytes,
    kind_of,
    wrap64,
)

__all__ = [
    "FUNCTIONS",
    "NIL",
    "as_float",
    "as_int",
    "as_list",
    "atoi",
    "read_float",
    "strings_of",
    "strval",
]

NIL: Final = "runtime error: invalid memory address or nil pointer dereference"
_DECIMAL_ZEROS: Final = re.compile(r"[+-]?[0-9]+\.0+")


def strval(value: Any) -> str:
    """Print a value as Sprig does: bytes are text."""
    return from_bytes(value) if isinstance(value, bytes) else text_of(value)


_WHOLE: Final = frozenset({bool, int, Int64, Uint64, Uint32})


def as_int(value: Any) -> int:
    """Read anything as an integer; what is none is 0, floats are cut.

    Of the named whole numbers only months and days of the week count: the library that Sprig takes
    this from looks at types, not at kinds, so a duration is 0.
    """
    if type(value) in _WHOLE or getattr(value, "go_counts", False):
        return wrap64(int(value))
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
    if isinstance(value, float) or type(value) in _WHOLE or getattr(value, "go_counts", False):
        return float(value)
    if isinstance(value, str):
        return read_float(value)
    return 0.0


_GROUPED: Final = re.compile(r"[+-]?0[xX]_?[0-9a-fA-F]")


def read_float(text: str) -> float:
    """Read a text as strconv.ParseFloat does; 0 for what is no float or out of range."""
    if "_" in text:
        # underscores count with a prefix only; the parser of decimals skips them all the same
        text = text if _GROUPED.match(text) else text.replace("_", "")
    number = parse_float(text)
    return 0.0 if number is None else number


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
    """Read a decimal integer; what is none is 0, what is out of range the nearest that is not."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        return 0
    if len(text) > 25:
        text = text[:1].strip("0123456789") + "9" * 20 if text.strip("+-0") else "0"
    return max(-(2**63), min(2**63 - 1, int(text)))


def to_decimal(value: Any) -> Int64:
    """Read as octal."""
    text = strval(value)
    number = int(text, 8) if re.fullmatch(r"[+-]?[0-7]{1,100}", text) else 0
    return Int64(number if -(2**63) <= number < 2**63 else 0)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "atoi": atoi,
    "int": as_int,
    "int64": lambda value: Int64(as_int(value)),
    "float64": as_float,
    "toDecimal": to_decimal,
    "toString": strval,
    "toStrings": strings_of,
}
