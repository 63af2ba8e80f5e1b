"""A control plane, the canary controller, and a webhook receiver that tests open and close."""

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from namespaces import Namespace, new_namespace

from fluvial.apis.kinds import CANARY
from fluvial.toolkit import Resource
from fluvial.toolkit.client import resource_of_kind

CANARIES = resource_of_kind(CANARY)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
SERVICES = Resource("", "v1", "services", "Service")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
EVENTS = Resource("", "v1", "events", "Event")


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


class Release(Namespace):
    """A namespace with a Deployment `web`, its Canary and a webhook receiver, for one test."""

    def __init__(self, harness, client, name, receiver):
        super().__init__(harness, client, name)
        self.receiver = receiver

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

    async def image(self, name):
        deployment = await self.get(DEPLOYMENTS, name)
        return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest_asyncio.fixture
async def release(plane):
    receiver = Receiver()
    await receiver.server.start_server()
    try:
        async with new_namespace(plane) as (client, name):
            yield Release(plane, client, name, receiver)
    finally:
        await receiver.server.close()
