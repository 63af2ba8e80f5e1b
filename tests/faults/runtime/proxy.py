"""A wire between a replica and the API server that can be cut, and mended with what was held up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Wire"]


class Wire:
    """Passes bytes on, both ways, until it is `cut`; `mend` delivers what was sent meanwhile."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int) -> AsyncIterator["Wire"]:
        """Listen on a free port of loopback for as long as it is used."""
        wire = cls(port)
        server = await asyncio.start_server(wire._accept, "127.0.0.1", 0)
        wire.port = server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            server.close()
            for task in wire._tasks:
                task.cancel()
            await asyncio.gather(*wire._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Hold everything up from now on; connections stay open."""
        self._whole.clear()

    def mend(self) -> None:
        """Deliver what was held up, then all that comes."""
        self._whole.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._whole.wait()
            out_reader, out_writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._pass_on(reader, out_writer))
                    ways.create_task(self._pass_on(out_reader, writer))
            finally:
                out_writer.close()
        except OSError:
            pass
        except asyncio.CancelledError:
            # The test is over: a cancelled handler is reported as an error by the loop.
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
            await self._whole.wait()
        with contextlib.suppress(OSError):
            writer.close()
