"""The rules of the built-in kinds."""

from datetime import UTC, datetime, timedelta

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.apply.kstatus._status import (
    State,
    Status,
    condition,
    count,
    failed,
    progress,
)

__all__ = [
    "always",
    "claim",
    "daemon_set",
    "definition",
    "deployment",
    "job",
    "pod",
    "replica_set",
    "service",
    "stateful_set",
]

_SCHEDULING = timedelta(seconds=15)
"""How long a pod may be unschedulable before that counts as a failure."""


def always(obj: Unstructured) -> Status:  # noqa: ARG001  (one signature for all rules)
    """Be current by existing."""
    return Status(State.CURRENT)


def deployment(obj: Unstructured) -> Status:
    """Judge a Deployment: every replica updated, available and ready, and the rollout over."""
    rollout = condition(obj, "Progressing")
    if rollout.get("reason") == "ProgressDeadlineExceeded":
        return failed(rollout.get("message") or "progress deadline exceeded")
    wanted = count(obj, "spec", "replicas", 1)
    present = count(obj, "status", "replicas")
    updated = count(obj, "status", "updatedReplicas")
    available = count(obj, "status", "availableReplicas")
    ready = count(obj, "status", "readyReplicas")
    if present < wanted:
        return progress(f"replicas: {present}/{wanted}")
    if updated < wanted:
        return progress(f"updated: {updated}/{wanted}")
    if present > wanted:
        return progress(f"pending termination: {present - wanted}")
    if available < updated:
        return progress(f"available: {available}/{updated}")
    if ready < wanted:
        return progress(f"ready: {ready}/{wanted}")
    finished = rollout.get("status") == "True" and rollout.get("reason") == "NewReplicaSetAvailable"
    if not finished and "progressDeadlineSeconds" in (obj.get("spec") or {}):
        return progress("the new ReplicaSet is not available")
    if condition(obj, "Available").get("status") != "True":
        return progress("not available")
    return Status(State.CURRENT, f"replicas: {present}")


def stateful_set(obj: Unstructured) -> Status:
    """Judge a StatefulSet; with OnDelete nobody rolls anything out, so there is no waiting."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return Status(State.CURRENT, "update strategy is OnDelete")
    wanted = count(obj, "spec", "replicas", 1)
    present = count(obj, "status", "replicas")
    ready = count(obj, "status", "readyReplicas")
    if present < wanted:
        return progress(f"replicas: {present}/{wanted}")
    if ready < wanted:
        return progress(f"ready: {ready}/{wanted}")
    if present > wanted:
        return progress(f"pending termination: {present - wanted}")
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    if isinstance(partition, int) and partition > 0:
        updated = count(obj, "status", "updatedReplicas")
        if updated < wanted - partition:
            return progress(f"updated: {updated}/{wanted - partition}")
        return Status(State.CURRENT, f"partition rolled out: {updated}")
    current = count(obj, "status", "currentReplicas")
    if current < wanted:
        return progress(f"current: {current}/{wanted}")
    if status.get("currentRevision") != status.get("updateRevision"):
        return progress("waiting for the update revision")
    return Status(State.CURRENT, f"replicas: {present}")


def daemon_set(obj: Unstructured) -> Status:
    """Judge a DaemonSet: one updated, available and ready pod on every node meant."""
    status = obj.get("status") or {}
    if "generation" not in (obj.get("metadata") or {}) or "observedGeneration" not in status:
        return progress("no observed generation yet")
    if "desiredNumberScheduled" not in status:
        return progress("no desired number of pods yet")
    wanted = count(obj, "status", "desiredNumberScheduled")
    for name, field in (
        ("current", "currentNumberScheduled"),
        ("updated", "updatedNumberScheduled"),
        ("available", "numberAvailable"),
        ("ready", "numberReady"),
    ):
        reached = count(obj, "status", field)
        if reached < wanted:
            return progress(f"{name}: {reached}/{wanted}")
    return Status(State.CURRENT, f"pods: {wanted}")


def replica_set(obj: Unstructured) -> Status:
    """Judge a ReplicaSet."""
    trouble = condition(obj, "ReplicaFailure")
    if trouble.get("status") == "True":
        return progress(trouble.get("message") or "replica failure")
    wanted = count(obj, "spec", "replicas", 1)
    for name, field in (
        ("labelled", "fullyLabeledReplicas"),
        ("available", "availableReplicas"),
        ("ready", "readyReplicas"),
    ):
        reached = count(obj, "status", field)
        if reached < wanted:
            return progress(f"{name}: {reached}/{wanted}")
    present = count(obj, "status", "replicas")
    if present > wanted:
        return progress(f"pending termination: {present - wanted}")
    return Status(State.CURRENT, f"replicas: {wanted}")


def pod(obj: Unstructured, now: datetime) -> Status:
    """Judge a Pod; one that has ended, well or not, is as it will be."""
    status = obj.get("status") or {}
    phase = status.get("phase") or ""
    if phase in {"Succeeded", "Failed"}:
        return Status(State.CURRENT, f"pod has {phase.lower()}")
    if phase == "Running":
        if condition(obj, "Ready").get("status") == "True":
            return Status(State.CURRENT, "pod is ready")
        crashing = [
            container.get("name") or ""
            for container in status.get("containerStatuses") or ()
            if ((container.get("state") or {}).get("waiting") or {}).get("reason")
            == "CrashLoopBackOff"
        ]
        if crashing:
            return failed(f"containers in CrashLoopBackOff: {', '.join(crashing)}")
        return progress("pod is running but not ready")
    scheduled = condition(obj, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        since = _time(scheduled.get("lastTransitionTime"))
        if since is not None and now - since > _SCHEDULING:
            return failed("pod could not be scheduled")
        return progress("pod has not been scheduled")
    return progress(f"pod is {phase.lower() or 'new'}")


def job(obj: Unstructured) -> Status:
    """Judge a Job: it has to end, unless it is suspended (upstream's controllers want it so)."""
    if (obj.get("spec") or {}).get("suspend") is True:
        return Status(State.CURRENT, "job is suspended")
    trouble = condition(obj, "Failed")
    if trouble.get("status") == "True":
        return failed(trouble.get("message") or "job failed")
    if condition(obj, "Complete").get("status") == "True":
        return Status(State.CURRENT, "job has completed")
    return progress("job in progress")


def claim(obj: Unstructured) -> Status:
    """Judge a PersistentVolumeClaim: bound or not."""
    phase = (obj.get("status") or {}).get("phase") or "unknown"
    if phase == "Bound":
        return Status(State.CURRENT, "claim is bound")
    return progress(f"claim is {phase.lower()}")


def service(obj: Unstructured) -> Status:
    """Judge a Service: a load balancer needs its cluster address, the others nothing."""
    spec = obj.get("spec") or {}
    if spec.get("type") == "LoadBalancer" and not spec.get("clusterIP"):
        return progress("no cluster address yet")
    return Status(State.CURRENT)


def definition(obj: Unstructured) -> Status:
    """Judge a CustomResourceDefinition: established, and under the names that it asked for."""
    names = condition(obj, "NamesAccepted")
    if names.get("status") == "False":
        return failed(names.get("message") or "names are not accepted")
    established = condition(obj, "Established")
    if established.get("status") == "True":
        return Status(State.CURRENT, "definition is established")
    if established.get("status") == "False" and established.get("reason") != "Installing":
        return failed(established.get("message") or "definition is not established")
    return progress("definition is being installed")


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
