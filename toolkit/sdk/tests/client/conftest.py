import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.toolkit.client import Client, ClusterConfig, Resource
from fluvial.toolkit.testing import FakeClock


class _Impatient(FakeClock):
    """A clock whose sleepers wake at once, and that remembers for how long they meant to sleep."""

    def __init__(self):
        super().__init__()
        self.slept = []

    async def sleep(self, delay):
        self.slept.append(delay)
        await asyncio.sleep(0)


CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")


@pytest.fixture
def impatient():
    return _Impatient()


@pytest.fixture
def configmaps():
    return CONFIGMAPS


@pytest.fixture
async def serve():
    """Start servers that answer with the given handler."""
    servers = []

    async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]):
        app = web.Application(client_max_size=16 << 20)

        async def dispatch(request):
            return await handler(request)

        app.router.add_route("*", "/{path:.*}", dispatch)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url(""))

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def connect(serve):
    """Start a server and return a client for it; without the throttle's probe."""
    clients = []

    async def open_client(handler, **options):
        config = ClusterConfig.plain(await serve(handler), token="secret-token")
        client = Client(config, **{"qps": 0, **options})
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        await client.close()


@pytest.fixture
def answer():
    def make(body, status=200, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(
            body=msgspec.json.encode(body),
            status=status,
            headers=names,
            content_type="application/json",
        )

    return make


@pytest.fixture
def failure(answer):
    def make(code, reason="", message="no", **headers):
        body = {"kind": "Status", "code": code, "reason": reason, "message": message}
        return answer(body, code, **headers)

    return make


@pytest.fixture
def forever():
    """Never answer, until the client goes away."""

    async def wait(_request):
        await asyncio.Event().wait()

    return wait
