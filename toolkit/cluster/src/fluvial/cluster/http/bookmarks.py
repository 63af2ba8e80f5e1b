"""The object of a BOOKMARK event: one of the watched kind that has nothing but its metadata.

What Go writes of a struct nevertheless is there: parts that are no pointers, and values that are
never left out.
"""

from __future__ import annotations

from typing import Any

from fluvial.cluster import schemas
from fluvial.cluster.fields.values import copied
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["bookmark"]

_EVENT_TIMES = ("firstTimestamp", "lastTimestamp", "eventTime")
_TEMPLATE = {"metadata": {}, "spec": {"containers": None}}
_WRITTEN: dict[str, Object] = {
    "CronJob": {
        "spec": {"schedule": "", "jobTemplate": {"metadata": {}, "spec": {"template": _TEMPLATE}}}
    },
    "DaemonSet": {
        "spec": {"selector": None},
        "status": dict.fromkeys(
            ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled",
             "numberReady"), 0,
        ),
    },
    "Deployment": {"spec": {"selector": None}},
    "Event": {
        **dict.fromkeys(_EVENT_TIMES), "reportingComponent": "", "reportingInstance": "",
    },
    "HorizontalPodAutoscaler": {
        "spec": {"scaleTargetRef": {"kind": "", "name": ""}, "maxReplicas": 0},
        "status": {"desiredReplicas": 0, "currentMetrics": None},
    },
    "PodDisruptionBudget": {
        "status": dict.fromkeys(
            ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"), 0
        )
    },
    "ReplicaSet": {"spec": {"selector": None, "template": _TEMPLATE}, "status": {"replicas": 0}},
    "autoscaling/v1/HorizontalPodAutoscaler": {
        "spec": {"scaleTargetRef": {"kind": "", "name": ""}, "maxReplicas": 0},
        "status": {"currentReplicas": 0, "desiredReplicas": 0},
    },
    "events.k8s.io/v1/Event": dict.fromkeys(
        ("eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp")
    ),
    "StatefulSet": {
        "spec": {"selector": None},
        "status": {"replicas": 0, "availableReplicas": 0},
    },
}  # fmt: skip
"""By kind, or version and kind: what its schema does not tell of values that are never left out."""


def bookmark(resource: Resource, metadata: Object) -> Object:
    """Return the object of a bookmark."""
    named: Object = {"kind": resource.kind, "apiVersion": resource.api_version}
    if resource.custom is not None:
        return {**named, "metadata": metadata}
    zero: Object = copied(getattr(schemas.of(resource), "zero", None) or {})
    more = _WRITTEN.get(f"{resource.api_version}/{resource.kind}") or _WRITTEN.get(resource.kind)
    _fill(zero, copied(more or {}))
    return {**named, **zero, "metadata": metadata}


def _fill(obj: Object, more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(obj.get(name), dict):
            _fill(obj[name], value)
        else:
            obj.setdefault(name, value)
