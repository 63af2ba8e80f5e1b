"""The scheduler: binds each pod to the one node, or says why not."""

from __future__ import annotations

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import annotations_of, is_deleting, labels_of
from fluvial.cluster.standins.resources import NODES, PODS
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Scheduler"]

_UNSCHEDULABLE = "fluvial.dev/unschedulable"


class Scheduler:
    """Gives pods their node. A pod of another scheduler is left alone."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("scheduler", self._reconcile, timer)
        view.follow(PODS, self.controller.add_object)
        view.follow(NODES, self._node_changed)

    def _node_changed(self, _node: Object) -> None:
        for pod in self._view.all(PODS):
            if not pod["spec"].get("nodeName"):
                self.controller.add_object(pod)

    async def _reconcile(self, key: Key) -> float | None:
        pod = self._view.get(PODS, *key)
        if pod is None or pod["spec"].get("nodeName") or is_deleting(pod):
            return None
        if pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler":
            return None
        if pod["spec"].get("schedulingGates"):
            text = "Scheduling is blocked due to non-empty scheduling gates"
            await self._refuse(pod, "SchedulingGated", text)
            return None
        nodes = self._view.all(NODES)
        chosen = next((node for node in nodes if _fits(pod, node)), None)
        if chosen is None:
            why = _complaint(pod, len(nodes))
            await self._refuse(pod, "Unschedulable", why)
            return None
        await self._bind(pod, name_of(chosen))
        return None

    async def _bind(self, pod: Object, node: str) -> None:
        """Create the pod's binding, which also sets its PodScheduled condition."""
        binding = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name_of(pod), "namespace": namespace_of(pod)},
            "target": {"kind": "Node", "name": node},
        }
        try:
            await self._view.api.create(binding, "binding")
        except StatusError as error:
            # Bound or deleted in the meantime: its own event says so.
            if error.code not in {404, 409}:
                raise

    async def _refuse(self, pod: Object, reason: str, message: str) -> None:
        found: list[Object] = (pod.get("status") or {}).get("conditions") or []
        found = conditions.put(
            found,
            "PodScheduled",
            "False",
            reason,
            message,
            now=self._timer.now(),
        )
        await self._view.set_status(PODS, pod, {"phase": "Pending", "conditions": found})


def _fits(pod: Object, node: Object) -> bool:
    if annotations_of(pod).get(_UNSCHEDULABLE) == "true" or node["spec"].get("unschedulable"):
        return False
    wanted: dict[str, str] = pod["spec"].get("nodeSelector") or {}
    return wanted.items() <= labels_of(node).items()


def _complaint(pod: Object, nodes: int) -> str:
    head = f"0/{nodes} nodes are available"
    if annotations_of(pod).get(_UNSCHEDULABLE) == "true":
        return f"{head}: {nodes} Insufficient cpu."
    if pod["spec"].get("nodeSelector"):
        return f"{head}: {nodes} node(s) didn't match Pod's node affinity/selector."
    return f"{head}: {nodes} node(s) were unschedulable."
