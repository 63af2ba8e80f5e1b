"""PromQL's arithmetic, as Prometheus 2.42 does it: rates, quantiles of histograms, operators."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["ARITHMETIC", "COMPARISONS", "extrapolated", "instant_rate", "quantile"]

Points = Sequence[tuple[int, float]]


def extrapolated(
    points: Points, start: int, end: int, *, counter: bool = True, per_second: bool = True
) -> float | None:
    """Return the increase (or rate) over a range of time in milliseconds; None below two points.

    A counter's resets are added back. The result is extrapolated to the range's ends, or by half
    an average interval when an end is further away than 1.1 of those, and for a counter never
    to before it was zero.
    """
    if len(points) < 2:
        return None
    (first_time, first), (last_time, last) = points[0], points[-1]
    change = last - first
    if counter:
        previous = first
        for _, value in points:
            if value < previous:
                change += previous
            previous = value
    to_start, to_end = (first_time - start) / 1000, (end - last_time) / 1000
    sampled = (last_time - first_time) / 1000
    average = sampled / (len(points) - 1)
    if counter and change > 0 and first >= 0:
        to_start = min(to_start, sampled * (first / change))
    covered = sampled
    for distance in (to_start, to_end):
        covered += distance if distance < average * 1.1 else average / 2
    factor = covered / sampled
    if per_second:
        factor /= (end - start) / 1000
    return change * factor


def instant_rate(points: Points) -> float | None:
    """Return the rate between the last two points; after a reset the last value counts whole."""
    if len(points) < 2:
        return None
    (before, old), (after, new) = points[-2:]
    return (new if new < old else new - old) / ((after - before) / 1000)


def quantile(wanted: float, buckets: Sequence[tuple[float, float]]) -> float:
    """Return a quantile of cumulative buckets (upper bound, count), linear within a bucket.

    NaN without a bucket +Inf, without a second one, or without observations.
    """
    if math.isnan(wanted):
        return math.nan
    if wanted < 0 or wanted > 1:
        return math.copysign(math.inf, wanted)
    merged = _merged(buckets)
    if not merged or merged[-1][0] != math.inf or len(merged) < 2 or not merged[-1][1] > 0:
        return math.nan
    rank = wanted * merged[-1][1]
    index = next((i for i, each in enumerate(merged[:-1]) if each[1] >= rank), len(merged) - 1)
    if index == len(merged) - 1:
        return merged[-2][0]
    bound, count = merged[index]
    if index == 0 and bound <= 0:
        return bound
    start = 0.0
    if index > 0:
        start, below = merged[index - 1]
        count -= below
        rank -= below
    return start + (bound - start) * divided(rank, count)


def _merged(buckets: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the buckets in order, equal bounds added up, counts never falling."""
    counts: dict[float, float] = {}
    for bound, count in sorted(buckets, key=lambda each: each[0]):
        counts[bound] = counts.get(bound, 0.0) + count
    made = []
    highest = -math.inf
    for bound, count in counts.items():
        highest = max(highest, count)
        made.append((bound, highest))
    return made


def divided(left: float, right: float) -> float:
    """Divide as IEEE 754 does; Python raises for a zero."""
    if right:
        return left / right
    if math.isnan(left) or not left:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _remainder(left: float, right: float) -> float:
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        odd = right == math.trunc(right) and math.fmod(right, 2) != 0
        return -math.inf if left < 0 and odd else math.inf
    except ValueError:
        # Of zero to a negative power, and of a negative base to a fraction, only the first is
        # defined.
        return math.nan if left else math.inf


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divided,
    "%": _remainder,
    "^": _power,
}
"""Operators that make a number of two."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}
"""Operators that filter, or give 0 and 1 with `bool`."""
