"""PodDisruptionBudget."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.numbers import (
    amount_errors,
    at_most_all_errors,
    nonnegative_errors,
)
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

INITIAL = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}


class BudgetStrategy(Strategy):
    """Rules of PodDisruptionBudget."""

    needs_version = True

    def default(self, obj: Object) -> None:
        """Both parts are always written."""
        obj.setdefault("spec", {})
        obj["status"] = {**INITIAL, **(obj.get("status") or {})}

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = dict(INITIAL)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Refuse both bounds at once, and percents that are none."""
        spec = obj["spec"]
        errors: list[Cause] = []
        if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
            text = "minAvailable and maxUnavailable cannot be both set"
            shown = {
                "MinAvailable": spec["minAvailable"],
                "Selector": spec.get("selector"),
                "MaxUnavailable": spec["maxUnavailable"],
                "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
            }
            errors.append(fielderrors.invalid("spec", shown, text))
        for key in ("minAvailable", "maxUnavailable"):
            errors += amount_errors(spec.get(key), f"spec.{key}")
            errors += at_most_all_errors(spec.get(key), f"spec.{key}")
        errors += label_selector_errors(spec.get("selector"), "spec.selector")
        policy, kinds = spec.get("unhealthyPodEvictionPolicy"), ("AlwaysAllow", "IfHealthyBudget")
        if policy is not None and policy not in kinds:
            where = "spec.unhealthyPodEvictionPolicy"
            errors.append(fielderrors.not_supported(where, policy, kinds))
        return errors

    def validate_status(self, obj: Object, old: Object) -> list[Cause]:
        """Refuse negative counts."""
        return nonnegative_errors(obj.get("status") or {}, "status", *INITIAL)


STRATEGIES: dict[str, Strategy] = {"policy/poddisruptionbudgets": BudgetStrategy()}
