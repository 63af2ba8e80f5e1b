"""FlowSchema and PriorityLevelConfiguration: what of them is filled in; nothing is held to them."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

_PRECEDENCE, _SHARES = 1000, 30
_QUEUING = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}


class FlowStrategy(Strategy):
    """Rules of FlowSchema."""

    def default(self, obj: Object) -> None:
        """Default the place in order; both parts are always written."""
        obj.setdefault("spec", {}).setdefault("matchingPrecedence", _PRECEDENCE)
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}


class LevelStrategy(FlowStrategy):
    """Rules of PriorityLevelConfiguration."""

    def default(self, obj: Object) -> None:
        """Default shares and queues; both parts are always written."""
        spec = obj.setdefault("spec", {})
        obj.setdefault("status", {})
        for name, shares in (("limited", _SHARES), ("exempt", 0)):
            if isinstance(spec.get(name), dict):
                spec[name].setdefault("nominalConcurrencyShares", shares)
                spec[name].setdefault("lendablePercent", 0)
        queuing = ((spec.get("limited") or {}).get("limitResponse") or {}).get("queuing")
        if isinstance(queuing, dict):
            for field, value in _QUEUING.items():
                queuing.setdefault(field, value)


STRATEGIES: dict[str, Strategy] = {
    "flowcontrol.apiserver.k8s.io/flowschemas": FlowStrategy(),
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": LevelStrategy(),
}
