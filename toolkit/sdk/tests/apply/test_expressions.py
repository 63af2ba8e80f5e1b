"""CEL: what compiles, what it says, and which expression is asked."""

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.apis.meta import CustomHealthCheck
from fluvial.toolkit.apply import (
    EvaluationError,
    Expression,
    ExpressionInvalid,
    HealthExpressions,
    State,
)


def thing(status=None, **more):
    return {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "t", "generation": 2},
        "status": status or {},
        **more,
    }


CHECK = CustomHealthCheck(
    api_version="example.com/v1",
    kind="Thing",
    current="status.phase == 'Up'",
    in_progress="status.phase == 'Starting'",
    failed="status.phase == 'Down'",
)


@pytest.mark.parametrize(
    ("status", "expected", "reason"),
    [
        ({"phase": "Up"}, State.CURRENT, "current"),
        ({"phase": "Starting"}, State.IN_PROGRESS, "in progress"),
        ({"phase": "Down"}, State.FAILED, "failed"),
        ({"phase": "Odd"}, State.IN_PROGRESS, "none is true"),
        ({}, State.UNKNOWN, "an error, for the field is not there yet"),
        ({"phase": "Up", "observedGeneration": 1}, State.IN_PROGRESS, "an old status"),
        ({"phase": "Up", "observedGeneration": 2}, State.CURRENT, "a present status"),
    ],
)
def test_verdicts(status, expected, reason):
    assert HealthExpressions([CHECK]).compute(thing(status)).state is expected, reason


def test_the_order_is_in_progress_failed_current():
    check = CustomHealthCheck(
        api_version="example.com/v1", current="true", failed="true", in_progress="true"
    )
    assert HealthExpressions([check]).compute(thing()).state is State.IN_PROGRESS
    check = CustomHealthCheck(api_version="example.com/v1", current="true", failed="true")
    assert HealthExpressions([check]).compute(thing()).state is State.FAILED


def test_a_kind_outranks_its_group_and_versions_do_not_count():
    rules = HealthExpressions(
        [
            CustomHealthCheck(api_version="example.com/v9", current="false"),
            CustomHealthCheck(api_version="example.com/v9", kind="Thing", current="true"),
        ]
    )
    assert rules.compute(thing()).state is State.CURRENT
    assert rules.compute(thing(kind="Other")).state is State.IN_PROGRESS
    assert rules.compute(thing(apiVersion="v1")) is None
    assert rules.covers(ObjectId("example.com", "Any", "", "x"))
    assert not rules.covers(ObjectId("", "Any", "", "x"))


@pytest.mark.parametrize(
    ("checks", "message", "reason"),
    [
        ([CHECK, CHECK], "two entries for group 'example.com' and kind 'Thing'", "given twice"),
        (
            [CustomHealthCheck(api_version="a/v1", current="1 +")],
            "expression '1 \\+' is not valid",
            "a syntax error",
        ),
    ],
)
def test_invalid(checks, message, reason):
    with pytest.raises(ExpressionInvalid, match=message):
        HealthExpressions(checks)


@pytest.mark.parametrize(
    ("text", "data", "expected", "reason"),
    [
        ("dep.status.n >= 1", {"dep": {"status": {"n": 1}}}, True, "plain"),
        ("dep.n > 1.5", {"dep": {"n": 2}}, True, "numbers compare across types"),
        ("size(dep.s) == 5", {"dep": {"s": "héllo"}}, True, "characters, not bytes"),
        ("dep.s.split('-')[0] == 'a'", {"dep": {"s": "a-b"}}, True, "the strings library"),
        ("dep.?x.orValue(1) == 1", {"dep": {}}, True, "optional values"),
        ("base64.decode(dep.s) == b'x'", {"dep": {"s": "eA=="}}, True, "the encoders library"),
        ("dep.l.exists(c, c.t == 'Ready')", {"dep": {"l": [{"t": "Ready"}]}}, True, "macros"),
    ],
)
def test_the_language(text, data, expected, reason):
    assert Expression.check(text, ["dep"]).evaluate(data) is expected, reason
    assert Expression.parse(text).evaluate(data) is expected, reason


@pytest.mark.parametrize(
    ("text", "message", "reason"),
    [
        (
            "nope.x == 1",
            "1:5: undeclared reference to 'nope.x'",
            "only the declared variables exist",
        ),
        ("'yes'", "is not a boolean but string", "the type is known"),
        ("1 + 1", "is not a boolean but int", "the type is known"),
        ("dep.x", "is not a boolean but dyn", "what may be one is not enough, as upstream has it"),
    ],
)
def test_checked_expressions_are_boolean(text, message, reason):
    with pytest.raises(ExpressionInvalid, match=message):
        Expression.check(text, ["self", "dep"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dep.missing == 1", "a key that is not there"),
        ("dep.text", "a result that is no boolean"),
        ("other == 1", "a variable that is not there"),
    ],
)
def test_evaluation_errors(text, reason):
    with pytest.raises(EvaluationError):
        Expression.parse(text).evaluate({"dep": {"text": "x"}})
