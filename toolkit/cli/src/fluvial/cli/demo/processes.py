"""The processes of the demo: started in groups of their own, in one folder, gone with the demo.

A reaper (the embedded control plane's own) holds a pipe to the demo. However the demo ends, the
pipe ends with it; the reaper then kills what is left, by group, and removes the folder.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from fluvial.cli.demo.errors import ProcessEnded, StepFailed
from fluvial.cluster.node import reaper

__all__ = ["Crew", "Member"]

_POLL: Final = 0.02
_GRACE: Final = 8.0
"""Seconds that a process has after SIGTERM."""

_TAIL: Final = 8192


@dataclass(frozen=True, slots=True)
class Member:
    """One process; it leads the group of its children."""

    name: str
    process: asyncio.subprocess.Process
    log: Path


class Crew:
    """Starts and ends processes; an async context manager. `folder` is private and goes with it."""

    def __init__(self) -> None:
        self.folder = Path()
        self._members: dict[str, Member] = {}
        self._reaper: asyncio.subprocess.Process | None = None
        self._ending = False
        self._before: str | None = None

    async def __aenter__(self) -> Self:
        self.folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="fluvial-demo-"))
        await asyncio.to_thread((self.folder / "tmp").mkdir)
        # What this process itself writes, a client's key for instance, goes with the folder too.
        self._before = tempfile.tempdir
        tempfile.tempdir = str(self.folder / "tmp")
        self._reaper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(reaper.__file__), str(self.folder)),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        # Not cut short by a second Ctrl-C: the deadlines below bound it.
        await asyncio.shield(asyncio.ensure_future(self._close()))

    async def start(
        self,
        name: str,
        *module_and_arguments: str,
        ready: Callable[[], bool],
        within: float,
    ) -> Member:
        """Start `python -m MODULE …` until `ready()`. Raises StepFailed, ProcessEnded."""
        return await self.start_program(
            name, sys.executable, "-m", *module_and_arguments, ready=ready, within=within
        )

    async def start_program(
        self, name: str, *command: str, ready: Callable[[], bool], within: float
    ) -> Member:
        """Start any program; like `start` otherwise."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=self._environment(),
                start_new_session=True,
            )
        self._tell_reaper(f"+{process.pid}")
        member = self._members[name] = Member(name, process, log)
        end = time.monotonic() + within
        while not ready():
            if process.returncode is not None:
                raise self._ended(member)
            if time.monotonic() > end:
                raise StepFailed(f"{name} was not ready within {within:.0f} s", process=name)
            await asyncio.sleep(_POLL)
        return member

    async def watch(self) -> None:
        """Wait until a process ends that should not; raises ProcessEnded, and never returns."""
        async with asyncio.TaskGroup() as tasks:
            for member in self._members.values():
                tasks.create_task(self._watch(member))

    def kill(self, name: str) -> None:
        """End a process and its children as a crash would."""
        os.killpg(self._members[name].process.pid, signal.SIGKILL)

    def tail(self, name: str, lines: int = 12) -> str:
        """Return the last lines of a process's output."""
        member = self._members.get(name)
        if member is None or not member.log.exists():
            return ""
        with member.log.open("rb") as file:
            file.seek(max(0, member.log.stat().st_size - _TAIL))
            text = file.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    async def _watch(self, member: Member) -> None:
        await member.process.wait()
        if not self._ending:
            raise self._ended(member)

    def _ended(self, member: Member) -> ProcessEnded:
        status = member.process.returncode or 0
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        return ProcessEnded(f"{member.name} ended by itself ({how})", process=member.name)

    def _environment(self) -> Mapping[str, str]:
        """Return the environment: temporary files in the folder, no proxy between the parts."""
        proxies = {"http_proxy", "https_proxy", "all_proxy"}
        kept = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
        return {**kept, "TMPDIR": str(self.folder / "tmp"), "PYTHONUNBUFFERED": "1"}

    async def _close(self) -> None:
        self._ending = True
        tempfile.tempdir = self._before
        members = list(self._members.values())
        # The first one started is what all others talk to: it goes last.
        await asyncio.gather(*(self._stop(member) for member in members[1:]))
        for member in members[:1]:
            await self._stop(member)
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            await self._reaper.wait()

    async def _stop(self, member: Member) -> None:
        process = member.process
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _GRACE)
        # Children that outlived it, or itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        self._tell_reaper(f"-{process.pid}")

    def _tell_reaper(self, line: str) -> None:
        assert self._reaper is not None, "the crew was not entered"
        assert self._reaper.stdin is not None, "the reaper reads a pipe"
        self._reaper.stdin.write(f"{line}\n".encode())
