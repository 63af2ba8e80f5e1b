"""HorizontalPodAutoscalers and PodDisruptionBudgets."""

import datetime as dt

import pytest

from fluvial.cluster.standins.autoscaling import conditions_for, desired_for
from fluvial.cluster.standins.disruption import status_for

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
TARGET = {"kind": "Deployment", "name": "web"}
HPAS = "autoscaling/v2/horizontalpodautoscalers"
BUDGETS = "policy/v1/poddisruptionbudgets"


def limits(low, high):
    return {"scaleTargetRef": TARGET, "minReplicas": low, "maxReplicas": high}


@pytest.mark.parametrize(("current", "expected"), [(0, 0), (1, 2), (2, 2), (3, 3), (5, 5), (9, 5)])
def test_size_within_limits(current, expected):
    assert desired_for(limits(2, 5), current) == expected


@pytest.mark.parametrize(
    ("current", "expected", "reason"),
    [
        (None, {"AbleToScale": "FailedGetScale"}, "no target"),
        (0, {"AbleToScale": "SucceededGetScale", "ScalingActive": "ScalingDisabled"}, "at zero"),
        (
            1,
            {
                "AbleToScale": "SucceededGetScale",
                "ScalingLimited": "TooFewReplicas",
                "ScalingActive": "FailedGetResourceMetric",
            },
            "below the minimum",
        ),
        (
            9,
            {
                "AbleToScale": "SucceededGetScale",
                "ScalingLimited": "TooManyReplicas",
                "ScalingActive": "FailedGetResourceMetric",
            },
            "above the maximum",
        ),
    ],
)
def test_autoscaler_conditions(current, expected, reason):
    found = conditions_for([], limits(2, 5), current, now=NOW)
    assert {each["type"]: each["reason"] for each in found} == expected, reason


def deployment(replicas):
    return {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "example.com/web"}]},
        },
    }


async def test_the_target_is_brought_into_its_limits(cluster):
    await cluster.create("Deployment", "web", deployment(1))
    await cluster.create("HorizontalPodAutoscaler", "web", limits(2, 4), api="autoscaling/v2")
    await cluster.until(lambda: len(cluster.api.every("v1/pods")) == 2)
    await cluster.settled()
    status = cluster.peek(HPAS, "web")["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (2, 2)
    await cluster.patch("apps/v1/deployments", "web", {"spec": {"replicas": 9}})
    await cluster.until(lambda: cluster.peek("apps/v1/deployments", "web")["spec"]["replicas"] == 4)


@pytest.mark.parametrize(
    ("spec", "pods", "expected", "reason"),
    [
        ({"minAvailable": 1}, (3, 3, 3), (2, 1, 3), "two may go"),
        ({"minAvailable": "50%"}, (4, 4, 4), (2, 2, 4), "half"),
        ({"minAvailable": "50%"}, (3, 3, 3), (1, 2, 3), "rounded up"),
        ({"maxUnavailable": 1}, (3, 3, 3), (1, 2, 3), "one may be missing"),
        ({"maxUnavailable": 1}, (3, 3, 2), (0, 2, 3), "one is missing"),
        ({"maxUnavailable": "10%"}, (3, 3, 3), (1, 2, 3), "rounded up: at least one"),
        ({"minAvailable": 1}, (0, 0, 0), (0, 1, 0), "nobody there"),
    ],
)
def test_budget_status(spec, pods, expected, reason):
    budget = {"metadata": {"generation": 2}, "spec": spec}
    status = status_for(budget, *pods, now=NOW)
    members = ("disruptionsAllowed", "desiredHealthy", "expectedPods")
    assert tuple(status[each] for each in members) == expected, reason
    (condition,) = status["conditions"]
    enough = expected[0] > 0
    assert condition["status"] == ("True" if enough else "False")
    assert condition["reason"] == ("SufficientPods" if enough else "InsufficientPods")
    assert status["observedGeneration"] == condition["observedGeneration"] == 2


async def test_a_budget_follows_its_pods(cluster):
    await cluster.create("Deployment", "web", deployment(3))
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    await cluster.create("PodDisruptionBudget", "web", spec, api="policy/v1")
    await cluster.until(
        lambda: (cluster.peek(BUDGETS, "web").get("status") or {}).get("currentHealthy") == 3
    )
    assert cluster.peek(BUDGETS, "web")["status"]["disruptionsAllowed"] == 1
    await cluster.patch("apps/v1/deployments", "web", {"spec": {"replicas": 1}})
    await cluster.until(lambda: cluster.peek(BUDGETS, "web")["status"]["expectedPods"] == 1)
