"""Metrics that a HorizontalPodAutoscaler may scale by."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.quantities import amount
from fluvial.cluster.errors import Cause
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.names import path_segment_errors

__all__ = ["metric_errors"]

_TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
_SOURCES = ("object", "external", "pods", "resource", "containerResource")
_TARGETS = ("Utilization", "Value", "AverageValue")


def metric_errors(metric: dict[str, Any], path: str) -> list[Cause]:
    """Check one metric: its type, and that exactly the source of that type is there."""
    kind = metric.get("type", "")
    errors: list[Cause] = []
    if not kind:
        text = "must specify a metric source type"
        errors.append(fielderrors.required(f"{path}.type", text))
    elif kind not in _TYPES:
        errors.append(fielderrors.not_supported(f"{path}.type", kind, _TYPES))
    given = [name for name in _SOURCES if metric.get(name) is not None]
    for index, name in enumerate(given):
        if not index:
            errors += _source_errors(name, metric[name], f"{path}.{name}")
    expected = kind[:1].lower() + kind[1:]
    if kind in _TYPES and expected not in given:
        text = "must populate information for the given metric source"
        errors.append(fielderrors.required(f"{path}.{expected}", text))
    if len(given) > 1:
        text = "must populate the given metric source only"
        errors += [
            fielderrors.forbidden(f"{path}.{name}", text) for name in given if name != expected
        ]
    return errors


def _source_errors(kind: str, source: dict[str, Any], path: str) -> list[Cause]:
    target = source.get("target") or {}
    if kind in ("resource", "containerResource"):
        errors: list[Cause] = []
        if kind == "containerResource" and not source.get("container"):
            text = "must specify a container"
            errors.append(fielderrors.required(f"{path}.container", text))
        if not source.get("name"):
            text = "must specify a resource name"
            errors.append(fielderrors.required(f"{path}.name", text))
        errors += _target_errors(target, f"{path}.target")
        return errors + _utilisation_errors(target, f"{path}.target")
    errors = _identifier_errors(source.get("metric") or {}, f"{path}.metric")
    if kind == "object":
        place = source.get("describedObject") or {}
        errors = [
            fielderrors.required(f"{path}.describedObject.{key}")
            for key in ("kind", "name")
            if not place.get(key)
        ] + errors
    errors += _target_errors(target, f"{path}.target")
    value, average = target.get("value"), target.get("averageValue")
    if kind == "pods":
        if average is None or amount(average) <= 0:
            text = "must specify a positive target averageValue"
            errors.append(fielderrors.required(f"{path}.target.averageValue", text))
    elif value is None and average is None:
        text = "must set either a target value for metric or a per-pod target"
        if kind == "object":
            text = "must set either a target value or averageValue"
        errors.append(fielderrors.required(f"{path}.target.averageValue", text))
    elif kind == "external" and value is not None and average is not None:
        text = "may not set both a target value for metric and a per-pod target"
        errors.append(fielderrors.forbidden(f"{path}.target.value", text))
    return errors


def _identifier_errors(metric: dict[str, Any], path: str) -> list[Cause]:
    name = metric.get("name", "")
    if not name:
        return [fielderrors.required(f"{path}.name", "must specify a metric name")]
    errors = [fielderrors.invalid(f"{path}.name", name, t) for t in path_segment_errors(name)]
    return errors + label_selector_errors(metric.get("selector"), f"{path}.selector")


def _target_errors(target: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    kind = target.get("type", "")
    if not kind:
        text = "must specify a metric target type"
        errors.append(fielderrors.required(f"{path}.type", text))
    elif kind not in _TARGETS:
        text = "must be either Utilization, Value, or AverageValue"
        errors.append(fielderrors.invalid(f"{path}.type", kind, text))
    errors += [
        fielderrors.invalid(
            f"{path}.{name}", canonical_quantity(str(target[name])), "must be positive"
        )
        for name in ("value", "averageValue")
        if target.get(name) is not None and amount(target[name]) <= 0
    ]
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        text = "must be greater than 0"
        errors.append(fielderrors.invalid(f"{path}.averageUtilization", share, text))
    return errors


def _utilisation_errors(target: dict[str, Any], path: str) -> list[Cause]:
    share, average = target.get("averageUtilization"), target.get("averageValue")
    if share is None and average is None:
        text = "must set either a target raw value or a target utilization"
        return [fielderrors.required(f"{path}.averageUtilization", text)]
    if share is not None and average is not None:
        text = "may not set both a target raw value and a target utilization"
        return [fielderrors.forbidden(f"{path}.averageValue", text)]
    return []
