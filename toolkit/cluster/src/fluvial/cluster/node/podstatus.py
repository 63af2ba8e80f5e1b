"""The status of a pod from the states of its containers: pure, as the kubelet computes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from fluvial.cluster.objects import Object
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.metadata import generation_of

__all__ = ["compute", "quality_of", "waiting_status"]

Entry = Object
"""An entry of `containerStatuses`."""


def compute(
    pod: Object,
    inits: Sequence[Entry],
    mains: Sequence[Entry],
    *,
    over: bool,
    now: dt.datetime,
) -> Object:
    """Return phase, conditions and container statuses.

    `over` tells that no container will start again. Conditions of others, such as readiness
    gates, are kept.
    """
    phase = _phase(pod, inits, mains, over=over)
    values = {
        "PodReadyToStartContainers": _sandbox(over=over),
        "Initialized": _initialized(pod, inits, phase),
        "Ready": _ready(pod, mains, phase),
        "ContainersReady": _containers_ready(mains, phase),
    }
    found: list[Object] = (pod.get("status") or {}).get("conditions") or []
    ours = []
    for type_, (truth, reason, message) in values.items():
        old = [each for each in found if each["type"] == type_]
        ours += conditions.put(
            old,
            type_,
            truth,
            reason,
            message,
            now=now,
            observedGeneration=generation_of(pod),
        )
    kept = [each for each in found if each["type"] not in values]
    status: Object = {
        "phase": phase,
        "conditions": [*ours, *kept],
        "containerStatuses": list(mains),
        "qosClass": quality_of(pod["spec"]),
        "observedGeneration": generation_of(pod),
    }
    if inits:
        status["initContainerStatuses"] = list(inits)
    return status


def waiting_status(container: Object, reason: str, message: str = "") -> Entry:
    """Return the entry of a container that has not been started."""
    waiting = {"reason": reason, **({"message": message} if message else {})}
    return {
        "name": container["name"],
        "state": {"waiting": waiting},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
        "started": False,
    }


def _phase(pod: Object, inits: Sequence[Entry], mains: Sequence[Entry], *, over: bool) -> str:
    if over:
        codes = [each["state"].get("terminated", {}).get("exitCode") for each in mains]
        return "Succeeded" if all(code == 0 for code in codes) else "Failed"
    if not all(_is_initialized(pod, each) for each in inits):
        return "Pending"
    if all("waiting" in each["state"] and not each["lastState"] for each in mains):
        return "Pending"
    return "Running"


def _is_initialized(pod: Object, entry: Entry) -> bool:
    specs = {spec["name"]: spec for spec in pod["spec"].get("initContainers") or []}
    if specs.get(entry["name"], {}).get("restartPolicy") == "Always":
        return bool(entry["started"])
    return bool(entry["state"].get("terminated", {}).get("exitCode") == 0)


def _sandbox(*, over: bool) -> tuple[str, str, str]:
    return ("False", "", "") if over else ("True", "", "")


def _initialized(pod: Object, inits: Sequence[Entry], phase: str) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return "True", "PodCompleted", ""
    missing = [each["name"] for each in inits if not _is_initialized(pod, each)]
    if missing:
        text = f"containers with incomplete status: [{' '.join(missing)}]"
        return "False", "ContainersNotInitialized", text
    return "True", "", ""


def _containers_ready(mains: Sequence[Entry], phase: str) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return "False", "PodCompleted", ""
    if phase == "Failed":
        return "False", "PodFailed", ""
    unready = [each["name"] for each in mains if not each["ready"]]
    if unready:
        text = f"containers with unready status: [{' '.join(unready)}]"
        return "False", "ContainersNotReady", text
    return "True", "", ""


def _ready(pod: Object, mains: Sequence[Entry], phase: str) -> tuple[str, str, str]:
    value = _containers_ready(mains, phase)
    if value[0] != "True":
        return value
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    closed = [gate for gate in gates if not conditions.is_true(pod, gate)]
    if closed:
        text = "; ".join(
            f'the status of pod readiness gate "{gate}" is not "True", but False' for gate in closed
        )
        return "False", "ReadinessGatesNotReady", text
    return value


def quality_of(spec: Object) -> str:
    """Return the quality-of-service class, by CPU and memory of all containers."""
    every = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    resources = [container.get("resources") or {} for container in every]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    for each in resources:
        limits, requests = each.get("limits") or {}, each.get("requests") or {}
        for name in ("cpu", "memory"):
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                return "Burstable"
    return "Guaranteed"
