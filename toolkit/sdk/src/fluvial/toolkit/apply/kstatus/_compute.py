"""The order in which the rules are asked."""

from collections.abc import Callable
from datetime import UTC, datetime

from fluvial.apis.ids import Unstructured, split_api_version
from fluvial.toolkit.apply.kstatus import _kinds as kinds
from fluvial.toolkit.apply.kstatus._status import (
    State,
    Status,
    condition,
    conditions,
    failed,
    progress,
)

__all__ = ["compute"]

_RULES: dict[tuple[str, str], Callable[[Unstructured], Status]] = {
    ("apps", "Deployment"): kinds.deployment,
    ("apps", "StatefulSet"): kinds.stateful_set,
    ("apps", "DaemonSet"): kinds.daemon_set,
    ("apps", "ReplicaSet"): kinds.replica_set,
    ("extensions", "Deployment"): kinds.deployment,
    ("extensions", "DaemonSet"): kinds.daemon_set,
    ("extensions", "ReplicaSet"): kinds.replica_set,
    ("batch", "Job"): kinds.job,
    ("batch", "CronJob"): kinds.always,
    ("policy", "PodDisruptionBudget"): kinds.always,
    ("", "PersistentVolumeClaim"): kinds.claim,
    ("", "Service"): kinds.service,
    ("", "ConfigMap"): kinds.always,
    ("", "Secret"): kinds.always,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): kinds.definition,
}


def compute(obj: Unstructured | None, *, now: datetime | None = None) -> Status:
    """Judge a live object; None is one that is not there.

    Pure but for the clock: a pod counts as unschedulable after 15 s, measured to `now` (default:
    the present).
    """
    if obj is None:
        return Status(State.NOT_FOUND, "not found")
    metadata = obj.get("metadata") or {}
    if metadata.get("deletionTimestamp"):
        return Status(State.TERMINATING, "being deleted")
    generation = metadata.get("generation")
    status = obj.get("status")
    observed = status.get("observedGeneration") if isinstance(status, dict) else None
    if isinstance(observed, int) and isinstance(generation, int) and observed != generation:
        return progress(f"generation is {generation}, but the last observed is {observed}")
    for entry in conditions(obj):
        if entry.get("status") == "True":
            if entry.get("type") == "Reconciling":
                return progress(entry.get("message") or "reconciling")
            if entry.get("type") == "Stalled":
                return failed(entry.get("message") or "stalled")
    group, _ = split_api_version(obj.get("apiVersion") or "")
    kind = obj.get("kind") or ""
    if (group, kind) == ("", "Pod"):
        return kinds.pod(obj, now or datetime.now(UTC))
    rule = _RULES.get((group, kind))
    if rule is not None:
        return rule(obj)
    ready = condition(obj, "Ready")
    if not ready or ready.get("status") == "True":
        return Status(State.CURRENT, ready.get("message") or "")
    return progress(ready.get("message") or f"Ready is {ready.get('status')}")
