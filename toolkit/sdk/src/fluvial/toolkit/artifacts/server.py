"""Artifacts over plain HTTP, the way upstream's file server gives them."""

import email.utils
import re
from collections import OrderedDict
from contextlib import aclosing
from types import TracebackType
from typing import Self

from aiohttp import web

from ._errors import ArtifactNotFound, PathRejected
from .store import Reading, Store, Stored

__all__ = ["ArtifactServer"]

_SMALL = 64 << 10
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class ArtifactServer:
    """Serves any store: GET and HEAD, one range, If-Modified-Since.

    There is never a Content-Encoding: a Go client would unpack the body, and then fail the digest.
    `/` answers 200, for readiness probes. Files up to 64 KiB are kept in memory, `cache_bytes` in
    all. An async context manager; port 0 takes any free one, `port` tells which.
    """

    def __init__(
        self,
        store: Store,
        *,
        host: str = "0.0.0.0",  # noqa: S104  (consumers are other pods)
        port: int = 9090,
        cache_bytes: int = 4 << 20,
    ) -> None:
        self._store = store
        self._host = host
        self._wanted = port
        self._cache = _Cache(cache_bytes)
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port listened on. Raises RuntimeError before the start."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the artifact server is not started")
        return int(self._runner.addresses[0][1])

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/", self._root)
        app.router.add_get("/{path:.+}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._wanted).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _root(self, _: web.Request) -> web.Response:
        return web.Response(text="artifacts\n")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        try:
            found = await self._store.stat(path)
        except PathRejected:
            found = None
        if found is None:
            raise web.HTTPNotFound(text="404: no such artifact\n")
        # Seconds, as the header has it, so that a client's echo of it is not older.
        modified = int(found.modified)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
            "Last-Modified": email.utils.formatdate(modified, usegmt=True),
        }
        span = _span(request, found.size, modified)
        if span is None and _is_fresh(request, modified):
            return web.Response(status=304, headers={"Last-Modified": headers["Last-Modified"]})
        start, stop = span or (0, found.size)
        if span:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
        headers["Content-Length"] = str(stop - start)
        response = web.StreamResponse(status=206 if span else 200, headers=headers)
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        await self._send(request, response, found, start, stop)
        return response

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        found: Stored,
        start: int,
        stop: int,
    ) -> None:
        held = self._cache.get(found)
        if held is None and found.size <= _SMALL:
            async with aclosing(await self._open(found, 0, found.size)) as chunks:
                held = b"".join([chunk async for chunk in chunks])
            self._cache.put(found, held)
        if held is not None:
            await response.prepare(request)
            await response.write(held[start:stop])
        else:
            async with aclosing(await self._open(found, start, stop)) as chunks:
                await response.prepare(request)
                async for chunk in chunks:
                    await response.write(chunk)
        await response.write_eof()

    async def _open(self, found: Stored, start: int, stop: int) -> Reading:
        try:
            return await self._store.open(found.path, start, stop)
        except ArtifactNotFound as error:
            # Collected since it was looked at.
            raise web.HTTPNotFound(text="404: no such artifact\n") from error


class _Cache:
    """Small files by path, least recently used out first; another time or size is another file."""

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._held: OrderedDict[str, tuple[Stored, bytes]] = OrderedDict()

    def get(self, found: Stored) -> bytes | None:
        held = self._held.get(found.path)
        if held is None or held[0] != found:
            return None
        self._held.move_to_end(found.path)
        return held[1]

    def put(self, found: Stored, content: bytes) -> None:
        old = self._held.pop(found.path, None)
        self._left += len(old[1]) if old else 0
        self._held[found.path] = (found, content)
        self._left -= len(content)
        while self._left < 0:
            _, (_, dropped) = self._held.popitem(last=False)
            self._left += len(dropped)


def _is_fresh(request: web.Request, modified: int) -> bool:
    since = request.if_modified_since
    return since is not None and modified <= int(since.timestamp())


def _span(request: web.Request, size: int, modified: int) -> tuple[int, int] | None:
    """Read a Range header of one range, as RFC 9110 has it; anything unusual means the whole.

    Raises HTTPRequestRangeNotSatisfiable for a range beyond the end.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or match.groups() == ("", ""):
        return None
    condition = request.headers.get("If-Range")
    if condition is not None:
        since = request.if_range
        if since is None or int(since.timestamp()) != modified:
            return None
    first, last = match.groups()
    if first == "":
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return None
    if start >= size:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return start, stop
