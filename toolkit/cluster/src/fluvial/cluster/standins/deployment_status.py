"""What a Deployment reports: counts and the conditions that `kubectl rollout status` reads.

Pure. The rules and texts are those of upstream's `pkg/controller/deployment/progress.go`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from fluvial.cluster.objects import Object, name_of, rfc3339
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.metadata import generation_of
from fluvial.cluster.standins.rollout import bounds_of
from fluvial.cluster.standins.timer import parse_time

__all__ = ["NO_DEADLINE", "counts", "note", "overdue_in", "progress", "report_pause"]

NO_DEADLINE = 2**31 - 1
"""The value of `progressDeadlineSeconds` that switches the deadline off."""

_COMPLETE = "NewReplicaSetAvailable"
_TIMED_OUT = "ProgressDeadlineExceeded"


def note(
    found: list[Object], status: str, reason: str, message: str, *, now: dt.datetime
) -> list[Object]:
    """Set the Progressing condition; the same status and reason again changes nothing."""
    return _set(found, ("Progressing", status, reason, message), now)


def _set(found: list[Object], value: tuple[str, str, str, str], now: dt.datetime) -> list[Object]:
    type_, status, reason, message = value
    old = conditions.find(found, type_)
    if old and (old.get("status"), old.get("reason")) == (status, reason):
        return found
    found = conditions.put(
        found, type_, status, reason, message, now=now, lastUpdateTime=rfc3339(now)
    )
    return conditions.last(found, type_)


def _without(found: list[Object], type_: str) -> list[Object]:
    return [condition for condition in found if condition["type"] != type_]


def has_deadline(spec: Object) -> bool:
    """Tell whether progress is judged at all."""
    return int(spec.get("progressDeadlineSeconds", NO_DEADLINE)) != NO_DEADLINE


def report_pause(deployment: Object, found: list[Object], now: dt.datetime) -> list[Object]:
    """Keep DeploymentPaused and DeploymentResumed, so that a pause does not run into a deadline."""
    spec = deployment["spec"]
    old = conditions.find(found, "Progressing") or {}
    if not has_deadline(spec) or old.get("reason") == _TIMED_OUT:
        return found
    paused = old.get("reason") == "DeploymentPaused"
    if spec.get("paused") and not paused:
        return note(found, "Unknown", "DeploymentPaused", "Deployment is paused", now=now)
    if paused and not spec.get("paused"):
        return note(found, "Unknown", "DeploymentResumed", "Deployment is resumed", now=now)
    return found


def counts(
    deployment: Object,
    new: Object | None,
    every: Sequence[Object],
    found: list[Object],
    now: dt.datetime,
) -> Object:
    """Return the status with fresh counts and the Available condition.

    A member that is zero is None, which removes it: the API leaves zeros out.
    """
    bounds = bounds_of(deployment["spec"])
    total = _total(every, "replicas")
    available = _total(every, "availableReplicas")
    if available >= bounds.desired - bounds.unavailable:
        value = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        value = (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    return {
        "observedGeneration": generation_of(deployment),
        "replicas": total or None,
        "updatedReplicas": _total([new] if new else [], "replicas") or None,
        "readyReplicas": _total(every, "readyReplicas") or None,
        "availableReplicas": available or None,
        "unavailableReplicas": max(0, total - available) or None,
        "conditions": _set(found, ("Available", *value), now),
    }


def _total(sets: Sequence[Object], member: str) -> int:
    return sum(int((each.get("status") or {}).get(member) or 0) for each in sets)


def progress(
    deployment: Object,
    new: Object | None,
    every: Sequence[Object],
    status: Object,
    now: dt.datetime,
) -> Object:
    """Return `status` with the Progressing and ReplicaFailure conditions brought up to date."""
    found: list[Object] = status["conditions"]
    current = conditions.find(found, "Progressing")
    subject = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    if not has_deadline(deployment["spec"]):
        found = _without(found, "Progressing")
    elif not (
        current
        and current.get("reason") == _COMPLETE
        and status["replicas"] == status["updatedReplicas"]
    ):
        if _is_complete(deployment, status):
            message = f"{subject} has successfully progressed."
            found = note(found, "True", _COMPLETE, message, now=now)
        elif _has_moved(deployment, status):
            # Also with an unchanged reason: the deadline counts from the last step forward.
            message = f"{subject} is progressing."
            found = conditions.put(
                found,
                "Progressing",
                "True",
                "ReplicaSetUpdated",
                message,
                now=now,
                lastUpdateTime=rfc3339(now),
            )
            found = conditions.last(found, "Progressing")
        elif _is_overdue(deployment, current, now):
            message = f"{subject} has timed out progressing."
            found = note(found, "False", _TIMED_OUT, message, now=now)
    return {**status, "conditions": _failures(found, new, every, now)}


def _failures(
    found: list[Object], new: Object | None, every: Sequence[Object], now: dt.datetime
) -> list[Object]:
    for each in [*([new] if new else []), *every]:
        of_set = (each.get("status") or {}).get("conditions") or []
        failed = conditions.find(of_set, "ReplicaFailure")
        if failed:
            value = (failed["status"], failed.get("reason", ""), failed.get("message", ""))
            return _set(found, ("ReplicaFailure", *value), now)
    return _without(found, "ReplicaFailure")


def _is_complete(deployment: Object, status: Object) -> bool:
    desired = int(deployment["spec"].get("replicas", 1))
    members = ("updatedReplicas", "replicas", "availableReplicas")
    return all((status[member] or 0) == desired for member in members)


def _has_moved(deployment: Object, status: Object) -> bool:
    def of(source: Object, member: str) -> int:
        return int(source.get(member) or 0)

    old = deployment.get("status") or {}
    older = of(old, "replicas") - of(old, "updatedReplicas")
    return (
        of(status, "updatedReplicas") > of(old, "updatedReplicas")
        or of(status, "replicas") - of(status, "updatedReplicas") < older
        or of(status, "readyReplicas") > of(old, "readyReplicas")
        or of(status, "availableReplicas") > of(old, "availableReplicas")
    )


def _is_overdue(deployment: Object, current: Object | None, now: dt.datetime) -> bool:
    if current is None or current.get("reason") == _COMPLETE:
        return False
    if current.get("reason") == _TIMED_OUT:
        return True
    return _left(deployment, current, now) < 0


def _left(deployment: Object, current: Object, now: dt.datetime) -> float:
    seconds = deployment["spec"]["progressDeadlineSeconds"]
    since = current.get("lastUpdateTime") or current["lastTransitionTime"]
    return float(seconds) - (now - parse_time(since)).total_seconds()


def overdue_in(deployment: Object, status: Object, now: dt.datetime) -> float | None:
    """Return in how many seconds a stuck rollout must be looked at again, None when it need not."""
    current = conditions.find(status["conditions"], "Progressing")
    if current is None or current.get("reason") in {_COMPLETE, _TIMED_OUT}:
        return None
    if deployment["spec"].get("paused") or not has_deadline(deployment["spec"]):
        return None
    return max(0.0, _left(deployment, current, now)) + 1.0
