"""The row of an autoscaler: what its metrics are and what they should be."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.http.cell_texts import age_of, name_of
from fluvial.cluster.objects import Object

__all__ = ["cells"]

_UNKNOWN = "<unknown>"
_NIL = "<nil>"
"""What Go prints of a quantity that is not there, though what should hold it is."""
_MOST = 2
"""How many metrics are shown; of the rest only the number."""


def cells(obj: Object, now: dt.datetime) -> list[Any]:
    """Return the cells of an autoscaler's row, of either version."""
    spec, status = obj["spec"], obj.get("status") or {}
    reference = spec["scaleTargetRef"]
    return [
        name_of(obj), f"{reference['kind']}/{reference['name']}",
        _targets(spec, status), str(spec.get("minReplicas", "<unset>")),
        spec.get("maxReplicas", 0), status.get("currentReplicas", 0),
        age_of(obj, now),
    ]  # fmt: skip


def _targets(spec: Object, status: Object) -> str:
    metrics, current = spec.get("metrics") or [], status.get("currentMetrics") or []
    if "targetCPUUtilizationPercentage" in spec:
        metrics = [_cpu("target", spec["targetCPUUtilizationPercentage"])]
        used = status.get("currentCPUUtilizationPercentage")
        current = [] if used is None else [_cpu("current", used)]
    if not metrics:
        return "<none>"
    shown = [
        _target(metric, current[index] if index < len(current) else {})
        for index, metric in enumerate(metrics)
    ]
    text = ", ".join(shown[:_MOST])
    return text if len(shown) <= _MOST else f"{text} + {len(shown) - _MOST} more..."


def _cpu(part: str, percent: int) -> Object:
    return {
        "type": "Resource",
        "resource": {"name": "cpu", part: {"averageUtilization": percent}},
    }


def _target(metric: Object, measured: Object) -> str:
    """Print one metric: what was measured, a slash, and what is wanted."""
    kind = metric.get("type") or ""
    key = kind[:1].lower() + kind[1:]
    source = metric.get(key)
    if not isinstance(source, dict):
        return "<unknown type>"
    target = source.get("target") or {}
    now = (measured.get(key) or {}).get("current") or {}
    absent = _NIL if measured.get(key) else _UNKNOWN
    if kind in ("Resource", "ContainerResource"):
        name = source.get("name", "")
        if "averageValue" in target:
            return f"{name}: {now.get('averageValue', absent)}/{target['averageValue']}"
        wanted = target.get("averageUtilization")
        shown = "<auto>" if wanted is None else f"{wanted}%"
        used = now.get("averageUtilization")
        return f"{name}: {_UNKNOWN if used is None else f'{used}%'}/{shown}"
    if kind == "Pods":
        return f"{now.get('averageValue', absent)}/{target.get('averageValue', _NIL)}"
    if "averageValue" in target:
        return f"{now.get('averageValue', _UNKNOWN)}/{target['averageValue']} (avg)"
    return f"{now.get('value', absent)}/{target.get('value', _NIL)}"
