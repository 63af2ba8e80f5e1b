"""Whether a Deployment's rollout is done, under way or stuck. Pure."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fluvial.apis.ids import Unstructured
from fluvial.canary.state import Readiness

__all__ = ["Verdict", "judge"]


class Verdict(NamedTuple):
    """How a rollout stands, and why as a sentence."""

    readiness: Readiness
    message: str


def judge(deployment: Unstructured, *, threshold: int, deadline: float, now: datetime) -> Verdict:
    """Judge a rollout.

    `threshold` is the share of updated pods in percent that must be available; `deadline` the
    seconds for which too few pods may be available before the wait is given up
    (`spec.progressDeadlineSeconds` of the Canary). The Deployment's own deadline counts as well.
    """
    name = deployment["metadata"]["name"]
    status = deployment.get("status") or {}
    spec = deployment["spec"]
    if deployment["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return Verdict(Readiness.WAIT, f"{name}: the new generation is not observed yet")
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    if conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        return Verdict(Readiness.STUCK, f"{name} exceeded its progress deadline")
    missing = _missing(spec, status, threshold)
    if missing is None:
        return Verdict(Readiness.READY, f"{name} is ready")
    late = _is_late(conditions.get("Available"), deadline, now)
    readiness = Readiness.STUCK if late else Readiness.WAIT
    return Verdict(readiness, f"{name} not ready: waiting for rollout to finish: {missing}")


def _missing(spec: dict[str, Any], status: dict[str, Any], threshold: int) -> str | None:
    wanted = spec.get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    if updated < wanted:
        return f"{updated} out of {wanted} new replicas have been updated"
    total = status.get("replicas", 0)
    if total > updated:
        return f"{total - updated} old replicas are pending termination"
    available = status.get("availableReplicas", 0)
    if available < updated * threshold // 100:
        return f"{available} of {updated} updated replicas are available"
    return None


def _is_late(available: dict[str, Any] | None, deadline: float, now: datetime) -> bool:
    if available is None or available["status"] != "False":
        return False
    if available.get("reason") != "MinimumReplicasUnavailable":
        return False
    written = available.get("lastUpdateTime") or available.get("lastTransitionTime")
    if not written:
        return False
    return datetime.fromisoformat(written) + timedelta(seconds=deadline) < now
