"""What holds whatever is done: ownership after any applies, and a watch that follows a list."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster import fields
from fluvial.cluster.endpoints import (
    Endpoints,
    ListOptions,
    Target,
    WatchOptions,
    WriteOptions,
)
from fluvial.cluster.errors import StatusError
from fluvial.cluster.fields.managed import Managers
from fluvial.cluster.resources import Catalog, Gvr, builtin_resources
from fluvial.cluster.storage import MemoryStore

RESOURCES = builtin_resources()
DEADLINE = 20


async def started():
    """Return the endpoints of an empty cluster with one namespace."""
    endpoints = Endpoints(MemoryStore(), Catalog(RESOURCES))
    namespaces = endpoints.catalog.find(Gvr.parse("v1/namespaces"))
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    await endpoints.create(Target(namespaces, "", ""), obj, WriteOptions(manager="setup"))
    return endpoints


MANAGERS = st.sampled_from(["one", "two", "three"])
VALUES = st.sampled_from(["1", "2"])
CONFIGURATIONS = st.fixed_dictionaries(
    {"containers": st.dictionaries(st.sampled_from("xy"), VALUES, min_size=1)},
    optional={
        "replicas": st.integers(1, 2),
        "labels": st.dictionaries(st.sampled_from("pq"), VALUES, min_size=1),
        "env": st.dictionaries(st.sampled_from("AB"), VALUES, min_size=1),
        "finalizers": st.lists(
            st.sampled_from(["example.com/a", "example.com/b"]), unique=True, min_size=1
        ),
    },
)


def deployment(parts):
    """Return a Deployment that says no more than `parts` and what every one must say."""
    env = [{"name": name, "value": value} for name, value in parts.get("env", {}).items()]
    containers = [
        {"name": name, "image": f"i:{value}", **({"env": env} if env else {})}
        for name, value in parts["containers"].items()
    ]
    meta = {"name": "d", **{k: parts[k] for k in ("labels", "finalizers") if k in parts}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    if "replicas" in parts:
        spec["replicas"] = parts["replicas"]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def leaves(parts):
    """Yield the path of each field in `parts`, as managedFields has it, with where it stands."""
    if "replicas" in parts:
        yield ("f:spec", "f:replicas")
    for name in parts.get("labels", {}):
        yield ("f:metadata", "f:labels", f"f:{name}")
    for name in parts.get("finalizers", ()):
        yield ("f:metadata", "f:finalizers", f'v:"{name}"')
    for name in parts["containers"]:
        place = ("f:spec", "f:template", "f:spec", "f:containers", f'k:{{"name":"{name}"}}')
        yield (*place, "f:image")
        for variable in parts.get("env", {}):
            yield (*place, "f:env", f'k:{{"name":"{variable}"}}', "f:value")


def value_at(value, path):
    """Return what stands at a path of managedFields, or None."""
    for step in path:
        if value is None:
            return None
        kind, _, rest = step.partition(":")
        if kind == "f":
            value = value.get(rest)
        elif kind == "k":
            name = rest.removeprefix('{"name":"').removesuffix('"}')
            value = next((item for item in value if item["name"] == name), None)
        else:
            value = True if rest.strip('"') in value else None
    return value


@pytest.mark.fuzz
@given(st.lists(st.tuples(MANAGERS, st.booleans(), CONFIGURATIONS), min_size=1, max_size=4))
def test_ownership_after_any_applies_of_several_managers(applies):
    asyncio.run(ownership_holds(applies))


async def ownership_holds(applies):
    """Apply in this order, looking at the owners after each."""
    endpoints = await started()
    resource = endpoints.catalog.find(Gvr.parse("apps/v1/deployments"))
    target = Target(resource, "n", "d")
    latest: dict[str, dict] = {}
    refused: list[int] = []
    live = None
    for manager, force, parts in applies:
        body = deployment(parts)
        try:
            done = await endpoints.patch(
                target, body, "apply", WriteOptions(manager=manager, force=force)
            )
        except StatusError as refusal:
            # 409 is a conflict. 422: another took over an image and gave it up, so none is left.
            refused.append(refusal.code)
            assert endpoints.get(target) == live  # a refused apply changes nothing
            continue
        latest[manager] = parts
        live = done
        owners = {
            key.manager: entry.fields
            for key, entry in Managers.decode(live["metadata"]["managedFields"]).entries.items()
        }
        assert set(leaves(parts)) <= owners[manager]  # who applies owns all it says
        for name, owned in owners.items():
            own = deployment(latest[name])
            for path in set(leaves(latest[name])) & owned:
                assert value_at(live, path) == value_at(own, path)  # owners agree on the value
            assert not owned.difference(owned_alone(own))  # and own only what they said
        again = await endpoints.patch(target, body, "apply", WriteOptions(manager=manager))
        assert again["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
    assert set(refused) <= {409, 422}
    assert len(refused) < len(applies)  # the first one is never refused


def owned_alone(obj):
    """Return what a lone manager owns after applying an object to an empty cluster."""
    schema = fields.schema_for_builtin("apps", "v1", "Deployment")
    made = fields.apply(
        None, obj, manager="m", subresource="", schema=schema, force=False,
        now="2026-01-01T00:00:00Z", version="apps/v1",
    )  # fmt: skip
    (entry,) = Managers.decode(made["metadata"]["managedFields"]).entries.values()
    return entry.fields


async def flat(batches):
    """Yield the changes of a watch one by one."""
    async for batch in batches:
        for change in batch.changes:
            yield change


CHANGES = st.lists(
    st.tuples(st.sampled_from(["w", "x", "y", "z"]), st.sampled_from(["in", "out", None])),
    max_size=12,
)  # a name, and whether it is to be selected, not, or gone


async def write(endpoints, target, name, state):
    """Bring an object into a state."""
    one = Target(target.resource, "n", name)
    exists = endpoints.store.get(target.resource.prefix, one.key) is not None
    if state is None:
        if exists:
            await endpoints.delete(one, {}, WriteOptions(manager="m"))
        return
    meta = {"name": name, "namespace": "n", "labels": {"is": state}}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    if exists:
        await endpoints.update(one, obj, WriteOptions(manager="m"))
    else:
        await endpoints.create(target, obj, WriteOptions(manager="m"))


@pytest.mark.fuzz
@given(CHANGES, CHANGES, CHANGES)
def test_a_watch_from_a_list_misses_and_repeats_nothing(before, between, during):
    """Changes before the list, before the watch is opened, and while it is open."""

    async def run():
        endpoints = await started()
        resource = endpoints.catalog.find(Gvr.parse("v1/configmaps"))
        target = Target(resource, "n", "")
        for change in before:
            await write(endpoints, target, *change)
        page = endpoints.page(target, ListOptions(label_selector="is=in"))
        known = {obj["metadata"]["name"] for obj in page.objects}
        for change in between:
            await write(endpoints, target, *change)
        options = WatchOptions(label_selector="is=in", version=str(page.revision))
        changes = endpoints.watcher.open(target, options)

        async def act():
            for change in during:
                await write(endpoints, target, *change)
                await asyncio.sleep(0)
            await write(endpoints, target, "end", "in")

        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
            group.create_task(act())
            await follow(changes, known, page.revision)
        found = endpoints.page(target, ListOptions(label_selector="is=in"))
        assert known == {obj["metadata"]["name"] for obj in found.objects}

    async def follow(changes, known, revision):
        async for change in flat(changes):
            name = change.entry.key[1]
            assert change.revision > revision  # nothing twice, nothing out of order
            revision = change.revision
            assert (name in known) == (change.type != "ADDED"), (change.type, name)
            (known.discard if change.type == "DELETED" else known.add)(name)
            if name == "end":
                return

    asyncio.run(run())
