"""DaemonSets: one pod on each node that fits."""

from __future__ import annotations

from fluvial.cluster.objects import Object, name_of
from fluvial.cluster.standins import revisions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import generation_of, is_deleting, labels_of, matches
from fluvial.cluster.standins.pods import available_in, from_template, is_finished, is_ready
from fluvial.cluster.standins.resources import DAEMON_SETS, NODES, PODS, REVISIONS
from fluvial.cluster.standins.templates import REVISION_HASH, stamped
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["DaemonSets"]


class DaemonSets:
    """The DaemonSet controller, for a cluster of one node."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._timer = timer
        self.controller = Controller("daemonset", self._reconcile, timer)
        view.follow(DAEMON_SETS, self.controller.add_object)
        view.follow(PODS, self.controller.add_controller_of("DaemonSet"))
        view.follow(NODES, self._node_changed)
        view.follow(REVISIONS)

    def _node_changed(self, _node: Object) -> None:
        for each in self._view.all(DAEMON_SETS):
            self.controller.add_object(each)

    async def _reconcile(self, key: Key) -> float | None:
        owner = self._view.get(DAEMON_SETS, *key)
        if owner is None or is_deleting(owner):
            return None
        selector = owner["spec"]["selector"]
        pods = await self._view.claim(PODS, owner, lambda pod: matches(selector, labels_of(pod)))
        newest, _ = await revisions.ensure(self._view, owner)
        hashed = revisions.hash_of(newest)
        wanted = sum(_fits(owner, node) for node in self._view.all(NODES))
        for pod in pods:
            if is_finished(pod) and not is_deleting(pod):
                await self._view.delete(PODS, pod)
        live = [pod for pod in pods if not is_finished(pod)]
        strategy = (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
        if len(live) < wanted:
            live.append(await self._create(owner, hashed))
        else:
            outdated = [pod for pod in live if labels_of(pod).get(REVISION_HASH) != hashed]
            excess = live[wanted:] or (outdated[:1] if strategy == "RollingUpdate" else [])
            for pod in excess:
                if not is_deleting(pod):
                    await self._view.delete(PODS, pod)
        again = await self._report(owner, live, wanted, hashed)
        await revisions.forget(self._view, owner, {name_of(newest)})
        return again

    async def _create(self, owner: Object, hashed: str) -> Object:
        label = {
            REVISION_HASH: hashed,
            "pod-template-generation": str(generation_of(owner)),
        }
        template = stamped(owner["spec"]["template"], label)
        return await self._view.create(PODS, from_template(owner, template))

    async def _report(
        self, owner: Object, pods: list[Object], wanted: int, hashed: str
    ) -> float | None:
        now = self._timer.now()
        seconds = int(owner["spec"].get("minReadySeconds", 0))
        serving = [pod for pod in pods if not is_deleting(pod)]
        waits = [available_in(pod, seconds, now) for pod in serving]
        available = sum(wait == 0 for wait in waits)
        updated = sum(labels_of(pod).get(REVISION_HASH) == hashed for pod in serving)
        status = {
            "currentNumberScheduled": min(len(serving), wanted),
            "numberMisscheduled": max(0, len(serving) - wanted),
            "desiredNumberScheduled": wanted,
            "numberReady": sum(is_ready(pod) for pod in serving),
            "observedGeneration": generation_of(owner),
            "updatedNumberScheduled": updated or None,
            "numberAvailable": available or None,
            "numberUnavailable": max(0, wanted - available) or None,
        }
        await self._view.set_status(DAEMON_SETS, owner, status)
        return min((wait for wait in waits if wait), default=None)


def _fits(owner: Object, node: Object) -> bool:
    wanted: dict[str, str] = owner["spec"]["template"]["spec"].get("nodeSelector") or {}
    return wanted.items() <= labels_of(node).items()
