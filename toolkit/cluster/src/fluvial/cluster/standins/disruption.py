"""PodDisruptionBudgets: how many pods may be disrupted now."""

from __future__ import annotations

import datetime as dt

from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import (
    controller_of,
    generation_of,
    is_deleting,
    labels_of,
    matches,
)
from fluvial.cluster.standins.pods import is_active, is_ready
from fluvial.cluster.standins.resources import (
    DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
)
from fluvial.cluster.standins.rollout import count_of
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["DisruptionBudgets", "status_for"]

_SCALED = {"ReplicaSet": REPLICA_SETS, "StatefulSet": STATEFUL_SETS}


def status_for(
    budget: Object, expected: int, total: int, healthy: int, *, now: dt.datetime
) -> Object:
    """Return the status.

    `expected` is what the pods' controllers ask for, `total` how many pods there are.
    """
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        desired = max(0, expected - count_of(spec["maxUnavailable"], expected, up=True))
    elif isinstance(spec.get("minAvailable"), int):
        desired, expected = spec["minAvailable"], total
    else:
        desired = count_of(spec.get("minAvailable"), expected, up=True)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    enough = allowed > 0
    found = conditions.put(
        (budget.get("status") or {}).get("conditions") or [],
        "DisruptionAllowed",
        "True" if enough else "False",
        "SufficientPods" if enough else "InsufficientPods",
        "",
        now=now,
        observedGeneration=generation_of(budget),
    )
    return {
        "observedGeneration": generation_of(budget),
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "conditions": found,
    }


class DisruptionBudgets:
    """The PodDisruptionBudget controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("disruption", self._reconcile, timer)
        view.follow(DISRUPTION_BUDGETS, self.controller.add_object)
        view.follow(PODS, self._pod_changed)
        for resource in _SCALED.values():
            view.follow(resource)

    def _pod_changed(self, pod: Object) -> None:
        for each in self._view.all(DISRUPTION_BUDGETS, namespace_of(pod)):
            if matches(each["spec"].get("selector"), labels_of(pod)):
                self.controller.add_object(each)

    async def _reconcile(self, key: Key) -> float | None:
        budget = self._view.get(DISRUPTION_BUDGETS, *key)
        if budget is None or is_deleting(budget):
            return None
        selector = budget["spec"].get("selector")
        pods = [
            pod
            for pod in self._view.all(PODS, key[0])
            if matches(selector, labels_of(pod)) and is_active(pod)
        ]
        healthy = sum(is_ready(pod) for pod in pods)
        expected = self._expected(pods)
        status = status_for(budget, expected, len(pods), healthy, now=self._timer.now())
        await self._view.set_status(DISRUPTION_BUDGETS, budget, status)
        return None

    def _expected(self, pods: list[Object]) -> int:
        """Sum up what the controllers of the pods ask for; a bare pod counts as one."""
        scales: dict[str, int] = {}
        for pod in pods:
            owner = controller_of(pod)
            resource = _SCALED.get(owner["kind"]) if owner else None
            found = (
                self._view.get(resource, namespace_of(pod), owner["name"])
                if (resource and owner)
                else None
            )
            if found is not None:
                scales[found["metadata"]["uid"]] = int(found["spec"].get("replicas", 1))
            else:
                scales[name_of(pod)] = 1
        return sum(scales.values())
