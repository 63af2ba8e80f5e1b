"""managedFields after any applies, updates and patches of several managers, against a small model.

The model knows the rules of ownership for the keys of one map, each key a field of its own.
"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.endpoints import Endpoints, Target, WriteOptions
from fluvial.cluster.errors import StatusError
from fluvial.cluster.resources import Catalog, Gvr, builtin_resources
from fluvial.cluster.storage import MemoryStore

RESOURCES = builtin_resources()
MANAGERS = st.sampled_from(["one", "two"])
KEYS, VALUES = st.sampled_from("abc"), st.sampled_from("12")
DATA = st.dictionaries(KEYS, VALUES, max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), MANAGERS, DATA, st.booleans()),
        st.tuples(st.just("update"), MANAGERS, DATA),
        st.tuples(st.just("patch"), MANAGERS, st.dictionaries(KEYS, st.none() | VALUES)),
    ),
    min_size=1,
    max_size=8,
)


class Model:
    """The map, and who owns which of its keys: by manager and operation."""

    def __init__(self):
        self.data = {}
        self.owners = {}

    def _others(self, key, own):
        return [who for who, keys in self.owners.items() if who != own and key in keys]

    def apply(self, manager, wanted, force):
        """Apply a configuration; False when others object."""
        own = (manager, "Apply")
        differing = [
            key for key, value in wanted.items()
            if self._others(key, own) and self.data.get(key) != value
        ]  # fmt: skip
        if differing and not force:
            return False
        for key in differing:
            for who in self._others(key, own):
                self.owners[who] = self.owners[who] - {key}
        for key in self.owners.get(own, set()) - set(wanted):
            if not self._others(key, own):
                self.data.pop(key, None)
        self.data.update(wanted)
        self.owners[own] = set(wanted)
        return True

    def write(self, manager, wanted):
        """Replace the map: who writes owns what it changes, and others lose it."""
        own = (manager, "Update")
        changed = {key for key in wanted if self.data.get(key) != wanted[key]}
        touched = changed | (set(self.data) - set(wanted))
        for who in list(self.owners):
            self.owners[who] = self.owners[who] - touched
        self.owners[own] = self.owners.get(own, set()) | changed
        self.data = dict(wanted)

    def shown(self):
        """Return the owners that own something."""
        return {who: keys for who, keys in self.owners.items() if keys}


def owners_in(obj):
    """Return who owns which keys of `data`; no entry may stand twice."""
    found = {}
    for entry in obj["metadata"].get("managedFields") or []:
        who = (entry["manager"], entry["operation"])
        assert who not in found
        keys = entry["fieldsV1"].get("f:data", {})
        found[who] = {key.removeprefix("f:") for key in keys if key != "."}
    return {who: keys for who, keys in found.items() if keys}


async def play(steps):
    """Do every step on the server and on the model, and compare after each."""
    endpoints = Endpoints(MemoryStore(), Catalog(RESOURCES))
    namespaces = endpoints.catalog.find(Gvr.parse("v1/namespaces"))
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    await endpoints.create(Target(namespaces, "", ""), obj, WriteOptions(manager="setup"))
    target = Target(endpoints.catalog.find(Gvr.parse("v1/configmaps")), "n", "x")
    # Somebody owns a label: of an object without any owner nothing is recorded in updates.
    labels = {"labels": {"owned": "yes"}}
    meta = {"name": "x", "namespace": "n", **labels}
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    await endpoints.create(Target(target.resource, "n", ""), bare, WriteOptions(manager="setup"))
    model = Model()
    for action, manager, data, *rest in steps:
        before = endpoints.get(target)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
        if data:
            body["data"] = dict(data)
        options = WriteOptions(manager=manager, force=bool(rest and rest[0]))
        if action == "apply":
            try:
                await endpoints.patch(target, body, "apply", options)
                refused = False
            except StatusError as error:
                if error.code != 409:
                    raise
                refused = True
            assert model.apply(manager, data, options.force) != refused
            if refused:
                assert endpoints.get(target) == before
        elif action == "update":
            body["metadata"].update(labels)
            await endpoints.update(target, body, options)
            model.write(manager, data)
        else:
            await endpoints.patch(target, {"data": data}, "merge", options)
            merged = {**model.data, **data}
            model.write(manager, {k: v for k, v in merged.items() if v is not None})
        after = endpoints.get(target)
        assert (after.get("data") or {}) == model.data
        assert owners_in(after) == model.shown()
        times = [(e["operation"], e.get("time", "")) for e in after["metadata"]["managedFields"]]
        assert times == sorted(times)  # applies first, each by its time (none: changed nothing)
        same = owners_in(after) == owners_in(before) and after.get("data") == before.get("data")
        versions = [one["metadata"]["resourceVersion"] for one in (before, after)]
        if same and action != "apply":
            assert versions[0] == versions[1]  # nothing has changed, so nothing was written


@pytest.mark.fuzz
@given(STEPS)
def test_owners_are_those_of_the_model(steps):
    asyncio.run(play(steps))
