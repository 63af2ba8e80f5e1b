"""What runs in a container: a real process in a group of its own, or a simulated one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from fluvial.cluster.node.files import private_file
from fluvial.cluster.standins.timer import Timer

__all__ = ["Process", "Processes", "SimulatedProcess"]

_HERE = Path(__file__).parent
_PYTHON = (sys.executable, "-I", "-S")
_PATIENCE = 5.0


class Process(Protocol):
    """A started container process."""

    async def wait(self) -> int:
        """Wait for its end; the exit code, 128 + n when signal n ended it."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it, with everything that it started."""


class SimulatedProcess:
    """A process that only keeps time.

    It runs for `seconds` and exits with `code`; without `seconds` it runs until it is asked to
    end, and then exits with 0.
    """

    def __init__(self, timer: Timer, seconds: float | None, code: int) -> None:
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._alarm = None
        if seconds is not None:
            self._alarm = timer.call_later(seconds, lambda: self._end(code))

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)
        if self._alarm is not None:
            self._alarm.cancel()

    async def wait(self) -> int:
        """Wait for its end."""
        return await asyncio.shield(self._ended)

    def terminate(self) -> None:
        """End it in good order."""
        self._end(0)

    def kill(self) -> None:
        """End it as SIGKILL would."""
        self._end(128 + signal.SIGKILL)


class _RealProcess:
    """A local process that leads its own group."""

    def __init__(self, inner: asyncio.subprocess.Process, owner: Processes) -> None:
        self._inner = inner
        self._owner = owner

    async def wait(self) -> int:
        code = await self._inner.wait()
        # What it started and left behind goes with it, as with a container.
        self.kill()
        self._owner.forget(self._inner.pid)
        return code if code >= 0 else 128 - code

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._inner.pid, number)


class Processes:
    """Starts real processes, and sees to it that none outlives the control plane.

    `directory` is private to the node; the reaper removes it when the control plane was killed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._reaper: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def start(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path, log: Path
    ) -> Process:
        """Start a command; standard output and error are appended to `log`. Raises `OSError`."""
        await self._start_reaper()
        with private_file(log) as output:
            inner = await self._spawn(command, environment, cwd, output)
        self._tell(f"+{inner.pid}\n")
        return _RealProcess(inner, self)

    async def _spawn(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path, output: BinaryIO
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *_PYTHON,
            str(_HERE / "launcher.py"),
            str(os.getpid()),
            *command,
            env=dict(environment),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def forget(self, pid: int) -> None:
        """Take note that a process and its group have ended."""
        self._tell(f"-{pid}\n")

    async def _start_reaper(self) -> None:
        async with self._lock:
            if self._reaper is None:
                self._reaper = await asyncio.create_subprocess_exec(
                    *_PYTHON,
                    str(_HERE / "reaper.py"),
                    str(self._directory),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )

    def _tell(self, line: str) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.write(line.encode())

    async def close(self) -> None:
        """End the reaper, which removes the node's directory."""
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            await asyncio.wait_for(self._reaper.wait(), _PATIENCE)
            self._reaper = None
