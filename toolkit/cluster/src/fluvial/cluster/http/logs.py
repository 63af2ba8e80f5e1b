"""The output of a pod's containers, from the files that the node writes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from fluvial.cluster.endpoints import Endpoints, Target
from fluvial.cluster.errors import bad_request
from fluvial.cluster.http import queries
from fluvial.cluster.objects import Object

__all__ = ["serve"]

POLL = 0.2
"""Seconds between two looks at a file that is followed."""


def _container(pod: Object, wanted: str) -> str:
    names = [item["name"] for item in pod["spec"].get("containers") or []]
    every = names + [item["name"] for item in pod["spec"].get("initContainers") or []]
    if wanted and wanted not in every:
        raise bad_request(f"container {wanted} is not valid for pod {pod['metadata']['name']}")
    if wanted:
        return wanted
    if len(names) != 1:
        shown = " ".join(names)
        raise bad_request(
            f"a container name must be specified for pod {pod['metadata']['name']}, choose one "
            f"of: [{shown}]"
        )
    return str(names[0])


def _tail(data: bytes, lines: str | None) -> bytes:
    if lines is None:
        return data
    kept = data.splitlines(keepends=True)
    count = int(lines)
    return b"".join(kept[-count:]) if count else b""


async def serve(
    request: web.BaseRequest, endpoints: Endpoints, target: Target, closing: asyncio.Event
) -> web.StreamResponse:
    """Answer a request for a log; `follow` goes on until the pod is gone or the server closes."""
    pod = endpoints.access.view(target.resource, endpoints.access.find(target))
    container = _container(pod, request.query.get("container", ""))
    if not pod["spec"].get("nodeName") or endpoints.log_path is None:
        return web.Response(status=204)
    previous = bool(queries.flag(request.query, "previous"))
    path = endpoints.log_path(target.namespace, target.name, container, previous=previous)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    follow = bool(queries.flag(request.query, "follow"))
    offset = 0
    while True:
        data = await asyncio.to_thread(_read, path, offset)
        if data:
            shown = _tail(data, request.query.get("tailLines")) if offset == 0 else data
            await response.write(shown)
            offset += len(data)
        gone = endpoints.store.get(target.resource.prefix, target.key) is None
        if not follow or gone or closing.is_set():
            break
        await asyncio.sleep(POLL)
    await response.write_eof()
    return response


def _read(path: Path | None, offset: int) -> bytes:
    if path is None:
        return b""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read()
