"""HorizontalPodAutoscaler, v1 and v2."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.metricsources import metric_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import path_segment_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800
_CHOICES = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")


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
        for key in ("kind", "name"):
            bad = path_segment_errors(target.get(key) or "")
            errors += [
                fielderrors.invalid(f"spec.scaleTargetRef.{key}", target[key], text) for text in bad
            ]
        if "/" not in (target.get("apiVersion") or ""):
            text = "apiVersion must specify API group"
            where = "spec.scaleTargetRef.apiVersion"
            errors.append(fielderrors.invalid(where, target.get("apiVersion", ""), text))
        behavior = spec.get("behavior") or {}
        for name in ("scaleUp", "scaleDown"):
            if behavior.get(name) is not None:
                errors += _rules_errors(behavior[name], f"spec.behavior.{name}")
        for index, metric in enumerate(spec.get("metrics") or []):
            errors += metric_errors(metric, f"spec.metrics[{index}]")
        return errors


def _rules_errors(rules: Object, path: str) -> list[Cause]:
    errors: list[Cause] = []
    window, choice = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    where = f"{path}.stabilizationWindowSeconds"
    if window is not None and window < 0:
        errors.append(fielderrors.invalid(where, window, "must be greater than or equal to zero"))
    if window is not None and window > _LONGEST_WINDOW:
        text = f"must be less than or equal to {_LONGEST_WINDOW}"
        errors.append(fielderrors.invalid(where, window, text))
    if choice is not None and choice not in _CHOICES:
        errors.append(fielderrors.not_supported(f"{path}.selectPolicy", choice, _CHOICES))
    if not rules.get("policies"):
        text = "must specify at least one Policy"
        errors.append(fielderrors.required(f"{path}.policies", text))
    for index, policy in enumerate(rules.get("policies") or []):
        errors += _policy_errors(policy, f"{path}.policies[{index}]")
    return errors


def _policy_errors(policy: Object, path: str) -> list[Cause]:
    errors: list[Cause] = []
    if policy.get("type") not in _POLICIES:
        kind = policy.get("type", "")
        errors.append(fielderrors.not_supported(f"{path}.type", kind, _POLICIES))
    for name in ("value", "periodSeconds"):
        number = policy.get(name, 0)
        if number <= 0:
            errors.append(
                fielderrors.invalid(f"{path}.{name}", number, "must be greater than zero")
            )
    if policy.get("periodSeconds", 0) > _LONGEST_PERIOD:
        text = f"must be less than or equal to {_LONGEST_PERIOD}"
        errors.append(fielderrors.invalid(f"{path}.periodSeconds", policy["periodSeconds"], text))
    return errors


STRATEGIES: dict[str, Strategy] = {"autoscaling/horizontalpodautoscalers": AutoscalerStrategy()}
