"""A control plane, the canary controller, and a webhook receiver that tests open and close."""

import asyncio
import itertools
import os

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from harness import until

from fluvial.apis.kinds import CANARY
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

CANARIES = resource_of_kind(CANARY)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
SERVICES = Resource("", "v1", "services", "Service")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
EVENTS = Resource("", "v1", "events", "Event")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)

_names = itertools.count(1)


@pytest.fixture(scope="module")
def plane(make_harness):
    harness = make_harness("canary")
    harness.start_plane()
    harness.define([CANARY])
    harness.start_controller(
        "fluvial.canary",
        "-mesh-provider=kubernetes",
        "-control-loop-interval=1s",
        "-analysis-interval-floor=1s",
    )
    return harness


class Receiver:
    """Answers webhooks: `status` by path, 200 where none is set; keeps what arrived."""

    def __init__(self):
        self.status = {}
        self.calls = []
        app = web.Application()
        app.router.add_post("/{path}", self._answer)
        self.server = TestServer(app)

    def url(self, path):
        return str(self.server.make_url(f"/{path}"))

    async def _answer(self, request):
        path = request.match_info["path"]
        self.calls.append((path, msgspec.json.decode(await request.read())))
        return web.Response(status=self.status.get(path, 200), text=f"{path} says so")


class Release:
    """A namespace with a Deployment `web`, its Canary and a webhook receiver, for one test."""

    def __init__(self, harness, client, name, receiver):
        self.harness = harness
        self.client = client
        self.name = name
        self.receiver = receiver

    async def put(self, resource, name, **fields):
        obj = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": self.name},
            **fields,
        }
        await self.client.patch(
            resource, name, obj, self.name, type="apply", field_manager="kubectl", force=True
        )

    async def deploy(self, version, **pod):
        """Create or change the target; without replicas, which are the controller's to set."""
        container = {"name": "web", "image": f"example.com/web:{version}"}
        pod_spec = {"containers": [container | pod.pop("container", {})], **pod}
        await self.put(
            DEPLOYMENTS,
            "web",
            spec={
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec},
            },
        )

    async def canary(self, *webhooks, iterations=2, **spec):
        hooks = [
            {"name": path, "type": kind, "url": self.receiver.url(path)} for kind, path in webhooks
        ]
        await self.put(
            CANARIES,
            "web",
            spec={
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "service": {"port": 80, "targetPort": 8080},
                "analysis": {
                    "interval": "1s",
                    "threshold": 2,
                    "iterations": iterations,
                    "webhooks": hooks,
                },
                **spec,
            },
        )

    async def until_phase(self, *phases):
        obj = await self.until(CANARIES, "web", lambda o: o["status"]["phase"] in phases)
        return obj["status"]

    async def until(self, resource, name, holds=lambda _: True, **more):
        return await until(self.client, resource, name, self.name, holds, **more)

    async def get(self, resource, name):
        return await self.client.get(resource, name, self.name)

    async def image(self, name):
        deployment = await self.get(DEPLOYMENTS, name)
        return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest_asyncio.fixture
async def release(plane):
    receiver = Receiver()
    await receiver.server.start_server()
    try:
        async with plane.client() as client:
            name = f"release-{os.getpid()}-{next(_names)}"
            await client.create(
                NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
            made = Release(plane, client, name, receiver)
            yield made
            async with asyncio.timeout(20):
                await client.delete(NAMESPACES, name)
    finally:
        await receiver.server.close()
