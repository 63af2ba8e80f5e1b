"""K7: what stands in the way is named by the condition, and when it goes, all goes on by itself."""

import pytest
import pytest_asyncio
from delivery import KUSTOMIZATIONS
from harness import until
from namespaces import NAMESPACES

from fluvial.toolkit import CONFIG_MAP, Resource
from fluvial.toolkit.references import DEFINITIONS

HELD = "example.com/hold"


def config_map(name, value="1", **fields):
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: '{value}'\n"
    return text + "".join(f"{key}: {value}\n" for key, value in fields.items())


async def known(team):
    entries = ((await team.status()).get("inventory") or {}).get("entries") or []
    return {entry["id"].split("_")[1] for entry in entries}


@pytest_asyncio.fixture
async def widgets(team):
    """Define a kind of the team's own."""
    group = f"{team.name}.example.com"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {
                "plural": "widgets",
                "singular": "widget",
                "kind": "Widget",
                "listKind": "WidgetList",
            },
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "x-kubernetes-preserve-unknown-fields": True,
                        }
                    },
                }
            ],
        },
    }
    await team.client.create(DEFINITIONS, definition)
    yield definition
    await team.client.delete(DEFINITIONS, definition["metadata"]["name"])


async def test_k7_a_definition_that_goes_while_objects_exist(team, widgets):
    group, name = widgets["spec"]["group"], widgets["metadata"]["name"]
    resource = Resource(group, "v1", "widgets", "Widget")
    widget = f"apiVersion: {group}/v1\nkind: Widget\nmetadata:\n  name: w\n"
    team.repository.push({"w.yaml": widget, "c.yaml": config_map("c")})
    await team.source()
    await team.kustomization(retryInterval="1s")
    await team.until_ready()
    await team.client.delete(DEFINITIONS, name)
    await until(team.client, DEFINITIONS, name, None, bool, gone=True)
    await team.request(KUSTOMIZATIONS, "app")
    await team.until_ready("False", "ReconciliationFailed", part='no matches for kind "Widget"')
    assert await known(team) == {"c", "w"}
    await team.client.create(DEFINITIONS, widgets)
    await team.until_ready()
    await team.until(resource, "w")


async def test_k7_a_definition_that_is_gone_for_good_holds_up_no_prune(team, widgets):
    group, name = widgets["spec"]["group"], widgets["metadata"]["name"]
    widget = f"apiVersion: {group}/v1\nkind: Widget\nmetadata:\n  name: w\n"
    team.repository.push({"w.yaml": widget, "c.yaml": config_map("c")})
    await team.source()
    await team.kustomization(retryInterval="1s")
    await team.until_ready()
    await team.client.delete(DEFINITIONS, name)
    await until(team.client, DEFINITIONS, name, None, bool, gone=True)
    revision = await team.push({"c.yaml": config_map("c")})
    await team.until_ready(revision=revision)
    assert await known(team) == {"c"}
    await team.client.create(DEFINITIONS, widgets)


@pytest.mark.parametrize(
    ("way_out", "reason"),
    [
        ("revert", "the manifest says what is there again"),
        ("force", "the Kustomization allows to make it anew"),
        ("annotation", "the object itself allows it"),
    ],
)
async def test_k7_an_immutable_field(team, way_out, reason):
    team.repository.push({"c.yaml": config_map("c", immutable="true")})
    await team.source()
    await team.kustomization()
    await team.until_ready()
    first = await team.get(CONFIG_MAP, "c")
    await team.push({"c.yaml": config_map("c", "2", immutable="true")})
    message = await team.until_ready("False", "ReconciliationFailed", part="immutable")
    assert f"ConfigMap/{team.name}/c" in message
    assert await known(team) == {"c"}
    kept = await team.get(CONFIG_MAP, "c")
    assert kept["metadata"]["uid"] == first["metadata"]["uid"], "nothing is deleted unasked"
    if way_out == "revert":
        revision = await team.push({"c.yaml": config_map("c", immutable="true")})
        await team.until_ready(revision=revision)
        assert (await team.get(CONFIG_MAP, "c"))["data"] == {"key": "1"}, reason
        return
    if way_out == "force":
        await team.kustomization(force=True)
    else:
        mark = "\n  annotations: {kustomize.toolkit.fluxcd.io/force: enabled}\ndata:"
        forced = config_map("c", "2", immutable="true").replace("\ndata:", mark)
        await team.push({"c.yaml": forced})
    await team.until_ready()
    made = await team.get(CONFIG_MAP, "c")
    assert made["data"] == {"key": "2"}, reason
    assert made["metadata"]["uid"] != first["metadata"]["uid"]


async def test_k7_a_namespace_that_terminates(team):
    """Something in it holds it; once that is gone, the namespace is made anew and filled."""
    space = f"{team.name}-apps"
    manifest = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {space}\n"
    team.repository.push({"n.yaml": manifest, "c.yaml": config_map("c")})
    await team.source()
    await team.kustomization(targetNamespace=space, retryInterval="1s")
    await team.until_ready()
    holder = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "holder", "finalizers": [HELD]},
    }
    await team.client.create(CONFIG_MAP, holder, space)
    await team.client.delete(NAMESPACES, space)
    await until(team.client, CONFIG_MAP, "c", space, bool, gone=True)
    await team.request(KUSTOMIZATIONS, "app")
    await team.until_ready("False", "ReconciliationFailed", part="is terminating")
    assert await known(team) == {space, "c"}
    await team.client.patch(CONFIG_MAP, "holder", {"metadata": {"finalizers": None}}, space)
    await team.until_ready()
    await until(team.client, CONFIG_MAP, "c", space, bool)


async def test_k7_a_finalizer_that_nobody_serves(team):
    held = config_map("b").replace("\ndata:", f"\n  finalizers: [{HELD}]\ndata:")
    team.repository.push({"a.yaml": config_map("a"), "b.yaml": held})
    await team.source()
    await team.kustomization()
    await team.until_ready()
    revision = await team.push({"a.yaml": config_map("a")})
    await team.until_ready(revision=revision)
    terminating = await team.get(CONFIG_MAP, "b")
    assert terminating["metadata"]["deletionTimestamp"]
    assert await known(team) == {"a", "b"}, "it is known until it is gone"
    await team.client.patch(CONFIG_MAP, "b", {"metadata": {"finalizers": None}}, team.name)
    await team.until(CONFIG_MAP, "b", gone=True)
    await team.request(KUSTOMIZATIONS, "app")
    await team.until(
        KUSTOMIZATIONS, "app", lambda obj: len(obj["status"]["inventory"]["entries"]) == 1
    )


async def test_k7_a_deletion_does_not_wait_longer_than_it_may(team):
    held = config_map("b").replace("\ndata:", f"\n  finalizers: [{HELD}]\ndata:")
    team.repository.push({"b.yaml": held})
    await team.source()
    await team.kustomization(deletionPolicy="Delete")
    await team.until_ready()
    await team.client.delete(KUSTOMIZATIONS, "app", team.name)
    await team.until(KUSTOMIZATIONS, "app", gone=True)
    assert (await team.get(CONFIG_MAP, "b"))["metadata"]["deletionTimestamp"]
    await team.client.patch(CONFIG_MAP, "b", {"metadata": {"finalizers": None}}, team.name)
