"""Arithmetic: whole numbers are int64 and overflow, `…f` functions are decimal."""

import math
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import format_float
from fluvial.render.gotemplate._values import Int64, wrap64
from fluvial.render.gotemplate.sprig.conversion import as_float, as_int

__all__ = ["FUNCTIONS"]


def add(*values: Any) -> Int64:
    """Add."""
    return Int64(wrap64(sum(map(as_int, values))))


def sub(left: Any, right: Any) -> Int64:
    """Subtract."""
    return Int64(wrap64(as_int(left) - as_int(right)))


def mul(first: Any, *others: Any) -> Int64:
    """Multiply."""
    product = as_int(first)
    for other in others:
        product = wrap64(product * as_int(other))
    return Int64(product)


def div(left: Any, right: Any) -> Int64:
    """Divide, cutting towards zero."""
    dividend, divisor = as_int(left), as_int(right)
    if divisor == 0:
        raise FunctionError("runtime error: integer divide by zero")
    quotient = abs(dividend) // abs(divisor)
    return Int64(wrap64(quotient if (dividend < 0) == (divisor < 0) else -quotient))


def mod(left: Any, right: Any) -> Int64:
    """Remainder, with the sign of the dividend."""
    dividend, divisor = as_int(left), as_int(right)
    if divisor == 0:
        raise FunctionError("runtime error: integer divide by zero")
    remainder = abs(dividend) % abs(divisor)
    return Int64(-remainder if dividend < 0 else remainder)


def _decimal(value: Any) -> Decimal:
    number = as_float(value)
    if math.isnan(number) or math.isinf(number):
        raise FunctionError(f"Cannot create a Decimal from {format_float(number)}")
    return Decimal(repr(number))


def _folded(step: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    def fold(first: Any, *others: Any) -> float:
        total = _decimal(first)
        for other in others:
            total = step(total, _decimal(other))
        return float(total)

    return fold


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if right == 0:
        raise FunctionError("decimal division by 0")
    return round(left / right, 16)


def greatest(first: Any, *others: Any) -> Int64:
    """Return the largest, as int64."""
    return Int64(max([as_int(first), *map(as_int, others)]))


def least(first: Any, *others: Any) -> Int64:
    """Return the smallest, as int64."""
    return Int64(min([as_int(first), *map(as_int, others)]))


def rounded(value: Any, places: int, *limit: float) -> float:
    """Round to places; a rest of at least the limit, one half unless given, goes up."""
    number = as_float(value)
    power = math.pow(10, places)
    digits = power * number
    fraction = math.modf(digits)[0]
    border = limit[0] if limit else 0.5
    up = fraction >= border if number >= 0 else fraction > -border
    if number < 0:
        return (math.ceil(digits) if fraction > -border else math.floor(digits)) / power
    return (math.ceil(digits) if up else math.floor(digits)) / power


def random_between(low: int, high: int) -> int:
    """Return a random number from low to before high."""
    if high <= low:
        raise FunctionError("invalid argument to Intn")
    return low + secrets.randbelow(high - low)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "add": add,
    "add1": lambda value: Int64(wrap64(as_int(value) + 1)),
    "add1f": lambda value: float(_decimal(value) + 1),
    "addf": lambda *values: float(sum(map(_decimal, values), Decimal(0))),
    "biggest": greatest,
    "ceil": lambda value: float(math.ceil(as_float(value))),
    "div": div,
    "divf": _folded(_divide),
    "floor": lambda value: float(math.floor(as_float(value))),
    "max": greatest,
    "maxf": lambda first, *others: max([as_float(first), *map(as_float, others)]),
    "min": least,
    "minf": lambda first, *others: min([as_float(first), *map(as_float, others)]),
    "mod": mod,
    "mul": mul,
    "mulf": _folded(lambda left, right: left * right),
    "randInt": random_between,
    "round": rounded,
    "sub": sub,
    "subf": _folded(lambda left, right: left - right),
}
