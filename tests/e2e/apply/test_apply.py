"""Apply, drift, prune, force, and crashes, with a server that knows schemas and ownership."""

import asyncio
import contextlib
import copy

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.apis.meta import IgnoreRule
from fluvial.toolkit.apply import (
    Action,
    ApplyFailed,
    ApplyOptions,
    FieldChange,
    Inventory,
    PruneOptions,
    State,
    wait,
)
from fluvial.toolkit.client import LeaseLost

WEB = ("apps/v1", "Deployment", "web")


async def test_a_whole_application_in_one_go(applier, deployment, config_map, definition, widget):
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "team:reader", "namespace": "ignored"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    objects = [widget(), service, deployment(), config_map("a", "team"), role, space, definition]

    first = await applier.apply(objects)
    again = await applier.apply(objects)

    assert {change.action for change in first.changes} == {Action.CREATED}
    assert [change.action for change in again.changes] == [Action.UNCHANGED] * len(objects)
    assert first.inventory == again.inventory
    assert [entry.id for entry in first.inventory.to_status().entries] == [
        "_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition",
        "_team__Namespace",
        "_team__reader_rbac.authorization.k8s.io_ClusterRole",
        "team_a__ConfigMap",
        "default_web__Service",
        "default_web_apps_Deployment",
        "default_w_example.com_Widget",
    ]
    # Not those of the first time: the definition's status was written after that.
    versions = {change.id: change.metadata["resourceVersion"] for change in again.changes}
    third = await applier.apply(objects)
    assert versions == {change.id: change.metadata["resourceVersion"] for change in third.changes}


async def test_drift_in_a_list_is_found_and_corrected(applier, client, live, deployment):
    await applier.apply([deployment()])
    resource = await client.resource_of(deployment())
    edited = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil"}]
    await client.patch(resource, "web", edited, "default", type="json", field_manager="intruder")

    changes = await applier.apply([deployment()])

    [change] = changes.changes
    assert change.action is Action.CONFIGURED
    assert change.fields == [
        FieldChange("/spec/template/spec/containers/0/image", "evil", "example/app:1")
    ]
    assert change.managers == ("intruder",)
    containers = (await live(*WEB))["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "example/app:1"


async def test_fields_of_an_autoscaler_are_left_alone(applier, client, live, deployment):
    without = deployment()
    del without["spec"]["replicas"]
    await applier.apply([without])
    resource = await client.resource_of(without)
    await client.patch(
        resource, "web", {"spec": {"replicas": 7}}, "default", field_manager="autoscaler"
    )

    changes = await applier.apply([without])

    assert not changes.changed
    assert (await live(*WEB))["spec"]["replicas"] == 7


async def test_ignored_replicas_survive_a_change_of_the_image(applier, client, live, deployment):
    await applier.apply([deployment()])
    resource = await client.resource_of(deployment())
    await client.patch(
        resource, "web", {"spec": {"replicas": 7}}, "default", field_manager="autoscaler"
    )
    options = ApplyOptions(ignore=[IgnoreRule(paths=["/spec/replicas"])])

    assert not (await applier.apply([deployment()], options)).changed
    assert (await applier.apply([deployment(image="example/app:2")], options)).changed

    spec = (await live(*WEB))["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["image"]) == (
        7,
        "example/app:2",
    )


async def test_what_kubectl_left_is_taken_over(applier, client, live, config_map):
    resource = await client.resource_of(config_map())
    await client.create(
        resource, config_map(key="value", extra="x"), field_manager="kubectl-client-side-apply"
    )

    await applier.apply([config_map()])

    found = await live("v1", "ConfigMap", "a")
    assert found["data"] == {"key": "value"}
    assert [(e["manager"], e["operation"]) for e in found["metadata"]["managedFields"]] == [
        ("kustomize-controller", "Apply")
    ]


async def test_an_immutable_selector_with_and_without_force(applier, live, deployment):
    await applier.apply([deployment()])
    uid = (await live(*WEB))["metadata"]["uid"]
    moved = deployment(tier="new")

    with pytest.raises(ApplyFailed, match=r"Deployment/default/web dry-run failed \(Invalid\)"):
        await applier.apply([moved])
    assert (await live(*WEB))["metadata"]["uid"] == uid

    changes = await applier.apply([moved], ApplyOptions(force=True))
    assert changes.changes[0].recreated
    assert (await live(*WEB))["metadata"]["uid"] != uid


async def test_force_never_deletes_for_a_mistake(applier, live, deployment):
    await applier.apply([deployment()])
    uid = (await live(*WEB))["metadata"]["uid"]

    with pytest.raises(ApplyFailed, match="Invalid"):
        await applier.apply([deployment(replicas=-1)], ApplyOptions(force=True))

    assert (await live(*WEB))["metadata"]["uid"] == uid


async def test_errors_name_the_object_and_nothing_is_half_done(
    applier, live, config_map, definition, widget
):
    await applier.apply([definition])
    typo = widget()
    typo["metadata"]["name"] = "typo"
    typo["spec"]["sise"] = 1

    with pytest.raises(ApplyFailed) as raised:
        await applier.apply([config_map("a"), typo, widget(size=99), config_map("c", "nowhere")])

    texts = {str(error.id): str(error) for error in raised.value.errors}
    assert set(texts) == {
        "Widget/default/typo",
        "Widget/default/w",
        "ConfigMap/nowhere/c",
    }
    assert "field not declared in schema" in texts["Widget/default/typo"]
    assert texts["Widget/default/w"].startswith("Widget/default/w dry-run failed (Invalid): ")
    assert texts["ConfigMap/nowhere/c"] == (
        'ConfigMap/nowhere/c not found: namespaces "nowhere" not found'
    )
    assert await live("v1", "ConfigMap", "a") is None


async def test_prune_deletes_what_is_no_longer_wanted(applier, live, config_map):
    old = (await applier.apply([config_map("a"), config_map("b")])).inventory
    new = (await applier.apply([config_map("a")])).inventory

    pruned = await applier.prune(old.difference(new), PruneOptions(remaining=new))

    assert pruned.log(Action.DELETED) == "ConfigMap/default/b deleted"
    assert await live("v1", "ConfigMap", "b") is None
    assert await live("v1", "ConfigMap", "a")


async def test_a_pruned_object_with_a_finalizer_stays_known(applier, client, live, config_map):
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    stale = (await applier.apply([held])).inventory

    first = await applier.prune(stale, PruneOptions(everything=True))
    assert first.kept == stale
    resource = await client.resource_of(held)
    await client.patch(resource, "a", {"metadata": {"finalizers": None}}, "default")
    assert not len((await applier.prune(first.kept, PruneOptions(everything=True))).kept)


async def test_k7_pruning_after_the_definition_is_gone(applier, client, live, definition, widget):
    stale = (await applier.apply([definition, widget()])).inventory
    resource = await client.resource_of(definition)
    await client.delete(resource, "widgets.example.com")
    async with asyncio.timeout(10):
        while await live(  # noqa: ASYNC110  (the server is this same loop)
            "apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.com"
        ):
            await asyncio.sleep(0.01)
    await client.mapper.refresh()

    pruned = await applier.prune(stale, PruneOptions(everything=True))

    assert not len(pruned.kept)
    assert pruned.failures == []


@pytest.mark.parametrize("at", range(8))
async def test_k1_a_kill_at_any_write_converges(applier, client, live, config_map, at):
    """Replace a set of objects by another one; die before the n-th write; run again."""
    recorded = Inventory()
    writes = 0

    async def record(inventory):
        nonlocal recorded
        recorded = inventory

    async def run(objects):
        nonlocal recorded
        changes = await applier.apply(objects, ApplyOptions(previous=recorded), record)
        stale = recorded.difference(changes.inventory)
        pruned = await applier.prune(stale, PruneOptions(remaining=changes.inventory))
        recorded = changes.inventory.union(pruned.kept)

    def kill(deadline):
        nonlocal writes
        writes += 1
        # The guard is asked twice for each write, so both sides of sending are places to die at.
        if writes > at:
            raise LeaseLost("killed")
        return deadline

    await run([config_map("a"), config_map("b")])
    client.guard = kill
    with contextlib.suppress(LeaseLost):
        await run([config_map("b", key="new"), config_map("c"), config_map("d")])
    client.guard = None
    alive = {name for name in "abcd" if await live("v1", "ConfigMap", name)}
    assert alive <= {identity.name for identity in recorded.ids}, "nothing is orphaned"
    assert "b" in alive, "nothing is pruned that should live"

    await run([config_map("b", key="new"), config_map("c"), config_map("d")])

    assert {name for name in "abcd" if await live("v1", "ConfigMap", name)} == set("bcd")
    assert [identity.name for identity in recorded.ids] == ["b", "c", "d"]
    assert (await live("v1", "ConfigMap", "b"))["data"] == {"key": "new"}


async def test_waiting_follows_the_status(applier, client, deployment):
    await applier.apply([deployment()])
    web = ObjectId("apps", "Deployment", "default", "web")
    resource = await client.resource_of(deployment())
    waiting = asyncio.create_task(wait(client, [web], timeout=30))
    status = {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "availableReplicas": 1,
        "readyReplicas": 1,
        "conditions": [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    }
    await client.patch(resource, "web", {"status": status}, "default", subresource="status")

    assert [health.state for health in await waiting] == [State.CURRENT]


async def test_a_diff_changes_nothing(applier, live, config_map, definition, widget):
    await applier.apply([config_map()])
    before = copy.deepcopy(await live("v1", "ConfigMap", "a"))

    changes = await applier.diff([config_map(key="new"), definition, widget()])

    assert [(str(change), change.fields) for change in changes] == [
        ("CustomResourceDefinition/widgets.example.com created", []),
        ("ConfigMap/default/a configured", [FieldChange("/data/key", "value", "new")]),
        ("Widget/default/w created", []),
    ]
    assert await live("v1", "ConfigMap", "a") == before


async def test_typos_in_built_in_kinds_are_left_out_and_told(applier, live, deployment):
    typo = deployment()
    typo["spec"]["replica"] = 3
    typo["spec"]["template"]["spec"]["containers"][0]["ports"][0]["nmae"] = "http"

    first = await applier.apply([typo])
    again = await applier.apply([typo])

    assert first.changes[0].dropped == (
        ".spec.replica",
        '.spec.template.spec.containers[name="app"].ports[containerPort=80,protocol="TCP"].nmae',
    )
    assert not again.changed
    assert (await live(*WEB))["spec"]["replicas"] == 1


async def test_what_changed_after_the_comparison_is_compared_again(client, applier, config_map):
    await applier.apply([config_map(a="1")])
    maps = await client.resource_of(config_map())
    newer = config_map(a="3")

    async def another_leader(_):
        await applier.apply([newer])

    result = await applier.apply([config_map(a="2")], before_write=another_leader)

    live = await client.get(maps, "a", "default")
    assert live["data"] == {"a": "2"}
    # Not from 1: what was written had been compared with what the other one left.
    assert [change.fields for change in result.changes] == [[FieldChange("/data/a", "3", "2")]]
