"""HorizontalPodAutoscaler between `autoscaling/v2` (stored) and `autoscaling/v1`.

v1 knows one CPU utilisation; what else v2 holds travels in annotations, as JSON.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fluvial.cluster.objects import Object

__all__ = ["from_v2", "to_v2"]

_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"
_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


def _is_cpu(metric: dict[str, Any]) -> bool:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    return (
        metric.get("type") == "Resource"
        and resource.get("name") == "cpu"
        and target.get("averageUtilization") is not None
    )


def from_v2(obj: Object) -> Object:
    """Return the v2 autoscaler as v1 shows it."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    notes = dict(obj["metadata"].get("annotations") or {})
    others = []
    for metric in spec.pop("metrics", None) or []:
        if _is_cpu(metric) and "targetCPUUtilizationPercentage" not in spec:
            target = metric["resource"]["target"]
            spec["targetCPUUtilizationPercentage"] = target["averageUtilization"]
        else:
            others.append(metric)
    if others:
        notes[_METRICS] = msgspec.json.encode(others).decode()
    for key, holder, note in (
        ("behavior", spec, _BEHAVIOR),
        ("currentMetrics", status, _CURRENT),
        ("conditions", status, _CONDITIONS),
    ):
        value = holder.pop(key, None)
        if value:
            notes[note] = msgspec.json.encode(value).decode()
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    meta = dict(obj["metadata"])
    if notes:
        meta["annotations"] = notes
    return {
        "apiVersion": "autoscaling/v1",
        "kind": obj["kind"],
        "metadata": meta,
        "spec": spec,
        "status": status,
    }


def to_v2(obj: Object) -> Object:
    """Return the v1 autoscaler as it is stored."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    meta = dict(obj["metadata"])
    notes = dict(meta.get("annotations") or {})
    metrics: list[Any] = []
    utilisation = spec.pop("targetCPUUtilizationPercentage", None)
    if utilisation is not None:
        target = {"type": "Utilization", "averageUtilization": utilisation}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    for key, holder, note in (
        ("behavior", spec, _BEHAVIOR),
        ("currentMetrics", status, _CURRENT),
        ("conditions", status, _CONDITIONS),
    ):
        if note in notes:
            holder[key] = msgspec.json.decode(notes.pop(note))
    if _METRICS in notes:
        metrics += msgspec.json.decode(notes.pop(_METRICS))
    if metrics:
        spec["metrics"] = metrics
    meta.pop("annotations", None)
    if notes:
        meta["annotations"] = notes
    result: Object = {
        "apiVersion": "autoscaling/v2",
        "kind": obj["kind"],
        "metadata": meta,
        "spec": spec,
    }
    if status:
        status.pop("currentCPUUtilizationPercentage", None)
        if not status.get("currentReplicas"):
            status.pop("currentReplicas", None)
        result["status"] = {"currentMetrics": None, **status}
    return result
