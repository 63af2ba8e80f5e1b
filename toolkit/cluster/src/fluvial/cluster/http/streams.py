"""Watches on the wire: one JSON object per line, until timeout, error or the client's end."""

# ruff: noqa: PLR0917, ASYNC109 - a watch has that many options; the timeout is the client's
from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import msgspec
from aiohttp import web

from fluvial.cluster.endpoints import Endpoints, Target, WatchOptions
from fluvial.cluster.endpoints.watching import INITIAL_EVENTS_END, Change
from fluvial.cluster.errors import StatusError
from fluvial.cluster.http.answers import partial
from fluvial.cluster.http.negotiation import Accepted
from fluvial.cluster.http.table import Table
from fluvial.cluster.objects import Object

__all__ = ["stream"]

MIN_TIMEOUT = 1800


def _line(kind: str, data: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + data + b"}\n"


def _shaper(
    endpoints: Endpoints, target: Target, accepted: Accepted, include: str
) -> Callable[[Change], bytes]:
    """Return what turns a change into the bytes of its object."""
    resource, access = target.resource, endpoints.access
    first = True

    def bookmark(change: Change) -> bytes:
        meta: Object = {"resourceVersion": str(change.revision)}
        if change.initial_end:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        obj: Object = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        if accepted.form == "PartialObjectMetadata":
            obj = partial(obj, accepted.version)
        elif accepted.form == "Table":
            nonlocal first
            table = Table(resource, endpoints.clock(), include)
            obj = table.table([], {"resourceVersion": str(change.revision)}, columns=first)
            if change.initial_end:
                obj["metadata"]["annotations"] = meta["annotations"]
            first = False
        return msgspec.json.encode(obj)

    def shape(change: Change) -> bytes:
        nonlocal first
        if change.entry is None:
            return bookmark(change)
        if not accepted.form:
            return access.encoded(resource, change.entry)
        obj = access.view(resource, change.entry)
        if accepted.form == "PartialObjectMetadata":
            return msgspec.json.encode(partial(obj, accepted.version))
        table = Table(resource, endpoints.clock(), include)
        meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        result = table.table([obj], meta, columns=first)
        first = False
        return msgspec.json.encode(result)

    return shape


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
    changes = endpoints.watcher.open(target, options)
    shape = _shaper(endpoints, target, accepted, include)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    limit = timeout or random.randint(MIN_TIMEOUT, 2 * MIN_TIMEOUT)  # noqa: S311 - spreads clients
    sender = asyncio.create_task(_send(response, changes, shape, options, limit, endpoints))
    closer = asyncio.create_task(closing.wait())
    try:
        await asyncio.wait({sender, closer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sender, closer):
            task.cancel()
        await asyncio.gather(sender, closer, return_exceptions=True)
    return response


async def _send(
    response: web.StreamResponse,
    changes: AsyncIterator[Change],
    shape: Callable[[Change], bytes],
    options: WatchOptions,
    limit: int,
    endpoints: Endpoints,
) -> None:
    try:
        async with asyncio.timeout(limit):
            async for change in changes:
                await response.write(_line(change.type, shape(change)))
    except TimeoutError:
        if options.bookmarks:
            last = Change("BOOKMARK", None, endpoints.store.revision)
            await response.write(_line("BOOKMARK", shape(last)))
    except StatusError as error:
        await response.write(_line("ERROR", msgspec.json.encode(error.body())))
    except ConnectionError:
        return
    await response.write_eof()
