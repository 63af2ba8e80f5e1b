"""Deleting a Kustomization: which objects go with it, and when it is let go."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.kustomize.finalizing import deletes
from fluvial.toolkit.testing import FakeClock

DONE = ("True", "ReconciliationSucceeded")
TENANT = "system:serviceaccount:default:deployer"


@pytest.mark.parametrize(
    ("spec", "expected", "reason"),
    [
        ({"prune": True}, True, "by default as prune says"),
        ({"prune": False}, False, "by default as prune says"),
        ({"prune": True, "deletionPolicy": "MirrorPrune"}, True, "the default by name"),
        ({"prune": False, "deletionPolicy": "Delete"}, True, "whatever prune says"),
        ({"prune": False, "deletionPolicy": "WaitForTermination"}, True, "likewise"),
        ({"prune": True, "deletionPolicy": "Orphan"}, False, "left for somebody else"),
        ({"prune": True, "suspend": True}, False, "suspended, nothing is touched"),
        ({"deletionPolicy": "Delete", "suspend": True}, False, "nor with any other policy"),
    ],
)
def test_deletes(kustomization, spec, expected, reason):
    assert deletes(decode(KUSTOMIZATION, kustomization(**spec))) is expected, reason


def delete(api):
    """Delete the Kustomization as kubectl does; its finalizer holds it."""
    live = api.get("Kustomization", "apps")
    marked = {**live["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    api.put({**live, "metadata": marked})


def gone(api):
    return not api.has("Kustomization", "apps")


@pytest.fixture
async def deployed(api, source, kustomization, config_map):
    """Deploy two ConfigMaps with the given spec, in a controller that the test runs."""

    async def deploy(**spec):
        await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
        api.put(kustomization(**spec))
        await api.until_ready(*DONE)

    return deploy


async def test_what_was_applied_goes_in_reverse_order(api, running_controller, deployed):
    async with running_controller():
        await deployed()
        delete(api)
        await api.until(lambda: gone(api))
        await api.until(
            lambda: "ConfigMap/default/b deleted\nConfigMap/default/a deleted" in api.messages()
        )
    assert api.deleted() == ["b", "a"]


@pytest.mark.parametrize("spec", [{"prune": False}, {"deletionPolicy": "Orphan"}])
async def test_orphans_stay(api, running_controller, deployed, spec):
    async with running_controller():
        await deployed(**spec)
        delete(api)
        await api.until(lambda: gone(api))
    assert api.has("ConfigMap", "a")
    assert api.deleted() == []


async def test_what_another_took_over_stays(api, running_controller, deployed):
    async with running_controller():
        await deployed()
        taken = api.get("ConfigMap", "a")
        labels = {**taken["metadata"]["labels"], "kustomize.toolkit.fluxcd.io/name": "other"}
        api.put({**taken, "metadata": {**taken["metadata"], "labels": labels}})
        delete(api)
        await api.until(lambda: gone(api))
    assert api.deleted() == ["b"]


async def test_a_refused_deletion_holds_the_kustomization(api, running_controller, deployed):
    clock = FakeClock()
    async with running_controller(clock):
        await deployed()
        allow = api.refuse("DELETE", "b", "held by a webhook")
        delete(api)
        await api.until(lambda: any("held by a webhook" in one for one in api.messages()))
        assert not gone(api)
        allow()
        await clock.scheduled(0.75)
        await clock.advance(0.75)
        await api.until(lambda: gone(api))
    assert not api.has("ConfigMap", "b")


async def test_nothing_is_deleted_with_the_controllers_rights(api, running_controller, deployed):
    async with running_controller():
        await deployed(serviceAccountName="deployer")
        delete(api)
        await api.until(lambda: gone(api))
        await api.until(lambda: any("unable to prune" in one for one in api.messages()))
    (message,) = [one for one in api.messages() if "unable to prune" in one]
    assert "'deployer' is gone" in message
    assert "ConfigMap/default/a, ConfigMap/default/b" in message
    assert api.deleted() == []


async def test_an_account_that_is_there_deletes(api, running_controller, deployed):
    account = {"name": "deployer", "namespace": "default"}
    api.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    async with running_controller():
        await deployed(serviceAccountName="deployer")
        delete(api)
        await api.until(lambda: gone(api))
    deletions = [r for r in api.requests if r.method == "DELETE"]
    assert len(deletions) == 2
    assert {r.headers["Impersonate-User"] for r in deletions} == {TENANT}


async def test_waiting_for_termination(api, running_controller, deployed):
    clock = FakeClock()
    async with running_controller(clock):
        await deployed(deletionPolicy="WaitForTermination")
        held = api.get("ConfigMap", "a")
        api.put({**held, "metadata": {**held["metadata"], "finalizers": ["example.com/slow"]}})
        delete(api)
        await clock.scheduled(2.0)
        assert not gone(api)
        api.drop("ConfigMap", "a")
        await clock.advance(2.0)
        await api.until(lambda: gone(api))
    assert not any("takes longer" in one for one in api.messages())


async def test_termination_is_not_waited_for_beyond_the_timeout(api, running_controller, deployed):
    clock = FakeClock()
    async with running_controller(clock):
        await deployed(deletionPolicy="WaitForTermination", timeout="30s")
        held = api.get("ConfigMap", "a")
        api.put({**held, "metadata": {**held["metadata"], "finalizers": ["example.com/slow"]}})
        delete(api)
        for _ in range(15):
            await clock.scheduled(2.0)
            await clock.advance(2.0)
        await api.until(lambda: gone(api))
        await api.until(
            lambda: "termination takes longer than allowed: ConfigMap/default/a" in api.messages()
        )
    assert api.has("ConfigMap", "a")
