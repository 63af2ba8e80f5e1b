"""Numeric constants of templates: the forms of a Go number that a text has."""

import re
from typing import Final

from fluvial.render.gotemplate._nodes import Number
from fluvial.render.gotemplate._quote import quote, unquote

__all__ = ["char_constant", "complex_constant", "go_int", "go_number", "parse_float"]

_FORMS: Final = (
    (re.compile(r"0[xX](_?[0-9a-fA-F])+"), 16),
    (re.compile(r"0[bB](_?[01])+"), 2),
    (re.compile(r"0[oO](_?[0-7])+"), 8),
    (re.compile(r"0(_?[0-7])*"), 8),
    (re.compile(r"[1-9](_?[0-9])*"), 10),
)
_HEX_FLOAT: Final = re.compile(r"[+-]?0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][+-]?[0-9]+")
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def go_int(text: str) -> int | None:
    """Read an integer as strconv.ParseInt with base 0: prefixes and underscores count."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    for pattern, base in _FORMS:
        if pattern.fullmatch(digits):
            bare = digits.replace("_", "")
            number = int(bare[2:] if bare[1:2].isalpha() else bare, base)
            return -number if text[0] == "-" else number
    return None


def parse_float(text: str) -> float | None:
    """Read a float as strconv.ParseFloat; None for what is none or out of range."""
    if _HEX_FLOAT.fullmatch(text):
        return float.fromhex(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        number = float(text)
        return None if number in {float("inf"), float("-inf")} else number
    lowered = text.lower().lstrip("+-")
    return float(text) if lowered in {"inf", "infinity", "nan"} else None


def char_constant(pos: int, text: str) -> Number:
    """Read a character constant, the number of its rune. Raises ValueError when malformed."""
    if text == "''":
        raise ValueError("invalid syntax")
    char = unquote(text)
    if len(char) != 1:
        raise ValueError(f"malformed character constant: {text}")
    return Number(pos, text, ord(char), float(ord(char)), ord(char))


def complex_constant(pos: int, text: str) -> Number:
    """Read `1+2i`. Raises ValueError when one of its parts is no number."""
    middle = max(text.rfind("+"), text.rfind("-"))
    if middle > 0 and text[middle - 1] in "eE":
        middle = max(text.rfind("+", 0, middle), text.rfind("-", 0, middle))
    real, imaginary = parse_float(text[:middle]), parse_float(text[middle:-1])
    if real is None or imaginary is None:
        raise ValueError(f"illegal number syntax: {quote(text)}")
    if imaginary:
        return Number(pos, text, None, None, complex(real, imaginary))
    whole = int(real) if real.is_integer() and abs(real) < 2**63 else None
    return Number(pos, text, whole, real, complex(real, 0))


def go_number(pos: int, text: str) -> Number:
    """Read a number token. Raises ValueError with Go's message for one that is malformed."""
    if text.endswith("i"):
        part = parse_float(text[:-1])
        if part is None:
            raise ValueError(f'illegal number syntax: "{text}"')
        if part:
            return Number(pos, text, None, None, complex(0, part))
        return Number(pos, text, 0, 0.0, 0j)
    integer = go_int(text)
    if integer is not None:
        if not -(2**63) <= integer < 2**64:
            raise ValueError(f'integer overflow: "{text}"')
        return Number(pos, text, integer, float(integer), integer)
    bare = text.replace("_", "") if "_" in text and not text.endswith("_") else text
    real = parse_float(bare)
    if real is None:
        raise ValueError(f'illegal number syntax: "{text}"')
    if not any(mark in text for mark in ".eEpP"):
        raise ValueError(f'integer overflow: "{text}"')
    whole = int(real) if real.is_integer() and abs(real) < 2**63 else None
    return Number(pos, text, whole, real, real)
