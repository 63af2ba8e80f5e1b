"""Workers for a pool that are there before it: forks of a process that has imported their jobs.

A pool starts its workers as fresh interpreters, each of which imports its jobs for up to a second.
Where a process is killed a moment later, hundreds of times, nothing is learnt from that.
"""

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NamedTuple

from fluvial.toolkit.workers import child
from fluvial.toolkit.workers._worker import Worker

__all__ = ["keep_spare_workers"]

_COUNT = 2
"""As many as a pool has at most; what it starts later, in place of a lost one, is a fresh one."""


class _Spare(NamedTuple):
    pid: int
    wire: socket.socket


def keep_spare_workers() -> None:
    """Fork workers, and give them to the first pool that asks; before this process has a loop."""
    spares = [_fork() for _ in range(_COUNT)]
    start = Worker.start

    async def adopt(preload: Sequence[str], memory: int, deadline: float) -> Worker:
        if not spares:
            return await start(preload, memory, deadline)
        assert set(preload) <= set(sys.modules), "a spare worker has imported what it is to run"
        spare = spares.pop()
        if memory:
            resource.prlimit(spare.pid, resource.RLIMIT_DATA, (memory, memory))
        reader, writer = await asyncio.open_connection(sock=spare.wire)
        worker = Worker(_Process(spare.pid), reader, writer, memory)
        await worker._receive()
        return worker

    Worker.start = adopt


def _fork() -> _Spare:
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            ours.close()
            status = child.main([str(theirs.detach()), str(parent), "0"])
        finally:
            os._exit(status)
    theirs.close()
    return _Spare(pid, ours)


class _Process:
    """A child, as far as a `Worker` asks about it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    @property
    def returncode(self) -> int | None:
        self._reap(os.WNOHANG)
        return self._status

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        await asyncio.to_thread(self._reap, 0)
        assert self._status is not None
        return self._status

    def _reap(self, options: int) -> None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
