# ruff: noqa: PLR0917 -- fixtures and the columns of a table are all positional
"""The table of verdicts, kind by kind; each case is one rule."""

from datetime import UTC, datetime

import pytest

from fluvial.toolkit.apply.kstatus import State, compute

CURRENT, PROGRESS, FAILED = State.CURRENT, State.IN_PROGRESS, State.FAILED
NOW = datetime(2026, 1, 1, 0, 1, 0, tzinfo=UTC)


def cond(type, status="True", reason="", **more):
    return {"type": type, "status": status, "reason": reason, **more}


def judge(api_version, kind, spec=None, status=None, **metadata):
    obj = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", "generation": 1, **metadata},
        "spec": spec or {},
        "status": status or {},
    }
    return compute(obj, now=NOW).state


@pytest.mark.parametrize(
    ("status", "metadata", "expected", "reason"),
    [
        ({}, {}, CURRENT, "no Ready condition: it exists, that is all there is to know"),
        ({"conditions": [cond("Ready")]}, {}, CURRENT, "ready"),
        ({"conditions": [cond("Ready", "False")]}, {}, PROGRESS, "not ready is not failed"),
        ({"conditions": [cond("Ready", "Unknown")]}, {}, PROGRESS, "nor is unknown"),
        ({"observedGeneration": 1, "conditions": [cond("Ready")]}, {}, CURRENT, "seen"),
        ({"observedGeneration": 0, "conditions": [cond("Ready")]}, {}, PROGRESS, "not seen"),
        ({"observedGeneration": -1}, {}, PROGRESS, "the default of a new object"),
        ({"conditions": [cond("Reconciling"), cond("Ready")]}, {}, PROGRESS, "reconciling"),
        ({"conditions": [cond("Reconciling", "False"), cond("Ready")]}, {}, CURRENT, "no more"),
        ({"conditions": [cond("Stalled"), cond("Ready")]}, {}, FAILED, "stalled"),
        (
            {"conditions": [cond("Reconciling"), cond("Stalled")]},
            {},
            PROGRESS,
            "the first in the list counts",
        ),
        (
            {"conditions": [cond("Stalled"), cond("Reconciling")]},
            {},
            FAILED,
            "the first in the list counts",
        ),
        (
            {"observedGeneration": 0, "conditions": [cond("Stalled")]},
            {},
            PROGRESS,
            "an old status says nothing, not even stalled",
        ),
        (
            {"conditions": [cond("Ready")]},
            {"deletionTimestamp": "2026-01-01T00:00:00Z"},
            State.TERMINATING,
            "deletion comes first",
        ),
        ({"conditions": "broken"}, {}, CURRENT, "a status of another form is no status"),
    ],
)
def test_any_kind(status, metadata, expected, reason):
    assert judge("example.com/v1", "Thing", None, status, **metadata) is expected, reason


def test_nothing_is_not_found():
    assert compute(None).state is State.NOT_FOUND


def rollout(replicas=3, updated=3, available=3, ready=3, conditions=None):
    return {
        "replicas": replicas,
        "updatedReplicas": updated,
        "availableReplicas": available,
        "readyReplicas": ready,
        "conditions": [cond("Available"), cond("Progressing", reason="NewReplicaSetAvailable")]
        if conditions is None
        else conditions,
    }


DEADLINE = {"replicas": 3, "progressDeadlineSeconds": 600}


@pytest.mark.parametrize(
    ("spec", "status", "expected", "reason"),
    [
        (DEADLINE, rollout(), CURRENT, "rolled out"),
        (DEADLINE, {}, PROGRESS, "nothing reported yet"),
        (DEADLINE, rollout(replicas=2), PROGRESS, "replicas are missing"),
        (DEADLINE, rollout(updated=2), PROGRESS, "some are of the old version"),
        (DEADLINE, rollout(replicas=4), PROGRESS, "old ones still terminate"),
        (DEADLINE, rollout(available=2), PROGRESS, "some are not available"),
        (DEADLINE, rollout(ready=2), PROGRESS, "some are not ready"),
        (DEADLINE, rollout(conditions=[cond("Available")]), PROGRESS, "the rollout is not over"),
        (
            DEADLINE,
            rollout(conditions=[cond("Available"), cond("Progressing", reason="Else")]),
            PROGRESS,
            "the rollout goes on",
        ),
        ({"replicas": 3}, rollout(conditions=[cond("Available")]), CURRENT, "without a deadline"),
        (
            DEADLINE,
            rollout(conditions=[cond("Progressing", reason="NewReplicaSetAvailable")]),
            PROGRESS,
            "not Available",
        ),
        (
            DEADLINE,
            rollout(conditions=[cond("Progressing", "False", "ProgressDeadlineExceeded")]),
            FAILED,
            "the deadline is over",
        ),
        ({"replicas": 0}, {"conditions": [cond("Available")]}, CURRENT, "scaled to zero"),
        ({}, rollout(1, 1, 1, 1), CURRENT, "one replica by default"),
    ],
)
@pytest.mark.parametrize("version", ["apps/v1", "extensions/v1beta1"])
def test_deployment(version, spec, status, expected, reason):
    assert judge(version, "Deployment", spec, status) is expected, reason


def stateful(replicas=3, ready=3, current=3, updated=3, revisions=("a", "a")):
    return {
        "replicas": replicas,
        "readyReplicas": ready,
        "currentReplicas": current,
        "updatedReplicas": updated,
        "currentRevision": revisions[0],
        "updateRevision": revisions[1],
    }


PARTITION = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}


@pytest.mark.parametrize(
    ("spec", "status", "expected", "reason"),
    [
        ({"replicas": 3}, stateful(), CURRENT, "rolled out"),
        ({"replicas": 3}, {}, PROGRESS, "nothing reported yet"),
        ({"replicas": 3}, stateful(replicas=2), PROGRESS, "replicas are missing"),
        ({"replicas": 3}, stateful(ready=2), PROGRESS, "some are not ready"),
        ({"replicas": 3}, stateful(replicas=4), PROGRESS, "one too many"),
        ({"replicas": 3}, stateful(current=2), PROGRESS, "some are not current"),
        ({"replicas": 3}, stateful(revisions=("a", "b")), PROGRESS, "an update goes on"),
        (PARTITION, stateful(updated=1, revisions=("a", "b")), CURRENT, "its part is updated"),
        (PARTITION, stateful(updated=0, revisions=("a", "b")), PROGRESS, "its part is not"),
        ({"replicas": 3, "updateStrategy": {"type": "OnDelete"}}, {}, CURRENT, "nobody updates"),
    ],
)
def test_stateful_set(spec, status, expected, reason):
    assert judge("apps/v1", "StatefulSet", spec, status) is expected, reason


def daemon(desired=2, current=2, updated=2, available=2, ready=2):
    return {
        "observedGeneration": 1,
        "desiredNumberScheduled": desired,
        "currentNumberScheduled": current,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberReady": ready,
    }


@pytest.mark.parametrize(
    ("status", "expected", "reason"),
    [
        (daemon(), CURRENT, "on every node"),
        (
            daemon(desired=0, current=0, updated=0, available=0, ready=0),
            CURRENT,
            "no node wants it",
        ),
        ({"desiredNumberScheduled": 0}, PROGRESS, "the controller has not seen it"),
        ({"observedGeneration": 1}, PROGRESS, "it does not say how many"),
        (daemon(current=1), PROGRESS, "a pod is missing"),
        (daemon(updated=1), PROGRESS, "a pod is old"),
        (daemon(available=1), PROGRESS, "a pod is not available"),
        (daemon(ready=1), PROGRESS, "a pod is not ready"),
    ],
)
def test_daemon_set(status, expected, reason):
    assert judge("apps/v1", "DaemonSet", {}, status) is expected, reason


@pytest.mark.parametrize(
    ("changes", "expected", "reason"),
    [
        ({}, CURRENT, "all there"),
        ({"fullyLabeledReplicas": 1}, PROGRESS, "labels"),
        ({"availableReplicas": 1}, PROGRESS, "availability"),
        ({"readyReplicas": 1}, PROGRESS, "readiness"),
        ({"replicas": 3}, PROGRESS, "one too many"),
        ({"conditions": [cond("ReplicaFailure")]}, PROGRESS, "pods cannot be made"),
    ],
)
def test_replica_set(changes, expected, reason):
    fields = ("replicas", "fullyLabeledReplicas", "availableReplicas", "readyReplicas")
    status = dict.fromkeys(fields, 2) | changes
    assert judge("apps/v1", "ReplicaSet", {"replicas": 2}, status) is expected, reason


UNSCHEDULABLE = cond("PodScheduled", "False", "Unschedulable")
CRASHING = [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]


@pytest.mark.parametrize(
    ("status", "expected", "reason"),
    [
        ({"phase": "Running", "conditions": [cond("Ready")]}, CURRENT, "ready"),
        ({"phase": "Succeeded"}, CURRENT, "ended well"),
        ({"phase": "Failed"}, CURRENT, "ended badly, but ended"),
        ({"phase": "Running", "conditions": [cond("Ready", "False")]}, PROGRESS, "not ready"),
        ({"phase": "Running", "containerStatuses": CRASHING}, FAILED, "crashes"),
        ({"phase": "Pending"}, PROGRESS, "starting"),
        ({}, PROGRESS, "new"),
        (
            {
                "phase": "Pending",
                "conditions": [UNSCHEDULABLE | {"lastTransitionTime": "2026-01-01T00:00:50Z"}],
            },
            PROGRESS,
            "no room for 10 s",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [UNSCHEDULABLE | {"lastTransitionTime": "2026-01-01T00:00:40Z"}],
            },
            FAILED,
            "no room for 20 s",
        ),
        ({"phase": "Pending", "conditions": [UNSCHEDULABLE]}, PROGRESS, "no room, since when?"),
    ],
)
def test_pod(status, expected, reason):
    assert judge("v1", "Pod", {}, status) is expected, reason


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "status", "expected", "reason"),
    [
        ("batch/v1", "Job", {}, {"active": 1}, PROGRESS, "a job has to end"),
        ("batch/v1", "Job", {}, {"conditions": [cond("Complete")]}, CURRENT, "done"),
        ("batch/v1", "Job", {}, {"conditions": [cond("Failed")]}, FAILED, "failed"),
        ("batch/v1", "Job", {"suspend": True}, {}, CURRENT, "suspended: it will not start"),
        ("batch/v1", "CronJob", {}, {}, CURRENT, "always"),
        ("policy/v1", "PodDisruptionBudget", {}, {}, CURRENT, "always"),
        ("v1", "ConfigMap", {}, {}, CURRENT, "always"),
        ("v1", "Secret", {}, {}, CURRENT, "always"),
        ("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}, CURRENT, "bound"),
        ("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}, PROGRESS, "not bound"),
        ("v1", "PersistentVolumeClaim", {}, {}, PROGRESS, "no phase yet"),
        ("v1", "Service", {"type": "ClusterIP"}, {}, CURRENT, "always"),
        ("v1", "Service", {"type": "LoadBalancer"}, {}, PROGRESS, "no cluster address"),
        ("v1", "Service", {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}, {}, CURRENT, "has it"),
        ("v1", "Namespace", {}, {"phase": "Active"}, CURRENT, "no rule: it exists"),
    ],
)
def test_other_kinds(api_version, kind, spec, status, expected, reason):
    assert judge(api_version, kind, spec, status) is expected, reason


@pytest.mark.parametrize(
    ("conditions", "expected", "reason"),
    [
        ([cond("Established")], CURRENT, "established"),
        ([], PROGRESS, "nothing yet"),
        ([cond("NamesAccepted", "False")], FAILED, "the names are taken"),
        ([cond("Established", "False", "Installing")], PROGRESS, "being installed"),
        ([cond("Established", "False", "NotAccepted")], FAILED, "will not be"),
    ],
)
def test_definition(conditions, expected, reason):
    status = {"conditions": conditions}
    kind = "CustomResourceDefinition"
    assert judge("apiextensions.k8s.io/v1", kind, {}, status) is expected, reason
