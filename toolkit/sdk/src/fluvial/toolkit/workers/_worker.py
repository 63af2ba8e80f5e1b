"""One worker process, seen from the pool."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Sequence

import msgspec

from ._errors import DeadlineExceeded, WorkerDied
from ._frames import LONGEST, OUT_OF_MEMORY, PREFIX, Answer, Call, Ready, frame

__all__ = ["Worker"]

_KEPT_ENVIRONMENT = ("HOME", "LANG", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV")


class Worker:
    """A process and the socket to it. Not for concurrent use."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        memory: int,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._memory = memory

    @classmethod
    async def start(cls, preload: Sequence[str], memory: int, deadline: float) -> "Worker":
        """Start a process and wait until it is ready, at most `deadline` seconds.

        Raises WorkerDied when it does not get there.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "fluvial.toolkit.workers.child",
                    str(theirs.fileno()),
                    str(os.getpid()),
                    str(memory),
                    *preload,
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    env=_environment(),
                )
            except BaseException:
                ours.close()
                raise
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = cls(process, reader, writer, memory)
        try:
            async with asyncio.timeout(deadline):
                answer = await worker._receive()
        except TimeoutError as error:
            await worker.kill()
            raise WorkerDied(f"worker did not start within {deadline:g} s") from error
        except BaseException:
            await worker.kill()
            raise
        assert isinstance(answer, Ready)
        return worker

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs, as far as is known."""
        return self._process.returncode is None and not self._reader.at_eof()

    async def call(self, function: str, argument: bytes, deadline: float) -> Answer:
        """Run one job. The worker is of no more use after any exception.

        Raises DeadlineExceeded and WorkerDied.
        """
        try:
            async with asyncio.timeout(deadline):
                self._writer.write(frame(Call(function, msgspec.Raw(argument))))
                await self._writer.drain()
                return await self._receive()
        except TimeoutError as error:
            raise DeadlineExceeded(f"job {function} took longer than {deadline:g} s") from error
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise WorkerDied(f"job {function}: {await self._obituary()}") from error

    async def kill(self) -> None:
        """End the process now and wait until it is gone."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._writer.close()
        await self._process.wait()

    async def _receive(self) -> Answer:
        try:
            length = int.from_bytes(await self._reader.readexactly(PREFIX), "big")
            if length > LONGEST:
                raise WorkerDied(f"worker sent a frame of {length} bytes")
            body = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise WorkerDied(await self._obituary()) from error
        answer: Answer = msgspec.msgpack.decode(body, type=Answer)
        return answer

    async def _obituary(self) -> str:
        self._writer.close()
        status = await self._process.wait()
        if status == OUT_OF_MEMORY:
            return f"worker ran out of its {self._memory >> 20} MiB of memory"
        if status < 0:
            return f"worker was killed by signal {-status}"
        return f"worker ended with status {status}"


def _environment() -> dict[str, str]:
    """Only what an interpreter needs: a template that reads the environment finds no secret."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_ENVIRONMENT or name.startswith(("LC_", "PYTHON"))
    }
