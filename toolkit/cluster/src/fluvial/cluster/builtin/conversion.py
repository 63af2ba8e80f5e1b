"""Conversion between the versions in which one stored object is served.

Custom resources and equal-shaped kinds change their `apiVersion` only. HorizontalPodAutoscaler
(v1, v2) and Event (v1, events.k8s.io/v1) change shape, in modules of their own.
"""

from __future__ import annotations

from fluvial.cluster.builtin import autoscaling_v1, events_v1
from fluvial.cluster.objects import Object

__all__ = ["convert"]


def convert(obj: Object, api_version: str) -> Object:
    """Return `obj` (which may be changed) in another version of its kind."""
    source = obj.get("apiVersion")
    if source == api_version:
        return obj
    if source == "autoscaling/v1" and api_version == "autoscaling/v2":
        return autoscaling_v1.to_v2(obj)
    if source == "autoscaling/v2" and api_version == "autoscaling/v1":
        return autoscaling_v1.from_v2(obj)
    if source == "events.k8s.io/v1" and api_version == "v1":
        return events_v1.to_core(obj)
    if source == "v1" and api_version == "events.k8s.io/v1":
        return events_v1.from_core(obj)
    obj["apiVersion"] = api_version
    return obj
