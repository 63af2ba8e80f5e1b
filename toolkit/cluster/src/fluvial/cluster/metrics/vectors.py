"""Instant vectors: aggregation, and operators between a vector and another or a number."""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from fluvial.cluster.metrics.errors import QueryError
from fluvial.cluster.metrics.functions import ARITHMETIC, COMPARISONS
from fluvial.cluster.metrics.series import NAME, Labels

__all__ = ["AGGREGATIONS", "Matching", "Vector", "aggregate", "combine", "nameless", "with_scalar"]

Vector = list[tuple[Labels, float]]
"""One value for each set of labels."""


def nameless(vector: Iterable[tuple[Labels, float]]) -> Vector:
    """Drop the metric's name. Raises `QueryError` when two entries become the same."""
    made = [(without(labels, ()), value) for labels, value in vector]
    if len({labels for labels, _ in made}) < len(made):
        raise QueryError("vector cannot contain metrics with the same labelset")
    return made


def without(labels: Labels, names: Sequence[str]) -> Labels:
    """Return the labels but for the name and those listed."""
    return tuple(pair for pair in labels if pair[0] != NAME and pair[0] not in names)


def only(labels: Labels, names: Sequence[str]) -> Labels:
    """Return the listed labels."""
    return tuple(pair for pair in labels if pair[0] in names)


def _average(values: Sequence[float]) -> float:
    # Step by step as Prometheus does it, so that large values do not overflow.
    mean = 0.0
    for count, value in enumerate(values, 1):
        if math.isinf(mean) and (value == mean or math.isfinite(value)):
            continue
        mean += value / count - mean / count
    return mean


def _lowest(values: Sequence[float]) -> float:
    numbers = [value for value in values if not math.isnan(value)]
    return min(numbers, default=math.nan)


def _highest(values: Sequence[float]) -> float:
    numbers = [value for value in values if not math.isnan(value)]
    return max(numbers, default=math.nan)


def _total(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": _total,
    "avg": _average,
    "min": _lowest,
    "max": _highest,
    "count": lambda values: float(len(values)),
}
"""The aggregations that are evaluated."""


def aggregate(operator: str, vector: Vector, names: Sequence[str], *, keep: bool) -> Vector:
    """Aggregate by the listed labels (`keep`), or by all but those."""
    groups: dict[Labels, list[float]] = collections.defaultdict(list)
    for labels, value in vector:
        groups[only(labels, names) if keep else without(labels, names)].append(value)
    return [(labels, AGGREGATIONS[operator](values)) for labels, values in groups.items()]


def with_scalar(
    operator: str, vector: Vector, scalar: float, *, swapped: bool, as_bool: bool
) -> Vector:
    """Combine each value with a number; `swapped` when the number stands on the left."""
    made: Vector = []
    for labels, value in vector:
        pair = (scalar, value) if swapped else (value, scalar)
        if operator in ARITHMETIC:
            made.append((labels, ARITHMETIC[operator](*pair)))
            continue
        holds = COMPARISONS[operator](*pair)
        if as_bool:
            made.append((labels, float(holds)))
        elif holds:
            made.append((labels, value))
    return nameless(made) if operator in ARITHMETIC or as_bool else made


class Matching(NamedTuple):
    """Which labels must agree: those of `on`, or all but those of `ignoring`."""

    names: Sequence[str] = ()
    on: bool = False

    def key(self, labels: Labels) -> Labels:
        """Return what of the labels must agree."""
        return only(labels, self.names) if self.on else without(labels, self.names)

    def result(self, labels: Labels, *, named: bool) -> Labels:
        """Return the labels of the result, from those of the left side."""
        if self.on:
            return only(labels, self.names)
        made = tuple(pair for pair in labels if pair[0] not in self.names)
        return made if named else without(made, ())


def combine(
    operator: str, left: Vector, right: Vector, matching: Matching, *, as_bool: bool
) -> Vector:
    """Combine two vectors. Raises `QueryError` when a match is not one to one."""
    if operator in {"and", "or", "unless"}:
        return _set(operator, left, right, matching)
    others: dict[Labels, float] = {}
    for labels, value in right:
        key = matching.key(labels)
        if key in others:
            raise QueryError(
                f"found duplicate series for the match group {dict(key)} on the right hand-side "
                "of the operation; many-to-many matching not allowed"
            )
        others[key] = value
    made: Vector = []
    seen: set[Labels] = set()
    named = operator in COMPARISONS and not as_bool
    for labels, value in left:
        key = matching.key(labels)
        if key not in others:
            continue
        if operator in ARITHMETIC:
            result = ARITHMETIC[operator](value, others[key])
        else:
            holds = COMPARISONS[operator](value, others[key])
            if not holds and not as_bool:
                continue
            result = float(holds) if as_bool else value
        if key in seen:
            raise QueryError(
                f"multiple matches for labels {dict(key)}: many-to-one matching must be explicit "
                "(group_left/group_right), which is not supported here"
            )
        seen.add(key)
        made.append((matching.result(labels, named=named), result))
    return made


def _set(operator: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    if operator == "or":
        known = {matching.key(labels) for labels, _ in left}
        return [*left, *(each for each in right if matching.key(each[0]) not in known)]
    known = {matching.key(labels) for labels, _ in right}
    return [each for each in left if (matching.key(each[0]) in known) == (operator == "and")]
