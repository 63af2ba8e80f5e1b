"""HorizontalPodAutoscaler, v1 and v2."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]


def _policy(kind: str, value: int) -> dict[str, Any]:
    return {"type": kind, "value": value, "periodSeconds": 15}


class AutoscalerStrategy(Strategy):
    """Rules of HorizontalPodAutoscaler."""

    generation = False

    def default(self, obj: Object) -> None:
        """Default bounds, metrics and behavior."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("scaleTargetRef", {})
        spec.setdefault("minReplicas", 1)
        if obj.get("apiVersion") == "autoscaling/v1":
            obj["status"] = {
                "currentReplicas": 0, "desiredReplicas": 0, **(obj.get("status") or {}),
            }  # fmt: skip
            if "targetCPUUtilizationPercentage" not in spec:
                spec["targetCPUUtilizationPercentage"] = 80
            return
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        if spec.get("behavior"):
            self._default_behavior(spec["behavior"])
        obj["status"] = {
            "desiredReplicas": 0, "currentMetrics": None, **(obj.get("status") or {}),
        }  # fmt: skip

    @staticmethod
    def _default_behavior(behavior: Object) -> None:
        up = behavior.setdefault("scaleUp", {})
        up.setdefault("stabilizationWindowSeconds", 0)
        up.setdefault("selectPolicy", "Max")
        up.setdefault("policies", [_policy("Pods", 4), _policy("Percent", 100)])
        down = behavior.setdefault("scaleDown", {})
        down.setdefault("selectPolicy", "Max")
        down.setdefault("policies", [_policy("Percent", 100)])

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj.pop("status", None)
        if obj.get("apiVersion") == "autoscaling/v1":
            obj["status"] = {"currentReplicas": 0, "desiredReplicas": 0}
        else:
            obj["status"] = {"desiredReplicas": 0, "currentMetrics": None}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check bounds and the target."""
        spec, errors = obj["spec"], []
        low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
        if low < 1:
            text = "must be greater than or equal to 1"
            errors.append(fielderrors.invalid("spec.minReplicas", low, text))
        if high < 1:
            text = "must be set and greater than 0"
            errors.append(fielderrors.required("spec.maxReplicas", text))
        if high < low:
            text = "must be greater than or equal to `minReplicas`"
            errors.append(fielderrors.invalid("spec.maxReplicas", high, text))
        target = spec.get("scaleTargetRef") or {}
        errors += [
            fielderrors.required(f"spec.scaleTargetRef.{key}")
            for key in ("kind", "name")
            if not target.get(key)
        ]
        if "/" not in (target.get("apiVersion") or ""):
            text = "apiVersion must specify API group"
            where = "spec.scaleTargetRef.apiVersion"
            errors.append(fielderrors.invalid(where, target.get("apiVersion", ""), text))
        for index, metric in enumerate(spec.get("metrics") or []):
            source = str(metric.get("type", ""))
            member = source[:1].lower() + source[1:]
            if metric.get(member) is None:
                text = "must populate information for the given metric source"
                errors.append(fielderrors.required(f"spec.metrics[{index}].{member}", text))
        return errors


STRATEGIES: dict[str, Strategy] = {"autoscaling/horizontalpodautoscalers": AutoscalerStrategy()}
