"""An API server on loopback, a clock that tests move, and objects to apply."""

import asyncio
import heapq
import importlib.util
import sys
from pathlib import Path

import pytest
from aiohttp import web

from fluvial.toolkit.apply import Applier, Owner
from fluvial.toolkit.client import Client, ClusterConfig

MANAGER = "kustomize-controller"
GROUP = "kustomize.toolkit.fluxcd.io"


def _neighbour(name):
    """Import a module of this folder: test folders are no packages."""
    spec = importlib.util.spec_from_file_location(
        f"apply_tests_{name}", Path(__file__).with_name(f"{name}.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


api_server = _neighbour("api_server")


class ManualClock:
    """Time that passes when a test says so, or, with `auto`, whenever somebody sleeps."""

    def __init__(self, *, auto):
        self.auto = auto
        self._now = 0.0
        self._sleepers = []
        self.slept = []

    def monotonic(self):
        return self._now

    async def sleep(self, delay):
        self.slept.append(delay)
        if self.auto:
            self._now += delay
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + delay, id(future), future))
        await future

    def advance(self, seconds):
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


@pytest.fixture
async def server():
    api = api_server.ApiServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield api
    await runner.cleanup()


@pytest.fixture
async def client(server):
    async with Client(ClusterConfig(server.url), qps=0) as client:
        yield client


@pytest.fixture
def clock():
    return ManualClock(auto=True)


@pytest.fixture
def manual_clock():
    return ManualClock(auto=False)


@pytest.fixture
def owner():
    return Owner(GROUP, "apps", "flux-system")


@pytest.fixture
def applier(client, owner, clock):
    return Applier(client, MANAGER, owner, clock=clock)


@pytest.fixture
def config_map():
    def make(name="a", namespace="default", /, data=None, **metadata):
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace, **metadata},
            "data": data or {"key": "value"},
        }

    return make


@pytest.fixture
def definition():
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
    }


@pytest.fixture
def widget():
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "default"},
        "spec": {"size": 1},
    }
