"""HorizontalPodAutoscalers: keep the size within its limits.

There are no resource metrics here, so nothing scales by load: `ScalingActive` says so, with the
reason that a cluster without metrics-server gives. The limits and an explicit zero are honoured.
"""

from __future__ import annotations

import datetime as dt

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import generation_of, is_deleting
from fluvial.cluster.standins.resources import AUTOSCALERS, DEPLOYMENTS, STATEFUL_SETS
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Autoscalers", "conditions_for", "desired_for"]

_TARGETS = {"Deployment": DEPLOYMENTS, "StatefulSet": STATEFUL_SETS}


def desired_for(spec: Object, current: int) -> int:
    """Return the size within the limits; zero stays zero, as it switches scaling off."""
    if current == 0:
        return 0
    return max(int(spec.get("minReplicas", 1)), min(int(spec["maxReplicas"]), current))


def conditions_for(
    found: list[Object], spec: Object, current: int | None, *, now: dt.datetime
) -> list[Object]:
    """Return the conditions; `current` is None when the target does not exist."""
    target = spec["scaleTargetRef"]
    if current is None:
        kind, name = target["kind"].lower(), target["name"]
        text = (
            "the HPA controller was unable to get the target's current scale: "
            f'{kind}s.apps "{name}" not found'
        )
        return conditions.put(found, "AbleToScale", "False", "FailedGetScale", text, now=now)
    text = "the HPA controller was able to get the target's current scale"
    found = conditions.put(found, "AbleToScale", "True", "SucceededGetScale", text, now=now)
    if current == 0:
        text = "scaling is disabled since the replica count of the target is zero"
        return conditions.put(found, "ScalingActive", "False", "ScalingDisabled", text, now=now)
    desired = desired_for(spec, current)
    if desired != current:
        reason = "TooFewReplicas" if desired > current else "TooManyReplicas"
        side = "less than the minimum" if desired > current else "more than the maximum"
        text = f"the desired replica count is {side} replica count"
        found = conditions.put(found, "ScalingLimited", "True", reason, text, now=now)
    text = (
        "the HPA was unable to compute the replica count: unable to get metrics: "
        "no metrics API is served"
    )
    return conditions.put(found, "ScalingActive", "False", "FailedGetResourceMetric", text, now=now)


class Autoscalers:
    """The HorizontalPodAutoscaler controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("autoscaler", self._reconcile, timer)
        view.follow(AUTOSCALERS, self.controller.add_object)
        for resource in _TARGETS.values():
            view.follow(resource, self._target_changed)

    def _target_changed(self, target: Object) -> None:
        for each in self._view.all(AUTOSCALERS, namespace_of(target)):
            if each["spec"]["scaleTargetRef"]["name"] == name_of(target):
                self.controller.add_object(each)

    async def _reconcile(self, key: Key) -> float | None:
        autoscaler = self._view.get(AUTOSCALERS, *key)
        if autoscaler is None or is_deleting(autoscaler):
            return None
        spec, reference = autoscaler["spec"], autoscaler["spec"]["scaleTargetRef"]
        resource = _TARGETS.get(reference["kind"])
        target = self._view.get(resource, key[0], reference["name"]) if resource else None
        current = None if target is None else int(target["spec"].get("replicas", 1))
        found = list((autoscaler.get("status") or {}).get("conditions") or [])
        found = conditions_for(found, spec, current, now=self._timer.now())
        desired = 0 if current is None else desired_for(spec, current)
        if resource and target is not None and desired != current:
            await self._scale(resource, target, desired)
        status = {
            "observedGeneration": generation_of(autoscaler),
            "currentReplicas": current or 0,
            "desiredReplicas": desired,
            "conditions": found,
        }
        await self._view.set_status(AUTOSCALERS, autoscaler, status)
        return None

    async def _scale(self, resource: str, target: Object, replicas: int) -> None:
        try:
            await self._view.patch(resource, target, {"spec": {"replicas": replicas}})
        except StatusError as error:
            if error.code != 404:
                raise
