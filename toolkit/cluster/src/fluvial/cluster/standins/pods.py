"""Pods as controllers see them: made from a template, counted, and ranked for deletion."""

from __future__ import annotations

import copy
import datetime as dt

from fluvial.cluster.objects import Object, metadata, name_of, namespace_of
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.metadata import (
    annotations_of,
    created_at,
    is_deleting,
    owner_reference,
)
from fluvial.cluster.standins.timer import parse_time, seconds_since

__all__ = [
    "available_in",
    "deletion_rank",
    "from_template",
    "is_active",
    "is_finished",
    "is_ready",
    "phase_of",
]

_PHASE_RANK = {"Pending": 0, "Unknown": 1, "Running": 2}


def phase_of(pod: Object) -> str:
    """Return the phase; a pod without one is Pending."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_finished(pod: Object) -> bool:
    """Tell whether the pod ran to its end, well or badly."""
    return phase_of(pod) in {"Succeeded", "Failed"}


def is_active(pod: Object) -> bool:
    """Tell whether the pod counts: neither finished nor on its way out."""
    return not is_finished(pod) and not is_deleting(pod)


def is_ready(pod: Object) -> bool:
    """Tell whether the pod's Ready condition is true."""
    return conditions.is_true(pod, "Ready")


def available_in(pod: Object, min_ready: int, now: dt.datetime) -> float | None:
    """Return in how many seconds a pod has been ready for `min_ready`; 0 now, None not ready."""
    ready = conditions.find((pod.get("status") or {}).get("conditions") or [], "Ready")
    if ready is None or ready.get("status") != "True":
        return None
    if min_ready == 0:
        return 0.0
    since = ready.get("lastTransitionTime")
    return max(0.0, min_ready - seconds_since(since, now)) if since else float(min_ready)


def from_template(owner: Object, template: Object, name: str = "") -> Object:
    """Return a pod of `owner` from a pod template; without a name the server chooses one."""
    meta = metadata(template)
    made: Object = {"namespace": namespace_of(owner)}
    if name:
        made["name"] = name
    else:
        made["generateName"] = f"{name_of(owner)}-"
    made["labels"] = dict(meta.get("labels") or {})
    if meta.get("annotations"):
        made["annotations"] = dict(meta["annotations"])
    if meta.get("finalizers"):
        made["finalizers"] = list(meta["finalizers"])
    made["ownerReferences"] = [owner_reference(owner)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": made,
        "spec": copy.deepcopy(template.get("spec") or {}),
    }


def deletion_rank(pod: Object) -> tuple[object, ...]:
    """Return a sort key: the pods that a shrinking set deletes first come first.

    Upstream's order: not assigned, pending, not ready, lower deletion cost, ready for a shorter
    time, more restarts, newer.
    """
    ready = conditions.find((pod.get("status") or {}).get("conditions") or [], "Ready") or {}
    since = ready.get("lastTransitionTime") if ready.get("status") == "True" else None
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    restarts = max((status.get("restartCount", 0) for status in statuses), default=0)
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASE_RANK.get(phase_of(pod), 3),
        is_ready(pod),
        int(annotations_of(pod).get("controller.kubernetes.io/pod-deletion-cost", "0")),
        -parse_time(since).timestamp() if since else 0.0,
        -restarts,
        _newest_first(created_at(pod)),
        name_of(pod),
    )


def _newest_first(timestamp: str) -> float:
    return -parse_time(timestamp).timestamp() if timestamp else 0.0
