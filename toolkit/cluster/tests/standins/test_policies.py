"""PodDisruptionBudgets, and the status of validating policies."""

import datetime as dt

import pytest

from fluvial.cluster.standins.disruption import status_for

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
BUDGETS = "policy/v1/poddisruptionbudgets"


def deployment(replicas):
    return {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "example.com/web"}]},
        },
    }


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


async def test_a_policy_is_checked_once_in_each_generation(cluster):
    policies = "admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    spec = {"matchConstraints": {"resourceRules": []}, "validations": [{"expression": "true"}]}
    await cluster.api.create(
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
         "metadata": {"name": "p"}, "spec": spec}
    )  # fmt: skip
    await cluster.settled()
    made = cluster.peek(policies, "p", None)
    assert made["status"] == {
        "observedGeneration": made["metadata"]["generation"], "typeChecking": {},
    }  # fmt: skip
