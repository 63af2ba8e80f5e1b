"""Stands between a client and the API server, and does to watches what bad networks do."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.toolkit.client import ClusterConfig

__all__ = ["Middleman", "Trouble"]

Trouble: TypeAlias = Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]
"""What becomes of the lines of a watch; raising ConnectionResetError breaks the connection."""

_HEADERS = ("Accept", "Content-Type", "User-Agent")


class Middleman:
    """Passes every request on; each watch meets the next of `troubles`, then none.

    `lists` and `watches` count what came.
    """

    def __init__(self, server: str, token: str, ca: str) -> None:
        self._server = server
        self._token = token
        self._tls = ssl.create_default_context(cadata=ca)
        self.troubles: list[Trouble] = []
        self.lists = 0
        self.watches = 0
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Middleman"]:
        """Serve for as long as it is used."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url(""))
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls),
            headers={"Authorization": f"Bearer {self._token}"},
        ) as self._session:
            try:
                yield self
            finally:
                await server.close()

    @property
    def config(self) -> ClusterConfig:
        """How to reach it."""
        return ClusterConfig.plain(self.url)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        watch = request.query.get("watch") == "true"
        async with self._session.request(
            request.method,
            self._server + request.path_qs,
            data=await request.read(),
            headers={name: request.headers[name] for name in _HEADERS if name in request.headers},
        ) as answer:
            if not watch or answer.status != 200:
                self.lists += request.method == "GET" and request.path.endswith("/configmaps")
                return web.Response(
                    status=answer.status,
                    body=await answer.read(),
                    content_type=answer.content_type,
                )
            self.watches += 1
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            trouble = self.troubles.pop(0) if self.troubles else None
            lines = _lines(answer)
            try:
                async for piece in trouble(lines) if trouble else lines:
                    await response.write(piece)
            except ConnectionError:
                if request.transport is not None:
                    request.transport.abort()
            return response


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for line in answer.content:
        yield line
