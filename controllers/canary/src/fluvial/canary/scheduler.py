"""When ticks run: each Canary has a loop of its own.

The set of Canaries is compared with the running loops every `-control-loop-interval`, and as soon
as a Canary comes, goes or changes. A loop ticks at once, then at every interval of its analysis;
ticks of one Canary never overlap, and those that a long tick missed are dropped. A changed
interval starts the loop anew; changes of the status start nothing.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.flagger.canary import Canary
from fluvial.apis.kinds import CANARY
from fluvial.canary.exporter import Exporter
from fluvial.canary.release import Run
from fluvial.canary.strategy import interval_of
from fluvial.toolkit import Clock, Informer, Key, Logger, key_of
from fluvial.toolkit.informer import Change

__all__ = ["Scheduler"]

_LONGEST: Final = 3600.0
"""Seconds after which a tick is given up: webhooks may take long, but not for ever."""

_RETRY: Final = 30.0
"""Seconds between two tries of a deletion, as upstream's resync."""


@dataclass
class _Job:
    task: asyncio.Task[None]
    uid: str
    interval: float


class Scheduler:
    """Runs `tick` for every Canary that the informer knows.

    `floor` is the shortest interval in seconds, `every` the time between two looks at all of them.
    """

    def __init__(
        self,
        informer: Informer,
        tick: Run,
        *,
        clock: Clock,
        log: Logger,
        exporter: Exporter,
        every: float,
        floor: float,
    ) -> None:
        self._informer = informer
        self._tick = tick
        self._clock = clock
        self._log = log
        self._exporter = exporter
        self._every = every
        self._floor = floor
        self._jobs: dict[Key, _Job] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Schedule until cancelled."""
        self._informer.add_handler(self._changed)
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._informer.synced.wait()
                while True:
                    self._wake.clear()
                    self._compare(tasks.create_task)
                    timer = self._clock.call_later(self._every, self._wake.set)
                    try:
                        await self._wake.wait()
                    finally:
                        timer.cancel()
        finally:
            self._informer.remove_handler(self._changed)

    @property
    def jobs(self) -> dict[Key, float]:
        """The interval of each loop that runs, in seconds."""
        return {key: job.interval for key, job in self._jobs.items()}

    def _changed(self, change: Change) -> None:
        old, new = change.old, change.new
        if old is not None and new is not None:
            same = old["metadata"].get("generation") == new["metadata"].get("generation")
            if same and ("deletionTimestamp" in old["metadata"]) == (
                "deletionTimestamp" in new["metadata"]
            ):
                return
        if new is None and old is not None:
            self._forget(old)
        self._wake.set()

    def _forget(self, raw: dict[str, object]) -> None:
        try:
            self._exporter.forget(decode(CANARY, raw))
        except DecodeError:
            return  # it never had a series

    def _compare(self, spawn: Callable[..., asyncio.Task[None]]) -> None:
        wanted = self._wanted()
        self._exporter.count(key.namespace for key in wanted)
        for key, job in list(self._jobs.items()):
            uid, interval = wanted.get(key, ("", 0.0))
            if (uid, interval) != (job.uid, job.interval):
                job.task.cancel()
                del self._jobs[key]
        for key, (uid, interval) in wanted.items():
            if key not in self._jobs:
                task = spawn(self._loop(key, interval), name=f"canary/{key}")
                self._jobs[key] = _Job(task, uid, interval)

    def _wanted(self) -> dict[Key, tuple[str, float]]:
        wanted: dict[Key, tuple[str, float]] = {}
        targets: dict[tuple[str, str, str], Key] = {}
        for raw in self._informer.store:
            key = key_of(raw)
            try:
                canary = decode(CANARY, raw)
            except DecodeError as error:
                self._log.error("the Canary does not fit its model", error=error)
                continue
            first = targets.setdefault(_target(canary), key)
            if first != key:
                self._log.error(
                    "two Canaries have the same target", canary=str(key), other=str(first)
                )
            wanted[key] = (canary.metadata.uid, self._interval(canary))
        return wanted

    def _interval(self, canary: Canary) -> float:
        interval = interval_of(canary, self._floor)
        # A deletion is not an analysis: it is tried again at the pace of a resync, or sooner.
        return min(interval, _RETRY) if canary.metadata.deletion_timestamp else interval

    async def _loop(self, key: Key, interval: float) -> None:
        due = self._clock.monotonic()
        while True:
            await self._one(key)
            due += interval
            late = self._clock.monotonic() - due
            if late > 0:
                due += math.ceil(late / interval) * interval
            await self._clock.sleep(due - self._clock.monotonic())

    async def _one(self, key: Key) -> None:
        try:
            async with asyncio.timeout(_LONGEST):
                await self._tick(key)
        except TimeoutError:
            self._log.error(f"a tick took longer than {_LONGEST:g}s", canary=str(key))
        except Exception as error:  # noqa: BLE001 - one Canary must not stop the others
            self._log.error("a tick ended in an unforeseen error", error=error, canary=str(key))


def _target(canary: Canary) -> tuple[str, str, str]:
    reference = canary.spec.target_ref
    return canary.metadata.namespace, reference.kind, reference.name
