"""Quantities: amounts with a suffix, such as `500m` CPU or `2Gi` of memory."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal, InvalidOperation
from functools import lru_cache

__all__ = ["canonical_quantity", "parse_quantity"]

_QUANTITY = re.compile(
    r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?)|[eE]([+-]?\d+))$"
)
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_SUFFIXES = {
    **{suffix: Decimal(10) ** power for power, suffix in _DECIMAL.items()},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(_BINARY)},
}
_SMALLEST = Decimal("1e-9")


def parse_quantity(text: str) -> Decimal:
    """Return the amount of a quantity; raises ValueError with the API server's words."""
    return _parsed(text)[0]


def _parsed(text: str) -> tuple[Decimal, str, bool]:
    match = _QUANTITY.match(text)
    if match is None:
        raise ValueError(
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    try:
        amount = Decimal(match[1])
        exponent = match[3] is not None
        amount = amount.scaleb(int(match[3])) if exponent else amount * _SUFFIXES[match[2] or ""]
    except InvalidOperation as error:
        raise ValueError(str(error)) from None
    return amount.quantize(_SMALLEST, ROUND_UP).normalize(), match[2] or "", exponent


@lru_cache(maxsize=4096)
def canonical_quantity(text: str) -> str:
    """Return a quantity as the API server writes it: `1024Mi` as `1Gi`, `0.5` as `500m`.

    The kind of suffix stays (binary, decimal, exponent). What is no quantity comes back as it is.
    """
    try:
        amount, suffix, exponent = _parsed(text)
    except ValueError:
        return text
    if amount == 0:
        return "0"
    if suffix in _BINARY[1:] and abs(amount) >= 1024 and amount == amount.to_integral_value():
        number, power = int(amount), 0
        while number % 1024 == 0 and power < len(_BINARY) - 1:
            number, power = number // 1024, power + 1
        return f"{number}{_BINARY[power]}"
    _, digits, scale = amount.as_tuple()
    assert isinstance(scale, int)  # a finite amount
    power = scale
    shift = power % 3
    if power - shift > max(_DECIMAL) and not exponent:
        shift += power - shift - max(_DECIMAL)
    number = int("".join(map(str, digits)) + "0" * shift)
    sign, power = "-" if amount < 0 else "", power - shift
    if exponent:
        return f"{sign}{number}" + (f"e{power}" if power else "")
    return f"{sign}{number}{_DECIMAL[power]}"
