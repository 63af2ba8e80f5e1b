"""K5: throttling, failures and broken connections end in backoff, never in a wrong Ready."""

import itertools

import msgspec
import pytest
from aiohttp import web

from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.toolkit import Controller, Manager, Result
from fluvial.toolkit.client import Resource, resource_of_kind
from fluvial.toolkit.testing import quiet_flags, running

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")


class Applier:
    """Reads one ConfigMap and patches another, as an applier does."""

    def __init__(self, maps):
        self.maps = maps
        self.attempts = 0

    async def reconcile(self, ctx, obj):
        self.attempts += 1
        await ctx.client.get(self.maps, "source", "default")
        await ctx.client.patch(self.maps, "target", {"data": {"done": "yes"}}, "default")
        ctx.ready("ReconciliationSucceeded", obj.spec.path or "./")
        return Result(interval=600)


def refusal(code, **headers):
    body = msgspec.json.encode({"kind": "Status", "code": code, "message": f"trouble {code}"})
    return web.Response(status=code, body=body, headers=headers)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (lambda: refusal(429, **{"Retry-After": "0"}), "the server sheds load"),
        pytest.param(
            lambda: refusal(503, **{"Retry-After": "0"}),
            "the server restarts",
            marks=pytest.mark.thorough,
        ),
        pytest.param(lambda: refusal(500), "a failing store", marks=pytest.mark.thorough),
        pytest.param(lambda: refusal(503), "no endpoint for a webhook", marks=pytest.mark.thorough),
    ],
)
async def test_trouble_of_all_requests_passes(api, trouble, reason):
    api.put(kustomization())
    for name in ("source", "target"):
        api.put(config_map(name))
    count = itertools.count()
    readies = []

    def fault(request):
        live = api.get("Kustomization", "apps")
        readies.extend(
            c["status"]
            for c in live["status"].get("conditions") or []
            if c["type"] == "Ready" and "done" not in api.get("ConfigMap", "target")["data"]
        )
        # Two of three requests fail, whatever they are, for the first thirty.
        number = next(count)
        return trouble() if number < 30 and number % 3 else None

    api.faults.append(fault)
    applier = Applier(CONFIG_MAPS)
    flags = quiet_flags(min_retry_delay=0.02, max_retry_delay=0.1)
    manager = Manager("kustomize-controller", flags, api.config)
    manager.add(Controller(KUSTOMIZATION, applier))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")), within=60)
    assert api.get("ConfigMap", "target")["data"]["done"] == "yes", reason
    assert "True" not in readies, "Ready only after the work was done"
    assert len(api.all("Event")) <= applier.attempts, "no event storm"


async def test_broken_connections_pass(api):
    api.put(kustomization())
    for name in ("source", "target"):
        api.put(config_map(name))
    broken = []
    handle = api._serve

    async def serve(request, recorded):
        if "/configmaps/" in request.path and len(broken) < 4:
            broken.append(request.method)
            request.transport.abort()
        return await handle(request, recorded)

    api._serve = serve
    flags = quiet_flags(min_retry_delay=0.02, max_retry_delay=0.1)
    manager = Manager("kustomize-controller", flags, api.config)
    manager.add(Controller(KUSTOMIZATION, Applier(CONFIG_MAPS)))
    async with running(manager):
        await api.until(lambda: is_ready(api.get("Kustomization", "apps")), within=60)
    assert len(broken) == 4


def config_map(name):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"x": "1"},
    }


def kustomization():
    kind = resource_of_kind(KUSTOMIZATION)
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": "apps", "namespace": "default"},
        "spec": {
            "interval": "10m",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
        },
    }


def is_ready(obj):
    conditions = obj["status"].get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
