import asyncio
import base64
import os
import ssl

import pytest
from aiohttp import web

from fluvial.cluster.api import Api
from fluvial.cluster.auth import bootstrap
from fluvial.cluster.auth.pki import Authority
from fluvial.cluster.crd.registration import Registrar
from fluvial.cluster.endpoints import Endpoints
from fluvial.cluster.resources import Catalog, builtin_resources
from fluvial.cluster.storage import MemoryStore

WITHIN = 60.0
AUTHORITY = Authority()


@pytest.fixture
async def endpoints():
    """Serve what a new control plane has, without HTTP."""
    made = Endpoints(MemoryStore(), Catalog(builtin_resources()))
    api = Api(made)
    for obj in bootstrap.objects():
        await api.create(obj)
    return made


@pytest.fixture
def api(endpoints):
    return Api(endpoints, "tester")


@pytest.fixture
def registrar(endpoints):
    """Let custom resources be served as their definitions say."""
    made = Registrar(endpoints)
    endpoints.on_removed = made.sweep
    return made


@pytest.fixture
def gone():
    """Wait for the end of a process that is not our child."""

    async def wait(pid):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(handle, ended.set)
        try:
            async with asyncio.timeout(WITHIN):
                await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    return wait


class Served:
    """Where an HTTPS server of a test is, as the `clientConfig` of a webhook says it."""

    def __init__(self, port):
        self.port = port
        self.bundle = base64.b64encode(AUTHORITY.certificate).decode()

    @property
    def config(self):
        return {"url": f"https://127.0.0.1:{self.port}/", "caBundle": self.bundle}


@pytest.fixture
async def serve_https(tmp_path):
    """Give what serves a handler of requests over HTTPS."""
    pair = AUTHORITY.server()
    (tmp_path / "c").write_bytes(pair.certificate)
    (tmp_path / "k").write_bytes(pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "c", tmp_path / "k")
    runners = []

    async def serve(handle):
        runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=1.0)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return Served(runner.addresses[0][1])

    yield serve
    for runner in runners:
        await runner.cleanup()
