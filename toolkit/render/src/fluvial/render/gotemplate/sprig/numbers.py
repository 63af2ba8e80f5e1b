"""Arithmetic: whole numbers are int64 and overflow, `…f` functions are decimal."""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import format_float
from fluvial.render.gotemplate._values import Int64, wrap64
from fluvial.render.gotemplate.sprig.chance import chance
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


_WIDE: Final = Context(prec=2000, Emin=-99999, Emax=99999)  # floats have up to 308 digits
_SIXTEENTH: Final = Decimal("1e-16")
_DIGITS: Final = 1500


def _decimal(value: Any) -> Decimal:
    number = as_float(value)
    if math.isnan(number) or math.isinf(number):
        raise FunctionError(f"Cannot create a Decimal from {format_float(number)}")
    return Decimal(repr(number))


def _folded(step: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    def fold(first: Any, *others: Any) -> float:
        with localcontext(_WIDE):
            total = _decimal(first)
            for other in others:
                total = step(total, _decimal(other))
                if total.adjusted() > _DIGITS or len(total.as_tuple().digits) > _DIGITS:
                    raise FunctionError("the result has too many digits")
            return float(total) if total else 0.0  # upstream's decimals know one zero only

    return fold


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if right == 0:
        raise FunctionError("decimal division by 0")
    return (left / right).quantize(_SIXTEENTH, ROUND_HALF_UP)


def greatest(first: Any, *others: Any) -> Int64:
    """Return the largest, as int64."""
    return Int64(max([as_int(first), *map(as_int, others)]))


def least(first: Any, *others: Any) -> Int64:
    """Return the smallest, as int64."""
    return Int64(min([as_int(first), *map(as_int, others)]))


def ceiling(value: Any) -> float:
    """Round upwards; the sign of what becomes zero stays."""
    number = as_float(value)
    return math.copysign(math.ceil(number), number) if math.isfinite(number) else number


def floored(value: Any) -> float:
    """Round downwards."""
    number = as_float(value)
    return math.copysign(math.floor(number), number) if math.isfinite(number) else number


def rounded(value: Any, places: int, *limit: float) -> float:
    """Round to places; a rest of at least the limit, one half unless given, goes up.

    The rest of a negative number is negative and so below any usual limit: it goes down.
    """
    try:
        power = math.pow(10, places)
    except OverflowError:
        power = math.inf
    digits = power * as_float(value)
    fraction = math.modf(digits)[0] if math.isfinite(digits) else math.nan
    border = limit[0] if limit else 0.5
    whole = ceiling(digits) if fraction >= border else floored(digits)
    if power == 0:
        return math.nan if whole == 0 or math.isnan(whole) else math.copysign(math.inf, whole)
    return whole / power


def largest_float(first: Any, *others: Any) -> float:
    """Return the largest; infinity wins, then what is not a number."""
    return _extreme([as_float(first), *map(as_float, others)], math.inf)


def smallest_float(first: Any, *others: Any) -> float:
    """Return the smallest; negative infinity wins, then what is not a number."""
    return _extreme([as_float(first), *map(as_float, others)], -math.inf)


def _extreme(numbers: list[float], bound: float) -> float:
    """Take the number nearest the bound, as math.Max and math.Min: zeros differ by their sign."""
    if bound in numbers:
        return bound
    if any(map(math.isnan, numbers)):
        return math.nan
    choose = max if bound > 0 else min
    return choose(numbers, key=lambda number: (number, math.copysign(1, number)))


def random_between(low: int, high: int) -> int:
    """Return a random number from low to before high."""
    if high <= low:
        raise FunctionError("invalid argument to Intn")
    return low + chance().below(high - low)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "add": add,
    "add1": lambda value: Int64(wrap64(as_int(value) + 1)),
    "add1f": lambda value: _folded(lambda left, right: left + right)(value, 1),
    "addf": lambda *values: _folded(lambda left, right: left + right)(0, *values),
    "biggest": greatest,
    "ceil": ceiling,
    "div": div,
    "divf": _folded(_divide),
    "floor": floored,
    "max": greatest,
    "maxf": largest_float,
    "min": least,
    "minf": smallest_float,
    "mod": mod,
    "mul": mul,
    "mulf": _folded(lambda left, right: left * right),
    "randInt": random_between,
    "round": rounded,
    "sub": sub,
    "subf": _folded(lambda left, right: left - right),
}
