import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.flagger import Metric
from fluvial.canary.metrics.evaluation import refusal, whole_milliseconds

INF = math.inf


def metric(name, **fields):
    return msgspec.convert({"name": name, **fields}, Metric)


@pytest.mark.parametrize(
    ("name", "bounds", "value", "expected", "reason"),
    [
        ("request-success-rate", {"thresholdRange": {"min": 99}}, 99.0, None, "bounds pass"),
        (
            "request-success-rate",
            {"thresholdRange": {"min": 99}},
            98.996,
            "success rate 99.00% < 99%",
            "rounded for people, not for the verdict",
        ),
        (
            "request-success-rate",
            {"thresholdRange": {"max": 99.5}},
            100.0,
            "success rate 100.00% > 99.5%",
            "a rate may be too good",
        ),
        (
            "request-success-rate",
            {"threshold": 95},
            94.0,
            "success rate 94.00% < 95%",
            "deprecated",
        ),
        ("request-success-rate", {}, 0.0, None, "without any bound every rate passes"),
        ("request-duration", {"thresholdRange": {"max": 500}}, 500.0, None, "bounds pass"),
        (
            "request-duration",
            {"thresholdRange": {"max": 500}},
            1501.0,
            "request duration 1.501s > 500ms",
            "in Go's durations",
        ),
        (
            "request-duration",
            {"thresholdRange": {"max": 499.9}},
            500.0,
            "request duration 500ms > 499ms",
            "bounds are whole milliseconds",
        ),
        (
            "request-duration",
            {"thresholdRange": {"min": 10}},
            9.0,
            "request duration 9ms < 10ms",
            "it may be too fast",
        ),
        ("request-duration", {}, 1.0, "request duration 1ms > 0s", "no bound is a bound of zero"),
        (
            "request-duration",
            {"thresholdRange": {"max": 500}},
            INF,
            "request duration +Inf > 500ms",
            "infinity is compared",
        ),
    ],
)
def test_builtin_metrics(canary, name, bounds, value, expected, reason):  # noqa: PLR0917 - a table
    found = refusal(canary(), metric(name, **bounds), value, builtin=True)
    wanted = expected and f"Halt podinfo.test advancement {expected}"
    assert found == wanted, reason


@pytest.mark.parametrize(
    ("bounds", "value", "expected", "reason"),
    [
        ({"thresholdRange": {"min": 1, "max": 2}}, 1.5, None, "within"),
        ({"thresholdRange": {"min": 1, "max": 2}}, 0.5, "errors 0.50 < 1", "below"),
        ({"thresholdRange": {"min": 1, "max": 2}}, 3.0, "errors 3.00 > 2", "above"),
        ({"thresholdRange": {"max": 0.1}}, 0.25, "errors 0.25 > 0.1", "shortest digits"),
        ({"threshold": 5}, 6.0, "errors 6.00 > 5", "the deprecated threshold is a maximum"),
        ({"thresholdRange": {}, "threshold": 5}, 6.0, None, "an empty range outranks it"),
        ({}, 0.5, "errors 0.50 > 0", "no bound is a bound of zero"),
        ({"thresholdRange": {"min": 0}}, -INF, "errors -Inf < 0", "infinity is compared"),
    ],
)
def test_own_queries(canary, bounds, value, expected, reason):
    found = refusal(canary(), metric("errors", **bounds), value, builtin=False)
    assert found == (expected and f"Halt podinfo.test advancement {expected}"), reason


def test_an_own_query_named_like_a_builtin_is_a_plain_number(canary):
    found = refusal(canary(), metric("request-duration", threshold=1), 2.5, builtin=False)
    assert found == "Halt podinfo.test advancement request-duration 2.50 > 1"


@given(
    st.floats(allow_nan=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_exactly_the_values_within_the_range_pass(value, low, high):
    judged = metric("errors", thresholdRange={"min": low, "max": high})
    passed = refusal(_CANARY, judged, value, builtin=False) is None
    assert passed == (low <= value <= high)


@given(st.floats(allow_nan=False))
def test_whole_milliseconds_never_grow_in_size(value):
    cut = whole_milliseconds(value)
    assert abs(cut) <= abs(value)
    assert math.isinf(value) or cut == int(cut)


class _Named:
    class metadata:  # noqa: N801 -- stands for the field
        name, namespace = "podinfo", "test"


_CANARY = _Named()
