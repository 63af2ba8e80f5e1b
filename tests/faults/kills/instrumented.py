"""Runs a controller that notes every point of its attempts, and is killed at one of them.

A point is the moment before and after each request of an attempt (its answer has come), each fsync
and each rename. They are found here, not listed by hand: each is a line in a file. At the point
of one number (0: none) the process kills itself, as the kernel would for want of memory.
"""

import contextvars
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from spare_workers import keep_spare_workers

from fluvial.toolkit import _worker

_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("inside", default=False)
"""Whether this task or thread works for an attempt: watches and events go on beside it."""


class Points:
    """Counts, notes and kills."""

    def __init__(self, file: Path, kill_at: int) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._kill_at = kill_at
        self._count = 0
        self._lock = threading.Lock()

    def reach(self, name: str) -> None:
        with self._lock:
            self._count += 1
            os.write(self._descriptor, f"{name}\n".encode())
            if self._count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Make a blocking call two points."""

        def called(*arguments: Any, **options: Any) -> Any:
            if not _inside.get():
                return call(*arguments, **options)
            self.reach(f"before {name}")
            result = call(*arguments, **options)
            self.reach(f"after {name}")
            return result

        return called


def instrument(points: Points) -> None:
    """Put the points in."""
    attempt, request = _worker._Run._attempt, aiohttp.ClientSession._request

    async def attempted(*arguments: Any) -> Any:
        token = _inside.set(True)
        try:
            return await attempt(*arguments)
        finally:
            _inside.reset(token)

    async def requested(
        session: aiohttp.ClientSession, method: str, url: Any, **options: Any
    ) -> aiohttp.ClientResponse:
        if not _inside.get():
            return await request(session, method, url, **options)
        name = f"{method} {str(url).partition('//')[2].partition('/')[2]} {options.get('params')}"
        points.reach(f"before {name}")
        response = await request(session, method, url, **options)
        points.reach(f"answer to {name}")
        return response

    _worker._Run._attempt = attempted
    aiohttp.ClientSession._request = requested
    os.fsync = points.around("fsync", os.fsync)
    os.rename = points.around("rename", os.rename)
    os.replace = points.around("replace", os.replace)


def run(arguments: Sequence[str]) -> int:
    """Be a controller; returns its exit status.

    The arguments are its module, the file of the points, the number of the one at which it is
    killed, and then its own.
    """
    module, file, kill_at, *own = arguments
    keep_spare_workers()
    instrument(Points(Path(file), int(kill_at)))
    sys.argv = [module, *own]
    status: int = importlib.import_module(f"{module}.main").main()
    return status
