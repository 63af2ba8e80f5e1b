import base64
import ssl
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from fluvial.apis.meta import KubeConfigReference, LocalObjectReference
from fluvial.toolkit.client import Client, Resource
from fluvial.toolkit.clock import rfc3339
from fluvial.toolkit.clouds import Services, TokenCache
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.remote import Access, RemoteClusters
from fluvial.toolkit.testing import FakeApi, FakeClock

ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
LOOPBACK = Path(__file__).with_name("loopback.pem")
"""A certificate for 127.0.0.1 that is its own authority, and its key."""

CONTROLLER = "system:serviceaccount:flux-system:helm-controller"


@pytest.fixture
async def api():
    async with FakeApi([ACCOUNTS]) as server:
        yield server


@pytest.fixture
async def local(api):
    async with Client(api.config, qps=0) as client:
        yield client


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def put_secret(api):
    """Store a Secret with text values."""

    def put(name="remote", **data):
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        meta = {"name": name, "namespace": "default"}
        api.put({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": encoded})

    return put


@pytest.fixture
def put_config_map(api):
    """Store a ConfigMap."""

    def put(name="remote", **data):
        meta = {"name": name, "namespace": "default"}
        data = {key.replace("_", "."): value for key, value in data.items()}
        api.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})

    return put


@pytest.fixture
def put_account(api):
    """Store a ServiceAccount."""

    def put(name="a", annotations=None):
        meta = {"name": name, "namespace": "default", "annotations": annotations or {}}
        api.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})

    return put


@pytest.fixture
def asked(api, clock):
    """Answer token requests and self reviews; returns what was asked for."""
    requests = []

    def answer(request):
        if request.path.endswith("/selfsubjectreviews"):
            return web.json_response({"status": {"userInfo": {"username": CONTROLLER}}}, status=201)
        if not request.path.endswith("/token"):
            return None
        requests.append((request.path, request.body["spec"]["audiences"]))
        ends = rfc3339(clock.now() + timedelta(hours=1))
        status = {"token": f"token-{len(requests)}", "expirationTimestamp": ends}
        return web.json_response({"status": status}, status=201)

    api.faults.append(answer)
    return requests


class Cloud:
    """Services of a cloud on one server: `answers` by path, and what arrived."""

    def __init__(self, scheme):
        self._scheme = scheme
        self.answers = {}
        self.requests = []
        self.bodies = []
        self.url = ""

    async def answer(self, request):
        self.requests.append(request)
        self.bodies.append((await request.read()).decode())
        found = self.answers.get(request.path)
        if found is None:
            return web.Response(status=404)
        status, body = found if isinstance(found, tuple) else (200, found)
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status)

    @property
    def forms(self):
        """What arrived, as forms; empty for what had none."""
        return [dict(parse_qsl(body)) for body in self.bodies]

    async def start(self, tls):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.url = f"{self._scheme}://127.0.0.1:{runner.addresses[0][1]}"
        return runner


@pytest.fixture
async def cloud():
    """Serve without TLS."""
    cloud = Cloud("http")
    runner = await cloud.start(None)
    yield cloud
    await runner.cleanup()


@pytest.fixture
async def secure():
    """Serve with the certificate of the loopback."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(LOOPBACK)
    cloud = Cloud("https")
    runner = await cloud.start(tls)
    yield cloud
    await runner.cleanup()


@pytest.fixture
def services(clock):
    """Ask services, and trust the loopback's certificate."""
    return Services(clock, tls=ssl.create_default_context(cafile=LOOPBACK))


@pytest.fixture
def authority():
    """Return a certificate as PEM."""
    return LOOPBACK.read_text().partition("-----BEGIN PRIVATE KEY")[0]


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def connect(local, clock, metrics, put_config_map):
    """Return the configuration of the client that a ConfigMap leads to; the first call decides."""
    made = []

    async def make(access=None, *, providers=None, size=100, involved=None, **data):
        put_config_map(**data)
        if not made:
            clusters = RemoteClusters(
                local,
                access or Access(object_identity=True),
                clock=clock,
                metrics=metrics,
                qps=0,
                tokens=TokenCache(size, clock=clock, metrics=metrics),
                providers=providers,
            )
            made.append(await stack.enter_async_context(clusters))
        reference = KubeConfigReference(config_map_ref=LocalObjectReference(name="remote"))
        async with made[0].client(reference, "default", involved) as client:
            return client.config

    async with AsyncExitStack() as stack:
        yield make
