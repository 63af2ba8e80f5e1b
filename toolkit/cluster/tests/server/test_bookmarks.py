"""Bookmarks tell how far a watch is, and never pass a change that it has still to show."""

import asyncio

import pytest

from fluvial.cluster.api import Api
from fluvial.cluster.auth import bootstrap
from fluvial.cluster.endpoints import Endpoints, Target, WatchOptions
from fluvial.cluster.resources import Catalog, Gvr, builtin_resources
from fluvial.cluster.storage import MemoryStore

INTERVAL = 0.01
WITHIN = 20


class SleepyStore(MemoryStore):
    """A store whose waking is always still to come: only the time for a bookmark ends a wait.

    So it is between a write and the beat of a busy resource, which rests up to a quarter second.
    """

    async def changed(self, prefix, after, *, at_once=False):  # noqa: ARG002 - the store's interface
        self.waiting.set()
        await asyncio.Event().wait()


@pytest.fixture
async def endpoints():
    store = SleepyStore()
    store.waiting = asyncio.Event()
    endpoints = Endpoints(store, Catalog(builtin_resources()))
    endpoints.watcher.bookmark_interval = INTERVAL
    for obj in bootstrap.objects():
        await Api(endpoints).create(obj)
    return endpoints


@pytest.fixture
def api(endpoints):
    return Api(endpoints)


def config_map(name, namespace="default"):
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


@pytest.fixture
async def following(endpoints):
    """Watch the ConfigMaps of a namespace from now on."""
    resource = endpoints.catalog.find(Gvr.parse("v1/configmaps"))
    options = WatchOptions(version=str(endpoints.store.revision), bookmarks=True)
    changes = endpoints.watcher.open(Target(resource, "default"), options)
    async with asyncio.timeout(WITHIN):
        yield endpoints.store, changes
    await changes.aclose()


async def test_k6_a_bookmark_does_not_pass_a_change_whose_waking_is_still_to_come(api, following):
    store, changes = following
    async with asyncio.TaskGroup() as group:
        step = group.create_task(anext(changes))
        await store.waiting.wait()
        made = await api.create(config_map("a"))
    (change,) = step.result().changes
    assert (change.type, change.entry.key) == ("ADDED", ("default", "a"))
    assert change.revision == int(made["metadata"]["resourceVersion"])


async def test_a_bookmark_tells_of_what_happened_elsewhere(api, following):
    store, changes = following
    async with asyncio.TaskGroup() as group:
        step = group.create_task(anext(changes))
        await store.waiting.wait()
        made = await api.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}}
        )
    (change,) = step.result().changes
    assert (change.type, change.entry) == ("BOOKMARK", None)
    assert change.revision == int(made["metadata"]["resourceVersion"])


async def test_nothing_new_is_no_bookmark(following):
    store, changes = following
    step = asyncio.create_task(anext(changes))
    for _ in range(3):  # times for a bookmark that pass
        store.waiting.clear()
        await store.waiting.wait()
    assert not step.done()
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
