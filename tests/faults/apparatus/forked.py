"""Processes that begin with everything imported: what is killed hundreds of times costs no start.

    warm_up()
    process = Forked.start(program, "--flag", log=path, environment={"TMPDIR": "…"})
    process.kill()
    assert await process.wait() == -signal.SIGKILL

One process per test worker imports the controllers, and never runs anything itself: no thread, no
loop, no connection. Each start is a fork of it, a process of its own to the kernel, which signals
reach like any other. What still runs at the end of the session is ended with it.
"""

import asyncio
import functools
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Self

__all__ = ["Forked", "warm_up"]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "fluvial.kustomize.main",
        "fluvial.kustomize.jobs",
        "fluvial.helm.main",
        "fluvial.helm.jobs",
        "fluvial.source.main",
        "fluvial.source.jobs",
        "fluvial.source.helmchart.jobs",
        "fluvial.toolkit.client.kubeconfig",  # imported where one is read, and half a second long
        "fluvial.toolkit.workers.child",
    ]
)


@functools.cache
def warm_up() -> None:
    """Wait until everything is imported: later starts hold no loop up."""
    process = _CONTEXT.Process(target=_do_nothing)
    process.start()
    process.join()


def _do_nothing() -> None:
    pass


class Forked:
    """A process that runs one function; see `start`."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @classmethod
    def start(
        cls,
        program: Callable[[Sequence[str]], int],
        *arguments: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Call `program(arguments)` in a new process; what it returns is the exit status.

        `program` is a function of a module; `log` gets what the process writes, at its end;
        `environment` is added to this one's.
        """
        log.touch()
        process = _CONTEXT.Process(
            target=_become,
            args=(program, arguments, log, {**os.environ, **(environment or {})}),
            daemon=True,
        )
        process.start()
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, as of `subprocess`: below 0 for a signal, None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait until it has ended; returns the exit status."""
        loop = asyncio.get_running_loop()
        while (status := self.returncode) is None:
            ended = loop.create_future()
            loop.add_reader(self._process.sentinel, ended.cancel)
            try:
                await asyncio.wait([ended])
            finally:
                loop.remove_reader(self._process.sentinel)
        return status


def _become(
    program: Callable[[Sequence[str]], int],
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
) -> None:
    gc.freeze()  # what is shared with the other forks stays so
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.exit(program(arguments))
