"""The row of a pod: its status in one word, restarts, readiness."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.http.durations import age
from fluvial.cluster.objects import Object

__all__ = ["cells", "row_conditions"]

NONE = "<none>"


def row_conditions(obj: Object) -> list[Object]:
    """Return the conditions by which kubectl may hide finished pods."""
    phase = (obj.get("status") or {}).get("phase")
    if phase not in ("Succeeded", "Failed"):
        return []
    message = "The pod has completed successfully." if phase == "Succeeded" else "The pod failed."
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


def _exit_reason(state: Object) -> str:
    done = state.get("terminated") or {}
    if done.get("reason"):
        return str(done["reason"])
    if done.get("signal"):
        return f"Signal:{done['signal']}"
    return f"ExitCode:{done.get('exitCode', 0)}"


def _initializing(obj: Object) -> str | None:
    statuses = (obj.get("status") or {}).get("initContainerStatuses") or []
    total = len(obj["spec"].get("initContainers") or [])
    for index, item in enumerate(statuses):
        state = item.get("state") or {}
        if (state.get("terminated") or {}).get("exitCode") == 0:
            continue
        if item.get("started") and item.get("ready"):
            continue
        if state.get("terminated") is not None:
            return f"Init:{_exit_reason(state)}"
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{index}/{total}"
    return None


def _word(obj: Object) -> tuple[str, int, int, str | None]:
    """Return the status word, ready containers, restarts and when the last restart was."""
    status = obj.get("status") or {}
    reason = str(status.get("reason") or status.get("phase", ""))
    initializing = _initializing(obj)
    ready = restarts = 0
    last: str | None = None
    running = False
    if initializing is not None:
        reason = initializing
    else:
        for item in reversed(status.get("containerStatuses") or []):
            restarts += item.get("restartCount", 0)
            ended = ((item.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
            last = max(filter(None, (last, ended)), default=None)
            state = item.get("state") or {}
            if (state.get("waiting") or {}).get("reason"):
                reason = state["waiting"]["reason"]
            elif state.get("terminated") is not None:
                reason = _exit_reason(state)
            elif item.get("ready") and state.get("running") is not None:
                running = True
                ready += 1
        if reason == "Completed" and running:
            conditions = status.get("conditions") or []
            is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
            reason = "Running" if is_ready else "NotReady"
    if obj["metadata"].get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason, ready, restarts, last


def cells(obj: Object, now: dt.datetime) -> list[Any]:
    """Return the cells of a pod's row."""
    spec, status = obj["spec"], obj.get("status") or {}
    word, ready, restarts, last = _word(obj)
    for item in status.get("conditions") or []:
        if item["type"] == "PodScheduled" and item.get("reason") == "SchedulingGated":
            word = "SchedulingGated"
    shown = str(restarts)
    if restarts and last:
        shown = f"{restarts} ({age(last, now)} ago)"
    gates = spec.get("readinessGates") or []
    passed = sum(
        any(
            c["type"] == gate["conditionType"] and c["status"] == "True"
            for c in status.get("conditions") or []
        )
        for gate in gates
    )
    address = next((item["ip"] for item in status.get("podIPs") or []), status.get("podIP"))
    return [
        obj["metadata"]["name"], f"{ready}/{len(spec.get('containers') or [])}", word, shown,
        age(obj["metadata"].get("creationTimestamp"), now), address or NONE,
        spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]  # fmt: skip
