"""Event between `v1` (stored) and `events.k8s.io/v1`."""

from __future__ import annotations

from fluvial.cluster.objects import Object

__all__ = ["from_core", "to_core"]

_PAIRS = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "source": "deprecatedSource",
}


def from_core(obj: Object) -> Object:
    """Return the event as `events.k8s.io/v1` shows it."""
    result = {_PAIRS.get(key, key): value for key, value in obj.items()}
    result["apiVersion"] = "events.k8s.io/v1"
    for key in ("deprecatedSource", "regarding"):
        if not result.get(key):
            result[key] = {}
    if not result.get("reportingController"):
        result.pop("reportingController", None)
    if not result.get("reportingInstance"):
        result.pop("reportingInstance", None)
    return result


def to_core(obj: Object) -> Object:
    """Return the event as it is stored."""
    back = {new: old for old, new in _PAIRS.items()}
    result = {back.get(key, key): value for key, value in obj.items()}
    result["apiVersion"] = "v1"
    return result
