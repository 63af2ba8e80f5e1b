"""K5 on the embedded control plane, over TLS: every trouble passes, and Ready is never wrong."""

import asyncio
from contextlib import aclosing

import pytest

from fluvial.apis.crds import crd
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.cluster.http.faults import Fault
from fluvial.toolkit import CONFIG_MAP, Controller, Manager, Resource, Result
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.references import DEFINITIONS
from fluvial.toolkit.testing import quiet_flags, running

KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)
EVENTS = Resource("", "v1", "events", "Event")
TARGET = "/api/v1/namespaces/default/configmaps/target"
TIMES = 4
WITHIN = 60.0


class Applier:
    """Applies one ConfigMap; counts its attempts."""

    def __init__(self):
        self.attempts = 0

    async def reconcile(self, ctx, _):
        self.attempts += 1
        target = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "target"},
            "data": {"done": "yes"},
        }
        await ctx.apply(target)
        ctx.ready("ReconciliationSucceeded", "applied")
        return Result(interval=600)


@pytest.fixture
async def defined(client):
    """Define Kustomizations, and wait until they are served."""
    await client.create(DEFINITIONS, crd(KUSTOMIZATION))
    name = f"{KUSTOMIZATIONS.plural}.{KUSTOMIZATIONS.group}"
    async with (
        asyncio.timeout(WITHIN),
        aclosing(client.watch(DEFINITIONS, field_selector=f"metadata.name={name}")) as events,
    ):
        async for event in events:
            conditions = (event.object.get("status") or {}).get("conditions") or []
            if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
                break


def ready_of(obj):
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((c["status"] for c in conditions if c["type"] == "Ready"), "")


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"status": 429, "retry_after": 0}, "the server sheds load and says for how long"),
        ({"status": 500}, "its store fails"),
        ({"status": 503}, "it restarts"),
        ({"status": 504}, "its webhook does not answer"),
        ({"drop": "before"}, "the TLS connection breaks before the request is acted on"),
        ({"drop": "after"}, "and after it was: only the answer is lost"),
        ({"hang": True}, "it stalls for longer than the client waits"),
        pytest.param(
            {"delay": 0.3, "status": 503}, "it is slow to say no", marks=pytest.mark.thorough
        ),
    ],
)
async def test_k5_trouble_passes(client, plane, config, defined, *, trouble, reason):
    fault = plane.faults.add(Fault(TARGET, agent="troubled/", count=TIMES, **trouble))
    obj = {
        "apiVersion": KUSTOMIZATIONS.api_version,
        "kind": KUSTOMIZATIONS.kind,
        "metadata": {"name": "apps"},
        "spec": {
            "interval": "10m",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
        },
    }
    created = await client.create(KUSTOMIZATIONS, obj, "default")
    applier = Applier()
    flags = quiet_flags(min_retry_delay=0.05, max_retry_delay=0.2)
    manager = Manager("troubled", flags, config)
    manager.client._transport.timeout = 1.0
    manager.add(Controller(KUSTOMIZATION, applier))
    version = created["metadata"]["resourceVersion"]
    async with (
        running(manager),
        asyncio.timeout(WITHIN),
        aclosing(client.watch(KUSTOMIZATIONS, "default", resource_version=version)) as changes,
    ):
        async for event in changes:
            if event.type == "MODIFIED" and ready_of(event.object) == "True":
                found = await client.get(CONFIG_MAP, "target", "default")
                assert found["data"] == {"done": "yes"}, "Ready only after the work was done"
                break
    assert fault.hits == TIMES, reason
    told = (await client.list(EVENTS, "default")).items
    assert sum(event.get("count", 1) for event in told) <= applier.attempts + 1, "no event storm"
    assert applier.attempts <= TIMES + 1, "and no storm of attempts"
