"""HorizontalPodAutoscalers: sizes by scripted metrics, with upstream's algorithm.

There is no metrics API here. What `fluvial.cluster.standins.usage` reads from annotations stands
for it; without any, `ScalingActive` says what a cluster without a metrics server says. Limits and
an explicit zero are honoured in any case.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.errors import StatusError
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.objects import Object, name_of, namespace_of, rfc3339
from fluvial.cluster.standins import conditions, replicas
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import generation_of, is_deleting, labels_of, matches
from fluvial.cluster.standins.pods import is_ready
from fluvial.cluster.standins.replicas import MetricError, Proposal
from fluvial.cluster.standins.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
)
from fluvial.cluster.standins.scaling import History, Said, decide
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.usage import milli, pods_usage, value_of
from fluvial.cluster.standins.view import View

__all__ = ["Autoscalers", "Measured", "measure"]

PERIOD = 15.0
"""Seconds between two looks at an autoscaler."""

_TARGETS = {
    "Deployment": DEPLOYMENTS,
    "ReplicaSet": REPLICA_SETS,
    "StatefulSet": STATEFUL_SETS,
}
_NO_METRICS = {
    "Resource": "unable to fetch metrics from resource metrics API: the server could not find the "
    "requested resource (get pods.metrics.k8s.io)",
    "Pods": "unable to fetch metrics from custom metrics API: no custom metrics API "
    "(custom.metrics.k8s.io) registered",
    "Object": "unable to fetch metrics from custom metrics API: no custom metrics API "
    "(custom.metrics.k8s.io) registered",
    "External": "unable to fetch metrics from external metrics API: no external metrics API "
    "(external.metrics.k8s.io) registered",
}


class Measured:
    """What the metrics of an autoscaler say together.

    The largest proposal counts. Metrics that fail do not matter unless all do, or the rest would
    shrink the target, which has `current` replicas.
    """

    def __init__(self, current: int) -> None:
        self._current = current
        self.proposed = 0
        self.name = ""
        self.statuses: list[Object] = []
        self.failures: list[tuple[str, str]] = []

    def take(self, name: str, proposal: Proposal, status: Object) -> None:
        """Take in what a metric asks for."""
        self.statuses.append(status)
        if proposal.replicas > self.proposed or not self.name:
            self.proposed, self.name = proposal.replicas, name

    @property
    def usable(self) -> bool:
        """Whether there is a size to go to."""
        if not self.failures:
            return bool(self.statuses)
        return bool(self.statuses) and self.proposed >= self._current

    @property
    def active(self) -> Said:
        """What the condition ScalingActive says."""
        if not self.usable:
            none = ("InvalidMetricSourceType", "the autoscaler names no metric")
            reason, text = self.failures[0] if self.failures else none
            return (
                False,
                reason,
                f"the HPA was unable to compute the replica count: {text}",
            )
        text = f"the HPA was able to successfully calculate a replica count from {self.name}"
        return True, "ValidMetricFound", text


class _Sources:
    """Where the metrics of one autoscaler come from."""

    def __init__(self, view: View, autoscaler: Object, target: Object, pods: list[Object]) -> None:
        self._view = view
        self.autoscaler = autoscaler
        self.target = target
        self.pods = pods
        self.current = int(target["spec"].get("replicas", 1))
        self.ready = sum(is_ready(pod) for pod in pods)

    def usage(self, metric: str, kind: str) -> dict[str, int]:
        """Return what the pods use. Raises `MetricError` when nothing is scripted."""
        found = pods_usage(metric, self.target, self.pods)
        if not found:
            what = f"metrics for resource {metric}" if kind == "Resource" else f"metric {metric}"
            raise MetricError(f"unable to get {what}: {_NO_METRICS[kind]}")
        return found

    def described(self, reference: Object, metric: str) -> int:
        """Return the metric of an object. Raises `MetricError` when there is none."""
        resource = _TARGETS.get(reference["kind"])
        namespace = namespace_of(self.autoscaler)
        found = self._view.get(resource, namespace, reference["name"]) if resource else None
        value = None if found is None else value_of(found, metric)
        if value is None:
            raise MetricError(
                f"unable to get metric {metric}: {reference['kind']} on {namespace} "
                f"{reference['name']}/{_NO_METRICS['Object']}"
            )
        return value

    def external(self, metric: str) -> int:
        """Return an external metric. Raises `MetricError` when there is none."""
        value = value_of(self.autoscaler, metric)
        if value is None:
            raise MetricError(
                f"unable to get external metric {namespace_of(self.autoscaler)}/{metric}/nil: "
                f"{_NO_METRICS['External']}"
            )
        return value


def measure(sources: _Sources) -> Measured:
    """Return what the metrics of an autoscaler ask for."""
    found = Measured(sources.current)
    for metric in sources.autoscaler["spec"].get("metrics") or []:
        kind = metric["type"]
        try:
            found.take(*_read(metric, kind, sources))
        except MetricError as error:
            found.failures.append((f"FailedGet{kind}Metric", _failure_text(metric, kind, error)))
    return found


def _failure_text(metric: Object, kind: str, error: MetricError) -> str:
    if kind == "Resource":
        return f"failed to get {metric['resource']['name']} utilization: {error}"
    return str(error)


def _read(metric: Object, kind: str, sources: _Sources) -> tuple[str, Proposal, Object]:
    """Read one metric: its name in conditions, what it asks for, and its status."""
    source = metric[kind[:1].lower() + kind[1:]]
    target = source["target"]
    if kind == "Resource":
        return _read_resource(source["name"], target, sources)
    name = source["metric"]["name"]
    if kind == "Pods":
        usage = sources.usage(name, kind)
        wanted = milli(target["averageValue"])
        proposal = replicas.for_average(sources.pods, usage, wanted, sources.current)
        status = {"metric": source["metric"], "current": {"averageValue": _shown(proposal.average)}}
        return f"pods metric {name}", proposal, {"type": kind, "pods": status}
    if kind == "Object":
        value = sources.described(source["describedObject"], name)
        shown, extra = f"{source['describedObject']['kind']} metric {name}", "describedObject"
    elif kind == "External":
        value, shown, extra = sources.external(name), f"external metric {name}(nil)", ""
    else:
        raise MetricError(
            f"metrics of type {kind} are not computed by the embedded control plane: use "
            "Resource, Pods, Object or External"
        )
    each = target.get("averageValue") is not None
    wanted = milli(target["averageValue"] if each else target["value"])
    proposal = replicas.for_value(value, wanted, sources.current, sources.ready, each=each)
    amount = {"averageValue" if each else "value": _shown(proposal.average)}
    status = {"metric": source["metric"], "current": amount}
    if extra:
        status[extra] = source[extra]
    return shown, proposal, {"type": kind, kind.lower(): status}


def _read_resource(name: str, target: Object, sources: _Sources) -> tuple[str, Proposal, Object]:
    usage = sources.usage(name, "Resource")
    if target.get("averageValue") is not None:
        wanted = milli(target["averageValue"])
        proposal = replicas.for_average(
            sources.pods, usage, wanted, sources.current, cpu=name == "cpu"
        )
        shown = f"{name} resource"
    else:
        percent = int(target["averageUtilization"])
        proposal = replicas.for_ratio(sources.pods, usage, name, percent, sources.current)
        shown = f"{name} resource utilization (percentage of request)"
    current: Object = {"averageValue": _shown(proposal.average)}
    if proposal.percent is not None:
        current["averageUtilization"] = proposal.percent
    return shown, proposal, {"type": "Resource", "resource": {"name": name, "current": current}}


def _shown(amount: int) -> str:
    return canonical_quantity(f"{amount}m")


class Autoscalers:
    """The HorizontalPodAutoscaler controller."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self._histories: dict[Key, History] = {}
        self.controller = Controller("autoscaler", self._reconcile, timer)
        view.follow(AUTOSCALERS, self.controller.add_object)
        view.follow(PODS, lambda _: None)
        for resource in _TARGETS.values():
            view.follow(resource, self._target_changed)

    def _target_changed(self, target: Object) -> None:
        for each in self._view.all(AUTOSCALERS, namespace_of(target)):
            if each["spec"]["scaleTargetRef"]["name"] == name_of(target):
                self.controller.add_object(each)

    async def _reconcile(self, key: Key) -> float | None:
        autoscaler = self._view.get(AUTOSCALERS, *key)
        if autoscaler is None or is_deleting(autoscaler):
            self._histories.pop(key, None)
            return None
        reference, now = autoscaler["spec"]["scaleTargetRef"], self._timer.now()
        resource = _TARGETS.get(reference["kind"])
        target = self._view.get(resource, key[0], reference["name"]) if resource else None
        found = list((autoscaler.get("status") or {}).get("conditions") or [])
        status: Object = {"observedGeneration": generation_of(autoscaler)}
        if resource is None or target is None:
            text = _no_target(reference)
            said = (False, "FailedGetScale", text)
            status["conditions"] = _put(found, "AbleToScale", said, now)
        else:
            status |= await self._follow(autoscaler, resource, target, found, now)
        await self._view.set_status(AUTOSCALERS, autoscaler, status)
        return PERIOD

    async def _follow(
        self,
        autoscaler: Object,
        resource: str,
        target: Object,
        found: list[Object],
        now: dt.datetime,
    ) -> Object:
        """Bring a target to its size; returns the members of the status."""
        spec, key = autoscaler["spec"], (namespace_of(autoscaler), name_of(autoscaler))
        current = int(target["spec"].get("replicas", 1))
        history = self._histories.setdefault(key, History([(now, current)]))
        low, high = int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])
        text = "the HPA controller was able to get the target's current scale"
        found = _put(found, "AbleToScale", (True, "SucceededGetScale", text), now)
        status: Object = {"currentReplicas": current, "currentMetrics": None}
        desired, before = current, autoscaler.get("status") or {}
        if current == 0 and low != 0:
            text = "scaling is disabled since the replica count of the target is zero"
            found = _put(found, "ScalingActive", (False, "ScalingDisabled", text), now)
        elif not low <= current <= high:
            desired = min(max(current, low), high)
        else:
            measured = measure(_Sources(self._view, autoscaler, target, self._pods(target)))
            found = _put(found, "ScalingActive", measured.active, now)
            if not measured.usable:
                kept = {"desiredReplicas": 0, "currentMetrics": None}
                kept |= {key: before[key] for key in kept if key in before}
                return {**status, **kept, "conditions": found}
            decision = decide(spec, history, current, measured.proposed, now)
            found = _put(found, "AbleToScale", decision.able, now)
            found = _put(found, "ScalingLimited", decision.limited, now)
            desired, status["currentMetrics"] = decision.replicas, measured.statuses
        if desired != current:
            await self._scale(resource, target, desired)
            history.scaled(current, desired, now)
            text = f"the HPA controller was able to update the target scale to {desired}"
            found = _put(found, "AbleToScale", (True, "SucceededRescale", text), now)
            status["lastScaleTime"] = rfc3339(now)
        return {**status, "desiredReplicas": desired, "conditions": found}

    def _pods(self, target: Object) -> list[Object]:
        selector = target["spec"].get("selector")
        pods = self._view.all(PODS, namespace_of(target))
        return [pod for pod in pods if matches(selector, labels_of(pod))]

    async def _scale(self, resource: str, target: Object, size: int) -> None:
        try:
            await self._view.patch(resource, target, {"spec": {"replicas": size}})
        except StatusError as error:
            if error.code != 404:
                raise


def _put(found: list[Object], type_: str, said: Said, now: dt.datetime) -> list[Object]:
    holds, reason, text = said
    return conditions.put(found, type_, "True" if holds else "False", reason, text, now=now)


def _no_target(reference: Any) -> str:
    kind, name = reference["kind"], reference["name"]
    text = "the HPA controller was unable to get the target's current scale: "
    if kind in _TARGETS:
        return f'{text}{kind.lower()}s.apps "{name}" not found'
    group = (reference.get("apiVersion") or "").rpartition("/")[0]
    return f'{text}no matches for kind "{kind}" in group "{group}"'
