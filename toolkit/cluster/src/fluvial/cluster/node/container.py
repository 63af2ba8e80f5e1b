"""One container: started, probed, restarted with backoff, and ended in time."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Awaitable, Callable

from fluvial.cluster.node.environment import ConfigError
from fluvial.cluster.node.images import image_id, is_valid
from fluvial.cluster.node.probes import check, run_probe
from fluvial.cluster.node.process import Process
from fluvial.cluster.node.script import Script
from fluvial.cluster.objects import Object, rfc3339
from fluvial.cluster.standins.timer import Timer, seconds_since

__all__ = ["Backoff", "Container", "Setting"]

_RETRY_CONFIG = 5.0
_KILLED_PATIENCE = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between restarts, in seconds: the first restart is at once, then `first`, doubling.

    A container that ran for `reset` starts over.
    """

    first: float = 10.0
    last: float = 300.0
    reset: float = 600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What a container has around it.

    `start` starts its process for the given restart count and raises `ConfigError` while
    something is missing; `probed` is False for simulated ones; `changed` is called after every
    change of state; `grace` is the pod's terminationGracePeriodSeconds.
    """

    pod: str
    address: str
    script: Script
    timer: Timer
    backoff: Backoff
    start: Callable[[int], Awaitable[Process]]
    changed: Callable[[], None]
    probed: bool
    grace: float


class Container:
    """Runs one container of a pod, and knows its state as a status shows it."""

    def __init__(self, spec: Object, setting: Setting) -> None:
        self.spec = spec
        self.state: Object = {"waiting": {"reason": "ContainerCreating"}}
        self.last_state: Object = {}
        self.restarts = 0
        self.ready = False
        self.started = asyncio.Event()
        self.ended = False
        self._id = ""
        self._setting = setting
        self._stopping = False
        self._halt = asyncio.Event()
        self._wake = asyncio.Event()
        self._waits_for_config = False
        self._grace = setting.grace

    @property
    def exit_code(self) -> int | None:
        """Return the code of the last end, None while it waits or runs."""
        code = self.state.get("terminated", {}).get("exitCode")
        return None if code is None else int(code)

    def status(self) -> Object:
        """Return the entry of `containerStatuses`."""
        return {
            "name": self.spec["name"],
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": self.spec["image"],
            "imageID": image_id(self.spec["image"]) if self._id else "",
            **({"containerID": f"fluvial://{self._id}"} if self._id else {}),
            "started": self.started.is_set(),
        }

    def wait_for(self, reason: str, message: str = "") -> None:
        """Show why the container does not run."""
        waiting = {"reason": reason, **({"message": message} if message else {})}
        if self.state.get("waiting") != waiting:
            self.state = {"waiting": waiting}
            self._setting.changed()

    def stop(self, grace: float) -> None:
        """End it for good: asked first, killed after `grace` seconds."""
        self._stopping = True
        self._grace = grace
        self._halt.set()
        self._wake.set()

    def poke(self) -> None:
        """Look again at what was missing: a ConfigMap or Secret changed."""
        if self._waits_for_config:
            self._wake.set()

    async def run(self, policy: str) -> None:
        """Run until stopped, or until it ended and the restart `policy` leaves it there."""
        failures = 0
        while not self._stopping:
            if not await self._pulled():
                break
            process = await self._start()
            if process is None:
                continue
            await self._live(process)
            code = self.exit_code or 0
            if self._stopping or policy == "Never" or (policy == "OnFailure" and code == 0):
                break
            await self._back_off(failures)
            ran = self.last_state["terminated"]
            lasted = seconds_since(ran["startedAt"], self._setting.timer.now())
            failures = 1 if lasted > self._setting.backoff.reset else failures + 1
        self.ended = True
        self._setting.changed()

    async def _pulled(self) -> bool:
        """Wait until the image is there; False when stopped instead."""
        image = self.spec["image"]
        if not is_valid(image):
            text = f'Failed to apply default image tag "{image}": couldn\'t parse image name'
            self.wait_for("InvalidImageName", text)
        elif self._setting.script.pull_failure:
            self.wait_for("ErrImagePull", f'failed to pull and unpack image "{image}": not found')
            await self._pause(self._setting.backoff.first)
            self.wait_for("ImagePullBackOff", f'Back-off pulling image "{image}"')
        else:
            return True
        while not self._stopping:
            await self._pause(self._setting.backoff.last)
        return False

    async def _start(self) -> Process | None:
        """Start the process; None when it could not be."""
        try:
            process = await self._setting.start(self.restarts)
        except ConfigError as error:
            self.wait_for(error.reason, str(error))
            self._waits_for_config = True
            await self._pause(_RETRY_CONFIG)
            self._waits_for_config = False
            return None
        except OSError as error:
            self.wait_for("RunContainerError", f"failed to start: {error}")
            await self._pause(self._setting.backoff.first)
            return None
        self._id = uuid.uuid4().hex
        self.state = {"running": {"startedAt": rfc3339(self._setting.timer.now())}}
        return process

    async def _live(self, process: Process) -> None:
        """Follow a process to its end."""
        started = self.state["running"]["startedAt"]
        if not self._stopping:
            self._halt.clear()
        try:
            async with asyncio.TaskGroup() as group:
                companions = [
                    group.create_task(self._end_when_asked(process)),
                    group.create_task(self._probe()),
                ]
                code = await process.wait()
                for companion in companions:
                    companion.cancel()
        except BaseException:
            process.kill()
            async with asyncio.timeout(_KILLED_PATIENCE):
                await process.wait()
            raise
        self.ready = False
        self.started.clear()
        terminated = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": started,
            "finishedAt": rfc3339(self._setting.timer.now()),
            "containerID": f"fluvial://{self._id}",
        }
        self.state = {"terminated": terminated}
        self._setting.changed()

    async def _end_when_asked(self, process: Process) -> None:
        await self._halt.wait()
        await self._before_stop()
        process.terminate()
        await self._setting.timer.sleep(self._grace)
        process.kill()

    async def _before_stop(self) -> None:
        """Run the preStop hook: `sleep` and `httpGet`; the time counts against the grace."""
        hook = (self.spec.get("lifecycle") or {}).get("preStop") or {}
        timer = self._setting.timer
        asked = rfc3339(timer.now())
        if "sleep" in hook:
            await timer.sleep(min(float(hook["sleep"]["seconds"]), self._grace))
        elif "httpGet" in hook and self._setting.probed:
            probe = {"httpGet": hook["httpGet"], "timeoutSeconds": max(self._grace, 0.1)}
            await check(probe, self._setting.address, self.spec.get("ports") or [])
        self._grace = max(0.0, self._grace - seconds_since(asked, timer.now()))

    async def _probe(self) -> None:
        """Judge startup, then readiness and liveness, for as long as the process runs."""
        if "startupProbe" in self.spec:
            await self._until_started(self.spec["startupProbe"])
        self.started.set()
        script = self._setting.script
        if "readinessProbe" not in self.spec and not script.rollout_delay:
            self._set_ready(True)
        self._setting.changed()
        async with asyncio.TaskGroup() as group:
            if "livenessProbe" in self.spec:
                group.create_task(self._run(self.spec["livenessProbe"], self._judge_life))
            if script.rollout_delay:
                await self._setting.timer.sleep(script.rollout_delay)
            if "readinessProbe" in self.spec:
                await self._run(self.spec["readinessProbe"], self._set_ready)
            self._set_ready(True)

    async def _until_started(self, probe: Object) -> None:
        passed = asyncio.Event()

        def verdict(good: bool) -> None:
            if good:
                passed.set()
            else:
                self._halt.set()

        async with asyncio.TaskGroup() as group:
            checks = group.create_task(self._run(probe, verdict))
            if self._setting.probed:
                await passed.wait()
            checks.cancel()

    async def _run(self, probe: Object, verdict: Callable[[bool], None]) -> None:
        """Run a probe for ever; a simulated container passes each at once."""
        if not self._setting.probed:
            verdict(True)
            return
        ports = self.spec.get("ports") or []
        await run_probe(probe, self._setting.address, ports, self._setting.timer, verdict)

    def _judge_life(self, good: bool) -> None:
        if not good:
            self._halt.set()

    def _set_ready(self, ready: bool) -> None:
        ready = ready and not self._setting.script.never_ready
        if ready != self.ready:
            self.ready = ready
            self._setting.changed()

    async def _back_off(self, failures: int) -> None:
        """Wait before the next restart, and count it."""
        self.last_state = self.state
        backoff = self._setting.backoff
        if failures > 0:
            delay = min(backoff.first * 2.0 ** min(failures - 1, 20), backoff.last)
            name = self.spec["name"]
            self.wait_for(
                "CrashLoopBackOff",
                f"back-off {delay:g}s restarting failed container={name} pod={self._setting.pod}",
            )
            await self._pause(delay)
        if not self._stopping:
            self.restarts += 1

    async def _pause(self, seconds: float) -> None:
        """Wait, unless stopped or poked."""
        if self._stopping:
            return
        self._wake.clear()
        alarm = self._setting.timer.call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            alarm.cancel()
