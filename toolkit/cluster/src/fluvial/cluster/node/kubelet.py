"""The node agent: a runner for each pod that is bound here, and the node's own object."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from pathlib import Path

from fluvial.cluster.errors import StatusError
from fluvial.cluster.node.addresses import AddressError
from fluvial.cluster.node.podstatus import compute, waiting_status
from fluvial.cluster.node.runner import HOST_IP, NodeServices, PodRunner
from fluvial.cluster.objects import Object, metadata, name_of, namespace_of, rfc3339
from fluvial.cluster.standins import conditions
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting, uid_of
from fluvial.cluster.standins.pods import is_finished
from fluvial.cluster.standins.resources import CLAIMS, CONFIG_MAPS, NODES, PODS, SECRETS
from fluvial.cluster.standins.view import View

__all__ = ["NODE_NAME", "Kubelet"]

NODE_NAME = "fluvial"
_LOG = logging.getLogger(__name__)
_VERSION = "v1.36.0"
_RETRY_ADDRESS = 5.0
_RETRY_REGISTRATION = 5.0
_SOURCES = {
    "ConfigMap": CONFIG_MAPS,
    "Secret": SECRETS,
    "PersistentVolumeClaim": CLAIMS,
}


class Kubelet:
    """Runs the pods of one node.

    Raises nothing for a pod that cannot run: its status says why, as everywhere in Kubernetes.
    """

    def __init__(self, view: View, services: NodeServices) -> None:
        self._view = view
        self._services = services
        self._runners: dict[Key, PodRunner] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._stale: set[str] = set()
        self.controller = Controller("kubelet", self._reconcile, services.timer)
        view.follow(PODS, self.controller.add_object)
        view.follow(NODES)
        for resource in _SOURCES.values():
            view.follow(resource, self._source_changed)

    async def run(self) -> None:
        """Register the node and run pods until cancelled; then end every process."""
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks = group
                group.create_task(self._registered(), name="registration")
                await self.controller.run()
        finally:
            await self._services.processes.close()
            self._services.addresses.close()

    def log_path(
        self, namespace: str, name: str, container: str, *, previous: bool = False
    ) -> Path | None:
        """Return the file with a container's output, None when there is none.

        Simulated containers write nothing, and have no file.
        """
        runner = self._runners.get((namespace, name))
        restarts = runner.restarts_of(container) if runner else None
        if runner is None or restarts is None or (previous and restarts == 0):
            return None
        path = runner.log_of(container, restarts - 1 if previous else restarts)
        return path if path.exists() else None

    def _source_changed(self, source: Object) -> None:
        for (namespace, name), runner in self._runners.items():
            if namespace == namespace_of(source) and not runner.done:
                self._stale.add(uid_of(runner.pod))
                self.controller.add((namespace, name))

    async def _reconcile(self, key: Key) -> float | None:
        pod = self._view.get(PODS, *key)
        runner = self._runners.get(key)
        if runner is not None and (pod is None or uid_of(pod) != uid_of(runner.pod)):
            return await self._abandon(key, runner)
        if pod is None or pod["spec"].get("nodeName") != NODE_NAME:
            return None
        if runner is None:
            return await self._admit(key, pod)
        runner.pod = pod
        if uid_of(pod) in self._stale:
            self._stale.discard(uid_of(pod))
            await self._refresh(runner)
        if is_deleting(pod):
            if runner.done:
                await self._release(key, runner)
                await self._view.delete(PODS, pod, grace=0)
                return None
            runner.stop(float(metadata(pod).get("deletionGracePeriodSeconds") or 0))
        await self._view.set_status(PODS, pod, runner.status())
        return None

    async def _admit(self, key: Key, pod: Object) -> float | None:
        if is_deleting(pod):
            await self._view.delete(PODS, pod, grace=0)
            return None
        if is_finished(pod) or self._tasks is None:
            return None
        namespace = namespace_of(pod)

        def lookup(kind: str, name: str) -> Object | None:
            return self._view.get(_SOURCES[kind], namespace, name)

        def changed() -> None:
            self.controller.add(key)

        try:
            runner = PodRunner(pod, self._services, lookup, changed)
        except AddressError as error:
            entries = [
                waiting_status(each, "ContainerCreating", str(error))
                for each in pod["spec"]["containers"]
            ]
            now = self._services.timer.now()
            await self._view.set_status(PODS, pod, compute(pod, [], entries, over=False, now=now))
            return _RETRY_ADDRESS
        self._runners[key] = runner
        self._tasks.create_task(_guarded(runner), name=f"pod {key[0]}/{key[1]}")
        # The first report follows at once when nothing holds the containers up.
        self.controller.add(key)
        return None

    async def _abandon(self, key: Key, runner: PodRunner) -> float | None:
        """End a pod whose object is gone already (deleted by force)."""
        runner.stop(0)
        if runner.done:
            await self._release(key, runner)
            self.controller.add(key)
        return None

    async def _release(self, key: Key, runner: PodRunner) -> None:
        del self._runners[key]
        await runner.clean()

    async def _refresh(self, runner: PodRunner) -> None:
        """Update files from changed ConfigMaps and Secrets; wake what waited for one."""
        try:
            await runner.refresh()
        except (StatusError, OSError) as error:
            _LOG.warning("volumes of pod %s: %s", name_of(runner.pod), error)
        runner.poke()

    async def _registered(self) -> None:
        """Register until it succeeds: a webhook may be in the way."""
        while True:
            try:
                await self._register()
            except StatusError as error:
                _LOG.warning("node %s is not registered: %s", NODE_NAME, error)
                await self._services.timer.sleep(_RETRY_REGISTRATION)
            else:
                return

    async def _register(self) -> None:
        """Create the node object and report it ready."""
        node = self._view.get(NODES, "", NODE_NAME)
        if node is None:
            node = await self._view.create(NODES, _node())
        status = _node_status(node, rfc3339(self._services.timer.now()))
        found: list[Object] = (node.get("status") or {}).get("conditions") or []
        now = self._services.timer.now()
        for type_, value in _NODE_CONDITIONS.items():
            found = conditions.put(found, type_, *value, now=now, lastHeartbeatTime=rfc3339(now))
        node = await self._view.set_status(NODES, node, {**status, "conditions": found})
        if (node.get("spec") or {}).get("taints"):
            # A new node keeps pods away until a controller of nodes finds it ready.
            await self._view.patch(NODES, node, {"spec": {"taints": None}})


async def _guarded(runner: PodRunner) -> None:
    """Run a pod; an error of the node's own is logged, and other pods run on."""
    try:
        await runner.run()
    except Exception:  # noqa: BLE001  one pod must not end the node
        _LOG.exception(
            "pod %s/%s ended by an internal error", namespace_of(runner.pod), name_of(runner.pod)
        )


_NODE_CONDITIONS = {
    "MemoryPressure": (
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


def _architecture() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _node() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE_NAME,
            "labels": {
                "kubernetes.io/arch": _architecture(),
                "kubernetes.io/hostname": NODE_NAME,
                "kubernetes.io/os": platform.system().lower(),
                "node-role.kubernetes.io/control-plane": "",
            },
        },
        "spec": {},
    }


def _node_status(node: Object, now: str) -> Object:
    size = {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 1024}Ki",
        "pods": "10000",
    }
    return {
        "addresses": [
            {"type": "InternalIP", "address": HOST_IP},
            {"type": "Hostname", "address": NODE_NAME},
        ],
        "allocatable": size,
        "capacity": size,
        "nodeInfo": {
            "architecture": _architecture(),
            "bootID": uid_of(node) or now,
            "containerRuntimeVersion": "fluvial://0.1.0",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": "",
            "kubeletVersion": _VERSION,
            "machineID": uid_of(node),
            "operatingSystem": platform.system().lower(),
            "osImage": platform.platform(terse=True),
            "systemUUID": uid_of(node),
        },
    }
