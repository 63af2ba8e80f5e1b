"""Floats as Go's fmt prints them, by verb and flags."""

import math
from typing import NamedTuple

from fluvial.render.yaml._scalars import go_float

__all__ = ["Style", "format_float", "styled"]


class Style(NamedTuple):
    """How to print a float: a verb of `bgGxXfFeE`, a precision, and the flags `#`, `+` and blank.

    Without a precision `g` and `x` print the shortest digits, the others six.
    """

    verb: str
    precision: int | None
    sharp: bool = False
    plus: bool = False
    space: bool = False


def format_float(number: float) -> str:
    """Print a float as `%v` does: shortest digits, exponent form from 1e+06 on."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return go_float(number)


def styled(number: float, style: Style) -> tuple[str, str]:
    """Return the sign that is shown, and the digits, or `Inf` or `NaN`."""
    negative = math.copysign(1, number) < 0 and not math.isnan(number)
    sign = "-" if negative else "+" if style.plus else " " if style.space else ""
    if math.isnan(number):
        return sign, "NaN"
    if math.isinf(number):
        return sign or "+", "Inf"
    return sign, _digits(abs(number), style)


def _digits(number: float, style: Style) -> str:
    """Print a float that is finite and has no sign."""
    verb, precision = style.verb, style.precision
    if verb == "b":
        return _binary(number)
    if verb in "xX":
        text = _hexadecimal(number, precision)
        text = text.upper() if verb == "X" else text
    elif verb in "gG":
        text = go_float(number) if precision is None else format(number, f".{precision}g")
        text = text.upper() if verb == "G" else text
    else:
        text = format(number, f".{6 if precision is None else precision}{verb}")
    return _with_point(text, style) if style.sharp else text


def _with_point(text: str, style: Style) -> str:
    """Keep the point, and for `%g` the zeros, as `#` asks for."""
    cut = next((at for at, char in enumerate(text) if char in "pP"), len(text))
    if style.verb not in "xX":
        cut = next((at for at, char in enumerate(text) if char in "eE"), len(text))
    number, tail = text[:cut], text[cut:]
    wanted = 0
    if style.verb in "gGx":
        wanted = 6 if style.precision is None else style.precision
    figures = number.replace(".", "").lstrip("0")
    wanted -= len(figures)
    if "." not in number:
        wanted -= number == "0"
        number += "."
    return number + "0" * wanted + tail


def _parts(number: float) -> tuple[int, int]:
    """Return mantissa and exponent of a float: the number is mantissa * 2**exponent."""
    fraction, exponent = math.frexp(number)
    exponent = max(exponent - 53, -1074)
    return int(math.ldexp(number, -exponent)) if fraction else 0, exponent


def _binary(number: float) -> str:
    """Print as `%b`: the mantissa, and the exponent of two."""
    mantissa, exponent = _parts(number) if number else (0, -1074)
    return f"{mantissa}p{exponent:+d}"


def _hexadecimal(number: float, precision: int | None) -> str:
    """Print as `%x`: hexadecimal digits behind a point, and the exponent of two."""
    mantissa, exponent = _parts(number)
    if not mantissa:
        digits = "" if precision is None else "0" * precision
        return f"0x0{'.' if digits else ''}{digits}p+00"
    shift = 60 - (mantissa.bit_length() - 1)
    mantissa <<= shift
    exponent += 60 - shift
    if precision is not None and precision < 15:
        rest = 60 - precision * 4
        extra = mantissa & ((1 << rest) - 1)
        mantissa >>= rest
        half = 1 << (rest - 1)
        mantissa += extra > half or (extra == half and mantissa & 1)
        mantissa <<= rest
        if mantissa >> 61:
            mantissa >>= 1
            exponent += 1
    digits = f"{mantissa & ((1 << 60) - 1):015x}"
    digits = digits.rstrip("0") if precision is None else digits[:precision].ljust(precision, "0")
    lead = mantissa >> 60
    sign = "-" if exponent < 0 else "+"
    return f"0x{lead}{'.' if digits else ''}{digits}p{sign}{abs(exponent):02d}"
