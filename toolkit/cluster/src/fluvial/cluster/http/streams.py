"""Watches on the wire: one JSON object per line, until timeout, error or the client's end."""

# ruff: noqa: PLR0917, ASYNC109 - a watch has that many options; the timeout is the client's
from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import msgspec
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from fluvial.cluster.endpoints import Endpoints, Target, WatchOptions
from fluvial.cluster.endpoints.feeds import Batch, Change
from fluvial.cluster.endpoints.watching import INITIAL_EVENTS_END
from fluvial.cluster.errors import StatusError
from fluvial.cluster.http.answers import partial
from fluvial.cluster.http.bookmarks import bookmark
from fluvial.cluster.http.negotiation import Accepted
from fluvial.cluster.http.table import Table, check_include
from fluvial.cluster.objects import Object

__all__ = ["stream"]

MIN_TIMEOUT = 1800


def _line(kind: str, data: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + data + b"}\n"


def _chunk(*lines: bytes) -> bytes:
    """Return lines as one chunk of a body (RFC 9112, section 7.1)."""
    size = sum(map(len, lines))
    return b"".join((b"%x\r\n" % size, *lines, b"\r\n"))


class _Shaper:
    """Turns batches of changes into the chunks of one watch."""

    def __init__(
        self, endpoints: Endpoints, target: Target, accepted: Accepted, include: str
    ) -> None:
        self._endpoints = endpoints
        self._resource = target.resource
        # Metadata of lists is not to be had of one object: upstream sends the whole object then.
        self._accepted = Accepted() if accepted.asked.endswith("List") else accepted
        self._include = include
        self._first = True  # the first table of a watch tells the columns

    def chunk(self, batch: Batch) -> bytes:
        """Return the lines of a batch, shared with other watches when they are the same."""
        if self._first and self._accepted.form == "Table":
            return self._lines(batch.changes)
        key = (self._accepted.form, self._accepted.version, self._include)
        return batch.form(key, self._lines)

    def _lines(self, changes: Sequence[Change]) -> bytes:
        return _chunk(*map(self._line, changes))

    def _line(self, change: Change) -> bytes:
        return _line(change.type, self._shape(change))

    def _shape(self, change: Change) -> bytes:
        if change.entry is None:
            return msgspec.json.encode(self._bookmark(change))
        access, accepted = self._endpoints.access, self._accepted
        if not accepted.form:
            return access.encoded(self._resource, change.entry)
        obj = access.view(self._resource, change.entry)
        if accepted.form == "PartialObjectMetadata":
            return msgspec.json.encode(partial(obj, accepted.version))
        return msgspec.json.encode(self._table([obj], obj["metadata"]["resourceVersion"]))

    def _bookmark(self, change: Change) -> Object:
        resource, form = self._resource, self._accepted.form
        meta: Object = {"resourceVersion": str(change.revision)}
        if change.initial_end:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        obj = bookmark(resource, meta)
        if form == "PartialObjectMetadata":
            return partial(obj, self._accepted.version)
        if form == "Table":
            return self._table([obj], meta["resourceVersion"])
        return obj

    def _table(self, objects: list[Object], version: str) -> Object:
        table = Table(
            self._resource,
            self._endpoints.clock(),
            self._include,
            version=self._accepted.version,
        )
        first, self._first = self._first, False
        return table.table(objects, {"resourceVersion": version}, columns=first)


async def stream(
    request: web.BaseRequest,
    endpoints: Endpoints,
    target: Target,
    options: WatchOptions,
    accepted: Accepted,
    timeout: int | None,
    include: str,
    closing: asyncio.Event,
) -> web.StreamResponse:
    """Serve one watch. Refusals are raised before anything was written."""
    if accepted.form == "Table":
        check_include(include)
    batches = endpoints.watcher.open(target, options)
    shaper = _Shaper(endpoints, target, accepted, include)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    wire = _Wire(request, await response.prepare(request))
    limit = timeout or random.randint(MIN_TIMEOUT, 2 * MIN_TIMEOUT)  # noqa: S311 - spreads clients
    sender = asyncio.create_task(_send(wire, batches, shaper, options, limit, endpoints))
    closer = asyncio.create_task(closing.wait())
    try:
        await asyncio.wait({sender, closer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sender, closer):
            task.cancel()
        await asyncio.gather(sender, closer, return_exceptions=True)
    return response


class _Wire:
    """The connection of one watch: what many watches share goes to each of them as it is.

    A `StreamResponse` would copy every chunk to frame it.
    """

    def __init__(self, request: web.BaseRequest, writer: AbstractStreamWriter | None) -> None:
        assert writer is not None  # the response was not sent before
        self._request = request
        self._writer = writer

    async def write(self, chunk: bytes) -> None:
        """Write a chunk, and wait while the client is slow; raises ConnectionError."""
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client of a watch is gone")
        transport.write(chunk)
        await self._writer.drain()


async def _send(
    wire: _Wire,
    batches: AsyncIterator[Batch],
    shaper: _Shaper,
    options: WatchOptions,
    limit: int,
    endpoints: Endpoints,
) -> None:
    """Write a watch until its end; that of the body is written with the response's."""
    try:
        async with asyncio.timeout(limit):
            async for batch in batches:
                await wire.write(shaper.chunk(batch))
    except TimeoutError:
        if options.bookmarks:
            last = Change("BOOKMARK", None, endpoints.store.revision)
            await wire.write(shaper.chunk(Batch([last])))
    except StatusError as error:
        await wire.write(_chunk(_line("ERROR", msgspec.json.encode(error.body()))))
    except ConnectionError:
        return
