"""PodDisruptionBudget."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import re

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)
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
        if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
            text = "minAvailable and maxUnavailable cannot be both set"
            shown = {
                "MinAvailable": spec["minAvailable"],
                "Selector": spec.get("selector"),
                "MaxUnavailable": spec["maxUnavailable"],
                "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
            }
            return [fielderrors.invalid("spec", shown, text)]
        for key in ("minAvailable", "maxUnavailable"):
            value = spec.get(key)
            if isinstance(value, str) and not re.fullmatch("[0-9]+%", value):
                return [fielderrors.invalid(f"spec.{key}", value, PERCENT)]
        return []


STRATEGIES: dict[str, Strategy] = {"policy/poddisruptionbudgets": BudgetStrategy()}
