"""The pool: which worker runs which job, and what becomes of the others when one is lost."""

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import msgspec

from ._errors import JobError, WorkerDied, WorkerError
from ._frames import Failure, Reply
from ._worker import Worker

__all__ = ["WorkerPool"]

T = TypeVar("T")

_START = 30.0
"""Seconds that a worker may take until it is ready, its preloaded modules included."""


class WorkerPool:
    """Named functions in processes of their own; use as an async context manager.

    `workers` defaults to the cores, at most 2; `memory` is each one's limit in bytes (its data
    segment; 0: none). `preload` names modules that a worker imports before it is ready, so that no
    job pays for them. Leaving the context kills every worker.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        memory: int = 1 << 30,
        preload: Sequence[str] = (),
        start_deadline: float = _START,
    ) -> None:
        count = workers or min(os.cpu_count() or 1, 2)
        self._slots = [_Slot(tuple(preload), memory, start_deadline) for _ in range(count)]
        self._waiting: deque[_Waiter] = deque()
        self._tasks = asyncio.TaskGroup()
        self._jobs: set[asyncio.Task[None]] = set()
        self._closing = False

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for slot in self._slots:
            slot.busy = True
            self._spawn(self._renew(slot))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        while self._waiting:
            granted = self._waiting.popleft().granted
            if not granted.done():
                granted.set_exception(WorkerDied("the worker pool was closed"))
        for job in self._jobs:
            job.cancel()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            for slot in self._slots:
                await slot.stop()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run now."""
        return [slot.worker.pid for slot in self._slots if slot.worker and slot.worker.alive]

    async def run(
        self, function: str, request: msgspec.Struct, reply: type[T], *, key: str, deadline: float
    ) -> T:
        """Run a job and return its reply.

        `key` is sticky: the same key goes to the same worker, whose caches are warm for it; only
        when that one is busy and another is free does the other take it, for one slow job must not
        hold up its neighbours. `deadline` is in seconds, from the moment a worker takes the job.

        Raises JobError for an exception in the job, DeadlineExceeded, WorkerDied. Cancelling the
        caller drops a job that still waits for a worker; one that runs goes on to its deadline,
        and its result is dropped.
        """
        if self._closing:
            raise WorkerDied("the worker pool is closed")
        argument = msgspec.msgpack.encode(request)
        slot = await self._acquire(self._slots[hash(key) % len(self._slots)])
        outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._spawn(self._work(slot, function, argument, deadline, outcome))
        return msgspec.msgpack.decode(await outcome, type=reply)

    async def _acquire(self, own: "_Slot") -> "_Slot":
        for slot in (own, *self._slots):
            if not slot.busy:
                slot.busy = True
                return slot
        waiter = _Waiter(own, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif waiter.granted.done() and not waiter.granted.cancelled():
                self._release(waiter.granted.result())
            raise

    def _release(self, slot: "_Slot") -> None:
        """Hand the slot on: to its own oldest waiter, else to the oldest of all."""
        waiter = next((waiter for waiter in self._waiting if waiter.own is slot), None)
        if waiter is None and self._waiting:
            waiter = self._waiting[0]
        if waiter is None:
            slot.busy = False
            return
        self._waiting.remove(waiter)
        if waiter.granted.cancelled():
            self._release(slot)
        else:
            waiter.granted.set_result(slot)

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = self._tasks.create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _renew(self, slot: "_Slot") -> None:
        """Start the slot's worker ahead of its next job."""
        try:
            await slot.ready()
        except WorkerError:
            # The next job tries again, and reports it.
            pass
        finally:
            self._release(slot)

    async def _work(
        self,
        slot: "_Slot",
        function: str,
        argument: bytes,
        deadline: float,
        outcome: "asyncio.Future[bytes]",
    ) -> None:
        try:
            worker = await slot.ready()
            answer = await worker.call(function, argument, deadline)
            assert isinstance(answer, Reply | Failure)
            if isinstance(answer, Failure):
                _settle(outcome, JobError(answer.type, answer.message, answer.details))
            else:
                _settle(outcome, bytes(answer.result))
        except asyncio.CancelledError:
            _settle(outcome, WorkerDied("the worker pool was closed"))
            raise
        except (WorkerError, ValueError, OSError) as error:
            await slot.stop()
            _settle(outcome, error)
        await self._renew(slot)


class _Waiter(NamedTuple):
    """A job that no worker has taken yet."""

    own: "_Slot"
    granted: "asyncio.Future[_Slot]"


class _Slot:
    """A place for a worker; the worker in it may change."""

    def __init__(self, preload: tuple[str, ...], memory: int, deadline: float) -> None:
        self._preload = preload
        self._memory = memory
        self._deadline = deadline
        self.worker: Worker | None = None
        self.busy = False

    async def ready(self) -> Worker:
        """Return a live worker. Raises WorkerDied when none can be started."""
        if self.worker is not None and not self.worker.alive:
            await self.stop()
        if self.worker is None:
            self.worker = await Worker.start(self._preload, self._memory, self._deadline)
        return self.worker

    async def stop(self) -> None:
        """Kill the worker, if there is one."""
        if self.worker is not None:
            worker, self.worker = self.worker, None
            await worker.kill()


def _settle(outcome: "asyncio.Future[bytes]", result: bytes | Exception) -> None:
    """Tell the caller, if there still is one."""
    if outcome.done():
        return
    if isinstance(result, bytes):
        outcome.set_result(result)
    else:
        outcome.set_exception(result)
