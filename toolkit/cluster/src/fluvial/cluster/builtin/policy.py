"""PodDisruptionBudget."""

from __future__ import annotations

from fluvial.cluster import fielderrors
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
        """The two bounds exclude each other."""
        spec = obj["spec"]
        if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
            text = "minAvailable and maxUnavailable cannot be both set"
            return [fielderrors.invalid("spec", spec, text)]
        return []


STRATEGIES: dict[str, Strategy] = {"policy/poddisruptionbudgets": BudgetStrategy()}
