import pytest

from fluvial.canary.strategy import Plan, Strategy, interval_of, plan_of

MATCH = [{"headers": {"x-user": {"exact": "ada"}}}]


@pytest.mark.parametrize(
    ("plan", "weights", "reason"),
    [
        (Plan(step=20), [0, 20, 40, 60, 80, 100], "linear"),
        (Plan(step=30), [0, 30, 60, 90, 100], "capped at 100"),
        (Plan(steps=(1, 5, 50)), [0, 1, 5, 50], "a list"),
        (Plan(steps=(50, 150)), [0, 50, 100], "an entry above 100 is clamped"),
        (Plan(steps=(1, 5)), [3, 100], "a weight that is not in the list, as upstream"),
        (Plan(step=10, steps=(1, 5)), [0, 10], "a linear step wins"),
        (Plan(), [0, 0], "no step"),
    ],
)
def test_weights_of_the_steps(plan, weights, reason):
    reached = weights[:1]
    for _ in weights[1:]:
        reached.append(plan.next_weight(reached[-1]))
    assert reached == weights, reason


@pytest.mark.parametrize(
    ("provider", "analysis", "strategy", "iterations", "reason"),
    [
        ("gatewayapi:v1", {"iterations": None, "stepWeight": 10}, "canary", 0, "weights"),
        ("gatewayapi:v1", {"iterations": 3}, "blue-green", 3, "iterations alone"),
        ("gatewayapi:v1", {"iterations": 3, "match": MATCH}, "ab-testing", 3, "with a match"),
        ("kubernetes", {"iterations": 3, "match": MATCH}, "blue-green", 3, "nobody can match"),
        ("kubernetes", {"iterations": None, "stepWeight": 5}, "blue-green", 10, "ten by default"),
    ],
)
def test_strategies(canary, provider, analysis, *, strategy, iterations, reason):
    plan = plan_of(canary(analysis=analysis), provider)
    assert (plan.strategy, plan.iterations) == (Strategy(strategy), iterations), reason
    assert plan.routed is (provider != "kubernetes")


@pytest.mark.parametrize(
    ("analysis", "greatest", "reason"),
    [
        ({"stepWeight": 10}, 100, "the default"),
        ({"stepWeight": 10, "maxWeight": 50}, 50, "as given"),
        ({"stepWeights": [1, 60], "maxWeight": 50}, 60, "a list ends where it ends"),
        ({"stepWeights": [1, 160]}, 100, "but not above 100"),
    ],
)
def test_the_greatest_weight(canary, analysis, greatest, reason):
    plan = plan_of(canary(analysis={"iterations": None, **analysis}), "gatewayapi:v1")
    assert plan.max_weight == greatest, reason


@pytest.mark.parametrize(
    ("provider", "analysis", "mirror", "reason"),
    [
        ("gatewayapi:v1", {"mirror": True}, True, "blue/green by the Gateway API"),
        ("gatewayapi:v1", {"mirror": True, "iterations": None, "stepWeight": 1}, False, "weights"),
        ("kubernetes", {"mirror": True}, False, "nobody makes copies"),
    ],
)
def test_copies_only_where_somebody_can_make_them(canary, provider, analysis, mirror, reason):
    assert plan_of(canary(analysis=analysis), provider).mirror is mirror, reason


@pytest.mark.parametrize(("given", "threshold"), [(0, 1), (-3, 1), (5, 5)])
def test_at_least_one_check_may_fail(canary, given, threshold):
    assert plan_of(canary(analysis={"threshold": given}), "kubernetes").threshold == threshold


@pytest.mark.parametrize(
    ("text", "floor", "seconds", "reason"),
    [
        ("2m", 10, 120, "as given"),
        ("1m30s", 10, 90, "any Go duration"),
        ("5s", 10, 10, "never below the floor"),
        ("5s", 1, 5, "the floor is a flag"),
        ("", 10, 60, "absent"),
        ("10sx", 10, 60, "the schema lets it pass, and it says nothing"),
    ],
)
def test_the_interval(canary, text, floor, seconds, reason):
    assert interval_of(canary(analysis={"interval": text}), floor) == seconds, reason
