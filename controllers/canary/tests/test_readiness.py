from datetime import UTC, datetime, timedelta

import pytest

from fluvial.canary.readiness import judge
from fluvial.canary.state import Readiness
from fluvial.toolkit import rfc3339

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNAVAILABLE = {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}


def deployment(wanted=4, *, generation=2, conditions=(), **status):
    return {
        "metadata": {"name": "web", "generation": generation},
        "spec": {"replicas": wanted},
        "status": {
            "observedGeneration": 2,
            "replicas": 4,
            "updatedReplicas": 4,
            "availableReplicas": 4,
            "conditions": list(conditions),
            **status,
        },
    }


def unavailable(seconds):
    return UNAVAILABLE | {"lastUpdateTime": rfc3339(NOW - timedelta(seconds=seconds))}


READY, WAIT, STUCK = Readiness.READY, Readiness.WAIT, Readiness.STUCK


@pytest.mark.parametrize(
    ("obj", "threshold", "readiness", "reason"),
    [
        (deployment(), 100, READY, "all is there"),
        (deployment(generation=3), 100, WAIT, "the change is not observed yet"),
        (deployment(updatedReplicas=3), 100, WAIT, "a replica has the old template"),
        (deployment(5), 100, WAIT, "one is not made yet"),
        (deployment(3), 100, READY, "more than are wanted, all of them new"),
        (deployment() | {"status": {"observedGeneration": 2}}, 100, WAIT, "nothing there"),
        (deployment(availableReplicas=3), 100, WAIT, "one is not available"),
        (deployment(availableReplicas=3), 75, READY, "three of four are three quarters"),
        (deployment(availableReplicas=2), 70, READY, "the bound is rounded down: 2.8 is 2"),
        (deployment(availableReplicas=1), 70, WAIT, "and not below it"),
        (
            deployment(availableReplicas=0, conditions=[unavailable(599)]),
            100,
            WAIT,
            "not over the deadline yet",
        ),
        (
            deployment(availableReplicas=0, conditions=[unavailable(601)]),
            100,
            STUCK,
            "over the deadline",
        ),
        (deployment(conditions=[unavailable(601)]), 100, READY, "what is ready is never late"),
        (
            deployment(conditions=[{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]),
            100,
            STUCK,
            "the Deployment's own deadline",
        ),
        (
            deployment(0, replicas=0, updatedReplicas=0, availableReplicas=0),
            100,
            READY,
            "at zero, as wanted",
        ),
    ],
)
def test_rollouts(obj, threshold, readiness, reason):
    verdict = judge(obj, threshold=threshold, deadline=600, now=NOW)
    assert verdict.readiness is readiness, reason
    assert "web" in verdict.message


def test_old_replicas_are_waited_for():
    obj = deployment(replicas=4)
    obj["status"]["replicas"] = 5
    verdict = judge(obj, threshold=100, deadline=600, now=NOW)
    assert verdict.readiness is WAIT
    assert verdict.message.endswith("1 old replicas are pending termination")
