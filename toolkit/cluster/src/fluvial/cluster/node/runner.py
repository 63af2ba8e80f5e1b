"""One pod on the node: its volumes, its containers in order, and its end."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from fluvial.cluster.node.addresses import Addresses
from fluvial.cluster.node.container import Backoff, Container, Setting
from fluvial.cluster.node.environment import ConfigError, Lookup, environment_of, expand
from fluvial.cluster.node.images import repository_of, tag_of
from fluvial.cluster.node.podstatus import compute
from fluvial.cluster.node.process import Process, Processes, SimulatedProcess
from fluvial.cluster.node.script import Script
from fluvial.cluster.node.volumes import Volumes
from fluvial.cluster.objects import Object, name_of, namespace_of, rfc3339
from fluvial.cluster.standins.metadata import uid_of
from fluvial.cluster.standins.timer import Timer

__all__ = ["HOST_IP", "NodeServices", "PodRunner"]

HOST_IP = "127.0.0.1"
_GRACE = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class NodeServices:
    """What all pods of the node share. `images` maps an image repository to its command."""

    directory: Path
    images: Mapping[str, tuple[str, ...]]
    addresses: Addresses
    processes: Processes
    timer: Timer
    backoff: Backoff


class PodRunner:
    """Runs one pod, once; `changed` is called whenever its status may have changed.

    `pod` is replaced by the kubelet when the object changes; what was started is not.
    """

    def __init__(
        self, pod: Object, services: NodeServices, lookup: Lookup, changed: Callable[[], None]
    ) -> None:
        self.pod = pod
        self.done = False
        self._services = services
        self._lookup = lookup
        self._changed = changed
        self._script = Script.of(pod)
        self._started = rfc3339(services.timer.now())
        self._directory = services.directory / "pods" / uid_of(pod)
        claims = services.directory / "claims" / namespace_of(pod)
        self._volumes = Volumes(self._directory, claims, lookup)
        spec = pod["spec"]
        every = [*(spec.get("initContainers") or []), *spec["containers"]]
        real = any(self._is_real(each) for each in every)
        # A simulated pod without volumes leaves no trace on the disk, and costs no thread.
        self._on_disk = real or bool(spec.get("volumes"))
        self.address = services.addresses.take(claim=real)
        self._inits = [self._container(each) for each in spec.get("initContainers") or []]
        self._mains = [self._container(each) for each in spec["containers"]]
        self._stopping = asyncio.Event()
        self._news = asyncio.Event()

    def _is_real(self, container: Object) -> bool:
        return repository_of(container["image"]) in self._services.images

    def _container(self, spec: Object) -> Container:
        real = self._is_real(spec) and not self._script.crash_loop

        async def start(restart: int) -> Process:
            return await self._start(spec, restart, real=real)

        return Container(
            spec,
            Setting(
                pod=f"{name_of(self.pod)}_{namespace_of(self.pod)}({uid_of(self.pod)})",
                address=self.address,
                script=self._script,
                timer=self._services.timer,
                backoff=self._services.backoff,
                start=start,
                changed=self._changed,
                probed=real,
                grace=float(self.pod["spec"].get("terminationGracePeriodSeconds", _GRACE)),
            ),
        )

    def log_of(self, container: str, restart: int) -> Path:
        """Return the file that holds a container's output."""
        return self._directory / "logs" / container / f"{restart}.log"

    def restarts_of(self, container: str) -> int | None:
        """Return how often a container was restarted, None when the pod has no such one."""
        for each in [*self._inits, *self._mains]:
            if each.spec["name"] == container:
                return each.restarts
        return None

    async def _start(self, spec: Object, restart: int, *, real: bool) -> Process:
        """Start a container's process; raises `ConfigError` while something is missing."""
        status = {"podIP": self.address, "hostIP": HOST_IP}
        values = environment_of(self.pod, spec, status, self._lookup)
        if not real:
            return self._simulated(spec)
        root = await asyncio.to_thread(self._volumes.root_of, self.pod, spec)
        ports = spec.get("ports") or []
        own = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(root),
            "HOSTNAME": name_of(self.pod),
            "LANG": "C.UTF-8",
            "FLUVIAL_ROOT": str(root),
            "FLUVIAL_POD_IP": self.address,
            "FLUVIAL_IMAGE_TAG": tag_of(spec["image"]),
            **({"FLUVIAL_PORT": str(ports[0]["containerPort"])} if ports else {}),
        }
        given = [*(spec.get("command") or []), *(spec.get("args") or [])]
        command = [
            *self._services.images[repository_of(spec["image"])],
            *(expand(text, values) for text in given),
        ]
        log = self.log_of(spec["name"], restart)
        return await self._services.processes.start(command, {**own, **values}, root, log)

    def _simulated(self, spec: Object) -> Process:
        timer = self._services.timer
        if self._script.crash_loop:
            return SimulatedProcess(timer, 0.0, 1)
        inits = self.pod["spec"].get("initContainers") or []
        is_init = any(each["name"] == spec["name"] for each in inits)
        if is_init and spec.get("restartPolicy") != "Always":
            return SimulatedProcess(timer, 0.0, 0)
        if self._policy() == "Always" or is_init:
            return SimulatedProcess(timer, None, 0)
        return SimulatedProcess(timer, self._script.run_for, self._script.exit_code)

    def _policy(self) -> str:
        return str(self.pod["spec"].get("restartPolicy", "Always"))

    async def run(self) -> None:
        """Run until the pod has ended or was stopped; then free what it held."""
        try:
            if await self._prepared():
                await self._run_containers()
        finally:
            self._services.addresses.give_back(self.address)
            self.done = True
            self._changed()

    async def _prepared(self) -> bool:
        """Wait until all volumes are there; False when stopped before."""
        while not self._stopping.is_set():
            self._news.clear()
            try:
                await self.refresh()
            except ConfigError as error:
                for each in self._mains:
                    each.wait_for("ContainerCreating", str(error))
            else:
                return True
            # A ConfigMap, Secret or claim that appears wakes the kubelet, which calls `poke`.
            await self._news.wait()
        return False

    async def refresh(self) -> None:
        """Bring volumes up to date; raises `ConfigError` for what is missing."""
        if not self._on_disk:
            return
        status = {"podIP": self.address, "hostIP": HOST_IP}
        await asyncio.to_thread(self._volumes.prepare, self.pod, status)

    async def _run_containers(self) -> None:
        policy = self._policy()
        async with asyncio.TaskGroup() as group:
            sidecars = []
            for each in self._inits:
                if each.spec.get("restartPolicy") == "Always":
                    sidecars.append(each)
                    group.create_task(each.run("Always"))
                    await self._started_or_stopped(each)
                else:
                    await each.run("Never" if policy == "Never" else "OnFailure")
                    if each.exit_code != 0:
                        break
            else:
                mains = [group.create_task(each.run(policy)) for each in self._mains]
                await asyncio.wait(mains)
            for each in sidecars:
                each.stop(float(self.pod["spec"].get("terminationGracePeriodSeconds", _GRACE)))

    async def _started_or_stopped(self, sidecar: Container) -> None:
        """Wait for a sidecar to start, or for the pod to be stopped."""
        async with asyncio.TaskGroup() as group:
            waits = [
                group.create_task(sidecar.started.wait()),
                group.create_task(self._stopping.wait()),
            ]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()

    def stop(self, grace: float) -> None:
        """End all containers; `run` returns when they are gone."""
        self._stopping.set()
        for each in [*self._inits, *self._mains]:
            each.stop(grace)
        self.poke()

    def poke(self) -> None:
        """Look again at what was missing."""
        self._news.set()
        for each in [*self._inits, *self._mains]:
            each.poke()

    def status(self) -> Object:
        """Return the pod's status."""
        failed = any(each.ended and each.exit_code != 0 for each in self._inits)
        over = failed or all(each.ended for each in self._mains)
        return {
            **compute(
                self.pod,
                [_init_status(each) for each in self._inits],
                [each.status() for each in self._mains],
                over=over,
                now=self._services.timer.now(),
            ),
            "hostIP": HOST_IP,
            "hostIPs": [{"ip": HOST_IP}],
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._started,
        }

    async def clean(self) -> None:
        """Remove the pod's directory: volumes and logs."""
        if self._on_disk:
            await asyncio.to_thread(self._volumes.remove)


def _init_status(container: Container) -> Object:
    """Return the status of an init container: one that has done its work counts as ready."""
    status = container.status()
    return {**status, "ready": True} if container.exit_code == 0 else status
