"""The row of a pod: its status in one word, restarts, readiness."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from fluvial.cluster.http.cell_texts import NONE, age_of, name_of
from fluvial.cluster.http.durations import age
from fluvial.cluster.objects import Object

__all__ = ["cells", "row_conditions"]

_MESSAGES = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}


def row_conditions(obj: Object) -> list[Object]:
    """Return the conditions by which kubectl may hide finished pods."""
    phase = (obj.get("status") or {}).get("phase")
    if phase not in _MESSAGES:
        return []
    message = _MESSAGES[phase]
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


@dataclasses.dataclass(slots=True)
class _Restarts:
    """How often containers began again, and when the last of them had ended."""

    count: int = 0
    last: str = ""

    def add(self, item: Object) -> None:
        """Count the restarts of one container's status."""
        self.count += item.get("restartCount", 0)
        ended = ((item.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
        self.last = max(self.last, ended or "")

    def text(self, now: dt.datetime) -> str:
        """Return the number, and how long ago the last one was when that is known."""
        if self.count and self.last:
            return f"{self.count} ({age(self.last, now)} ago)"
        return str(self.count)


def _exit_reason(done: Object) -> str:
    if done.get("reason"):
        return str(done["reason"])
    if done.get("signal"):
        return f"Signal:{done['signal']}"
    return f"ExitCode:{done.get('exitCode', 0)}"


def _holds(status: Object, kind: str) -> bool:
    """Tell whether the first condition of a type is true."""
    for item in status.get("conditions") or []:
        if item["type"] == kind:
            return bool(item["status"] == "True")
    return False


class _Summary:
    """What the statuses of a pod's containers come to."""

    def __init__(self, obj: Object) -> None:
        self._spec, self._status = obj["spec"], obj.get("status") or {}
        started = self._spec.get("initContainers") or []
        self._sidecars = {c["name"] for c in started if c.get("restartPolicy") == "Always"}
        self.total = len(self._spec.get("containers") or []) + len(self._sidecars)
        self.ready = 0
        self.restarts = _Restarts()
        self.word = str(self._status.get("reason") or self._status.get("phase", ""))
        gated = any(
            item["type"] == "PodScheduled" and item.get("reason") == "SchedulingGated"
            for item in self._status.get("conditions") or []
        )
        if gated:
            self.word = "SchedulingGated"
        sidecars = _Restarts()
        if not self._initializing(sidecars) or _holds(self._status, "Initialized"):
            self.restarts = sidecars
            self._running()

    def _initializing(self, sidecars: _Restarts) -> bool:
        """Go through the init containers up to the first that is not done; tell if one is not."""
        total = len(self._spec.get("initContainers") or [])
        for index, item in enumerate(self._status.get("initContainerStatuses") or []):
            self.restarts.add(item)
            is_sidecar = item.get("name") in self._sidecars
            if is_sidecar:
                sidecars.add(item)
            state = item.get("state") or {}
            done, waiting = state.get("terminated"), (state.get("waiting") or {}).get("reason")
            if done is not None and not done.get("exitCode"):
                continue
            if is_sidecar and item.get("started"):
                self.ready += bool(item.get("ready"))
                continue
            if done is not None:
                self.word = f"Init:{_exit_reason(done)}"
            elif waiting and waiting != "PodInitializing":
                self.word = f"Init:{waiting}"
            else:
                self.word = f"Init:{index}/{total}"
            return True
        return False

    def _running(self) -> None:
        """Go through the containers; the first in order that has a reason gives the word."""
        running = False
        for item in reversed(self._status.get("containerStatuses") or []):
            self.restarts.add(item)
            state = item.get("state") or {}
            if (state.get("waiting") or {}).get("reason"):
                self.word = state["waiting"]["reason"]
            elif state.get("terminated") is not None:
                self.word = _exit_reason(state["terminated"])
            elif item.get("ready") and state.get("running") is not None:
                running = True
                self.ready += 1
        if self.word == "Completed" and running:
            conditions = self._status.get("conditions") or []
            is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
            self.word = "Running" if is_ready else "NotReady"


def _word(obj: Object, summary: _Summary) -> str:
    """Return the status; that a pod is being deleted comes before it, unless it has ended."""
    status = obj.get("status") or {}
    if obj["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in _MESSAGES:
            return "Terminating"
    return summary.word


def cells(obj: Object, now: dt.datetime) -> list[Any]:
    """Return the cells of a pod's row."""
    spec, status = obj["spec"], obj.get("status") or {}
    summary = _Summary(obj)
    gates = spec.get("readinessGates") or []
    passed = sum(_holds(status, gate["conditionType"]) for gate in gates)
    address = next((item["ip"] for item in status.get("podIPs") or []), status.get("podIP"))
    return [
        name_of(obj), f"{summary.ready}/{summary.total}", _word(obj, summary),
        summary.restarts.text(now), age_of(obj, now), address or NONE,
        spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]  # fmt: skip
