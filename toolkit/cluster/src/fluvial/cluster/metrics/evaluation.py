"""Instant queries: PromQL's syntax tree, evaluated over the store.

What is evaluated: vector and range selectors with all matchers and `offset`; `rate`, `increase`,
`irate`, `delta`; `sum`, `avg`, `min`, `max`, `count` with `by` and `without`; `histogram_quantile`;
`vector`, `time`; numbers, parentheses, unary minus; `+ - * / % ^`, comparisons with and without
`bool`, `and`, `or`, `unless`, one to one, with `on` and `ignoring`. Everything else is a
`QueryError` that names it. A value is stale after five minutes, or as soon as its target stopped
exposing it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any

import promql_parser as promql

from fluvial.cluster.metrics.errors import QueryError
from fluvial.cluster.metrics.exposition import number
from fluvial.cluster.metrics.functions import (
    ARITHMETIC,
    COMPARISONS,
    extrapolated,
    instant_rate,
    quantile,
)
from fluvial.cluster.metrics.series import NAME, Labels, Matches, Series, Store
from fluvial.cluster.metrics.vectors import (
    AGGREGATIONS,
    Matching,
    Vector,
    aggregate,
    combine,
    nameless,
    with_scalar,
)

__all__ = ["Matrix", "Result", "evaluate"]

_LOOKBACK = 300_000
# What Python's patterns read in another way than RE2. The parser refuses what RE2 has not.
_FOREIGN = re.compile(r"\\[pPzZQECuUNGgkx]|[*+?}]\+|\[\[:|\[\^?\]|&&|--|~~|\(\?[^:P<]")


@dataclasses.dataclass(frozen=True, slots=True)
class Matrix:
    """The value of a range selector: `points` of each series between `start` and `end`."""

    start: int
    end: int
    series: list[tuple[Labels, list[tuple[int, float]]]]


Result = float | Vector | Matrix
"""What a query gives: a scalar, an instant vector or a range vector."""


def evaluate(query: str, store: Store, time: int) -> Result:
    """Answer a query for a moment in milliseconds. Raises `QueryError`."""
    try:
        expression = promql.parse(query)
    except ValueError as error:
        text = f'invalid parameter "query": {error}'
        raise QueryError(text, "bad_data") from None
    try:
        return _Evaluation(store, time).value(expression)
    except RecursionError:
        raise QueryError("the expression is nested too deeply") from None


class _Evaluation:
    """One query at one moment."""

    def __init__(self, store: Store, time: int) -> None:
        self._store = store
        self._time = time
        self._forms: dict[type, Callable[[Any], Result]] = {
            promql.NumberLiteral: lambda each: float(each.val),
            promql.ParenExpr: lambda each: self.value(each.expr),
            promql.UnaryExpr: self._negated,
            promql.VectorSelector: self._selected,
            promql.MatrixSelector: self._ranged,
            promql.AggregateExpr: self._aggregated,
            promql.BinaryExpr: self._combined,
            promql.Call: self._called,
        }

    def value(self, expression: object) -> Result:
        form = self._forms.get(type(expression))
        if form is None:
            raise QueryError(f"{type(expression).__name__} is not supported by this store")
        return form(expression)

    def _vector(self, expression: object) -> Vector:
        found = self.value(expression)
        if not isinstance(found, list):
            raise QueryError("an instant vector was expected", "bad_data")
        return found

    def _scalar(self, expression: object) -> float:
        found = self.value(expression)
        if not isinstance(found, float):
            raise QueryError("a scalar was expected", "bad_data")
        return found

    def _negated(self, expression: promql.UnaryExpr) -> Result:
        found = self.value(expression.expr)
        if isinstance(found, float):
            return -found
        return nameless((labels, -value) for labels, value in self._vector(expression.expr))

    def _series(self, selector: promql.VectorSelector) -> list[Series]:
        if selector.at is not None:
            raise QueryError("the @ modifier is not supported by this store")
        if selector.matchers.or_matchers:
            raise QueryError("`or` between matchers is not supported by this store")
        name, matchers = selector.name, []
        for each in selector.matchers.matchers:
            if each.name == NAME and each.op == promql.MatchOp.Equal and name is None:
                name = each.value
            else:
                matchers.append((each.name, _matcher(each)))
        return self._store.select(name, matchers)

    def _moment(self, offset: dt.timedelta | None) -> int:
        return self._time - _milliseconds(offset or dt.timedelta())

    def _selected(self, selector: promql.VectorSelector) -> Vector:
        moment = self._moment(selector.offset)
        found = ((each.labels, each.at(moment, _LOOKBACK)) for each in self._series(selector))
        return [(labels, value) for labels, value in found if value is not None]

    def _ranged(self, selector: promql.MatrixSelector) -> Matrix:
        inner = selector.vector_selector
        end = self._moment(inner.offset)
        start = end - _milliseconds(selector.range)
        found = ((each.labels, each.between(start, end)) for each in self._series(inner))
        return Matrix(start, end, [each for each in found if each[1]])

    def _aggregated(self, expression: promql.AggregateExpr) -> Vector:
        operator = str(expression.op)
        if operator not in AGGREGATIONS:
            raise QueryError(f"the aggregation {operator} is not supported by this store")
        modifier = expression.modifier
        names = list(modifier.labels) if modifier else []
        keep = modifier is None or modifier.type == promql.AggModifierType.By
        return aggregate(operator, self._vector(expression.expr), names, keep=keep)

    def _combined(self, expression: promql.BinaryExpr) -> Result:
        operator = str(expression.op).split()[0]
        modifier = expression.modifier
        as_bool = bool(modifier and modifier.return_bool)
        if operator not in {*ARITHMETIC, *COMPARISONS, "and", "or", "unless"}:
            raise QueryError(f"the operator {operator} is not supported by this store")
        left, right = self.value(expression.lhs), self.value(expression.rhs)
        if isinstance(left, float) and isinstance(right, float):
            if operator in ARITHMETIC:
                return ARITHMETIC[operator](left, right)
            return float(COMPARISONS[operator](left, right))
        if isinstance(left, list) and isinstance(right, float):
            return with_scalar(operator, left, right, swapped=False, as_bool=as_bool)
        if isinstance(left, float) and isinstance(right, list):
            return with_scalar(operator, right, left, swapped=True, as_bool=as_bool)
        if isinstance(left, Matrix) or isinstance(right, Matrix):
            raise QueryError("operators do not take range vectors", "bad_data")
        assert isinstance(left, list), "scalars were handled above"
        assert isinstance(right, list), "scalars were handled above"
        return combine(operator, left, right, _matching(modifier, operator), as_bool=as_bool)

    def _called(self, call: promql.Call) -> Result:
        name = call.func.name
        if name in {"rate", "increase", "delta", "irate"}:
            found = self.value(call.args[0])
            assert isinstance(found, Matrix), "the parser checks the types of arguments"
            return _over_time(name, found)
        if name == "histogram_quantile":
            wanted = self._scalar(call.args[0])
            return _quantiles(wanted, self._vector(call.args[1]))
        if name == "vector":
            return [((), self._scalar(call.args[0]))]
        if name == "time":
            return self._time / 1000
        raise QueryError(f"the function {name} is not supported by this store")


def _milliseconds(duration: dt.timedelta) -> int:
    return duration // dt.timedelta(milliseconds=1)


def _matcher(matcher: promql.Matcher) -> Matches:
    wanted = matcher.value
    if matcher.op == promql.MatchOp.Equal:
        return lambda value: value == wanted
    if matcher.op == promql.MatchOp.NotEqual:
        return lambda value: value != wanted
    if _FOREIGN.search(wanted):
        raise QueryError(f"the pattern {wanted!r} is not supported by this store")
    try:
        pattern = re.compile(wanted, re.ASCII)
    except re.error as error:
        text = f"the pattern {wanted!r} is not supported by this store: {error}"
        raise QueryError(text) from None
    if matcher.op == promql.MatchOp.Re:
        return lambda value: pattern.fullmatch(value) is not None
    return lambda value: pattern.fullmatch(value) is None


def _matching(modifier: promql.BinModifier | None, operator: str) -> Matching:
    if modifier is None:
        return Matching()
    one_to_one = (promql.VectorMatchCardinality.OneToOne, promql.VectorMatchCardinality.ManyToMany)
    if modifier.card not in one_to_one:
        raise QueryError("group_left and group_right are not supported by this store")
    fill = modifier.fill_values
    if fill is not None and (fill.lhs is not None or fill.rhs is not None):
        raise QueryError(f"fill values of {operator} are not supported by this store")
    if modifier.matching is None:
        return Matching()
    on = modifier.matching.type == promql.LabelModifierType.Include
    return Matching(tuple(modifier.matching.labels), on)


def _over_time(name: str, matrix: Matrix) -> Vector:
    made = []
    for labels, points in matrix.series:
        if name == "irate":
            value = instant_rate(points)
        else:
            value = extrapolated(
                points,
                matrix.start,
                matrix.end,
                counter=name != "delta",
                per_second=name == "rate",
            )
        if value is not None:
            made.append((labels, value))
    return nameless(made)


def _quantiles(wanted: float, vector: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in vector:
        try:
            bound = number(dict(labels).get("le", ""))
        except ValueError:
            # As in Prometheus: what has no bound is no bucket.
            continue
        key = tuple(pair for pair in labels if pair[0] not in {"le", NAME})
        groups.setdefault(key, []).append((bound, count))
    found = [(labels, quantile(wanted, buckets)) for labels, buckets in groups.items()]
    return [(labels, math.nan if math.isnan(value) else value) for labels, value in found]
