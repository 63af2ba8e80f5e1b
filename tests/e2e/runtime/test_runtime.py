"""The runtime against a server that validates, owns fields and keeps versions."""

import asyncio

import pytest

from fluvial.apis.crds import crd
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.toolkit import Controller, Manager, Result
from fluvial.toolkit.client import ClientError, resource_of_kind
from fluvial.toolkit.testing import quiet_flags, running

KUSTOMIZATIONS = resource_of_kind(KUSTOMIZATION)
EVENTS_OF = "involvedObject"


@pytest.fixture
async def definition(client, seen):
    """Install the Kustomization definition and wait until it is served."""
    definitions = await client.mapper.resource("apiextensions.k8s.io", "CustomResourceDefinition")
    created = await client.create(definitions, crd(KUSTOMIZATION))
    await seen(
        definitions,
        created["metadata"]["name"],
        lambda d: any(
            c["type"] == "Established" and c["status"] == "True"
            for c in (d.get("status") or {}).get("conditions") or []
        ),
    )
    return definitions, created["metadata"]["name"]


def kustomization(name):
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name},
        "spec": {
            "interval": "10m",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
        },
    }


class Reconciler:
    def __init__(self):
        self.finalized = []

    async def reconcile(self, ctx, obj):
        obj.status.last_attempted_revision = "main@sha1:1"
        await ctx.progress("at work")
        obj.status.last_applied_revision = "main@sha1:1"
        ctx.ready("ReconciliationSucceeded", "Applied revision: main@sha1:1")
        ctx.event("Normal", "ReconciliationSucceeded", "done", {"revision": "main@sha1:1"})
        return Result(interval=600)

    async def finalize(self, _ctx, obj):
        self.finalized.append(obj.metadata.name)


async def test_a_life_from_creation_to_deletion(config, client, definition, seen, is_ready):
    await client.create(KUSTOMIZATIONS, kustomization("apps"), "default")
    reconciler = Reconciler()
    manager = Manager("kustomize-controller", quiet_flags(), config)
    manager.add(
        Controller(
            KUSTOMIZATION,
            reconciler,
            finalizer="finalizers.fluxcd.io",
            manager="gotk-kustomize-controller",
        )
    )
    async with running(manager):
        obj = await seen(KUSTOMIZATIONS, "apps", is_ready)
        assert obj["status"]["observedGeneration"] == 1
        assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
        managers = {
            (entry["manager"], entry.get("subresource"))
            for entry in obj["metadata"]["managedFields"]
        }
        assert ("gotk-kustomize-controller", "status") in managers
        token = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}}
        await client.patch(KUSTOMIZATIONS, "apps", token, "default")
        await seen(
            KUSTOMIZATIONS,
            "apps",
            lambda o: o["status"].get("lastHandledReconcileAt") == "now" and is_ready(o),
        )
        await client.delete(KUSTOMIZATIONS, "apps", "default")
        await seen(KUSTOMIZATIONS, "apps", gone=True)
    assert reconciler.finalized == ["apps"]
    events = await client.list(await client.mapper.resource("", "Event"), "default")
    mine = [e for e in events.items if (e.get(EVENTS_OF) or {}).get("name") == "apps"]
    assert [e["reason"] for e in mine] == ["ReconciliationSucceeded"]
    assert mine[0]["count"] == 2


async def test_the_definition_goes_and_comes_back(config, client, definition, seen, is_ready):
    """Threat K7: the controller survives, and goes on by itself."""
    definitions, name = definition
    await client.create(KUSTOMIZATIONS, kustomization("before"), "default")
    manager = Manager("kustomize-controller", quiet_flags(), config)
    manager.add(Controller(KUSTOMIZATION, Reconciler()))
    async with running(manager):
        await seen(KUSTOMIZATIONS, "before", is_ready)
        await client.delete(definitions, name)
        await seen(definitions, name, gone=True, namespace="")
        await client.create(definitions, crd(KUSTOMIZATION))
        async with asyncio.timeout(20):
            while True:
                try:
                    await client.create(KUSTOMIZATIONS, kustomization("after"), "default")
                except ClientError:  # not served yet, in one of several ways
                    await asyncio.sleep(0.05)
                else:
                    break
        await seen(KUSTOMIZATIONS, "after", is_ready)


async def test_one_of_two_leads_and_the_other_takes_over(
    config, client, definition, seen, is_ready
):
    flags = {"enable_leader_election": True, "leader_election_retry_period": 0.2}
    first = Manager("kustomize-controller", quiet_flags(**flags), config)
    second = Manager("kustomize-controller", quiet_flags(**flags), config)
    for manager in (first, second):
        manager.add(Controller(KUSTOMIZATION, Reconciler()))
    namespaces = await client.mapper.resource("", "Namespace")
    await client.create(
        namespaces,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}},
    )
    async with running(first):
        async with asyncio.timeout(10):
            await first.leading.wait()
        async with running(second):
            await client.create(KUSTOMIZATIONS, kustomization("one"), "default")
            await seen(KUSTOMIZATIONS, "one", is_ready)
            assert not second.leading.is_set()
            first.stop()
            async with asyncio.timeout(10):
                await second.leading.wait()
            await client.create(KUSTOMIZATIONS, kustomization("two"), "default")
            await seen(KUSTOMIZATIONS, "two", is_ready)
