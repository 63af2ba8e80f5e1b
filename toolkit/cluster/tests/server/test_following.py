"""Whoever lists and then watches has what is there: through compactions, pages and restarts."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.database import DatabaseStore
from fluvial.cluster.endpoints import Endpoints, ListOptions, Target, WatchOptions, WriteOptions
from fluvial.cluster.errors import StatusError
from fluvial.cluster.resources import Catalog, Gvr, builtin_resources

RESOURCES = builtin_resources()
DEADLINE = 20
SELECTORS = {"": {"in", "out"}, "is=in": {"in"}, "is!=in": {"out"}, "is": {"in", "out"}}
NAMES = st.sampled_from(["w", "x", "y", "z"])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NAMES, st.sampled_from(["in", "out"])),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("compact")),
        st.tuples(st.just("restart")),
        st.tuples(st.just("follow"), st.integers(0, 3)),
        st.tuples(st.just("list"), st.integers(0, 3), st.integers(1, 3)),
    ),
    max_size=14,
)


class Cluster:
    """A store in a file, and what serves it; `restart` begins anew on the same file."""

    def __init__(self, folder):
        self._file = Path(folder, "objects.db")
        self.writes = 0
        self._open()

    def _open(self):
        self.store = DatabaseStore(self._file)
        self.endpoints = Endpoints(self.store, Catalog(RESOURCES))
        self.target = Target(self.endpoints.catalog.find(Gvr.parse("v1/configmaps")), "n", "")

    def restart(self):
        self.store.__exit__()
        self._open()

    async def start(self):
        """Make the namespace."""
        namespaces = self.endpoints.catalog.find(Gvr.parse("v1/namespaces"))
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
        await self.endpoints.create(Target(namespaces, "", ""), obj, WriteOptions(manager="m"))

    async def write(self, name, state):
        """Create or change an object; no two writes have the same content."""
        self.writes += 1
        meta = {"name": name, "namespace": "n", "labels": {"is": state}}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
        obj["data"] = {"n": str(self.writes)}
        one = Target(self.target.resource, "n", name)
        if self.store.get(self.target.resource.prefix, one.key) is None:
            return await self.endpoints.create(self.target, obj, WriteOptions(manager="m"))
        return await self.endpoints.update(one, obj, WriteOptions(manager="m"))

    async def delete(self, name):
        """Delete an object if it is there."""
        one = Target(self.target.resource, "n", name)
        if self.store.get(self.target.resource.prefix, one.key) is not None:
            await self.endpoints.delete(one, {}, WriteOptions(manager="m"))

    def listed(self, selector):
        """Return what a selector finds: names and contents."""
        page = self.endpoints.page(self.target, ListOptions(label_selector=selector))
        return {obj["metadata"]["name"]: obj["data"] for obj in page.objects}


class Follower:
    """Keeps what one selector finds, as an informer does."""

    def __init__(self, selector):
        self.selector = selector
        self.known = {}
        self.revision = 0

    def list(self, cluster, limit):
        """Read everything in pages, all of them as of the first one's revision."""
        self.known, token, revisions = {}, "", set()
        while True:
            options = ListOptions(label_selector=self.selector, limit=limit, token=token)
            page = cluster.endpoints.page(cluster.target, options)
            assert len(page.objects) <= limit
            for obj in page.objects:
                assert obj["metadata"]["name"] not in self.known  # no page repeats another
                self.known[obj["metadata"]["name"]] = obj["data"]
            revisions.add(page.revision)
            token = page.token
            if not token:
                break
        assert len(revisions) == 1
        self.revision = revisions.pop()

    async def catch_up(self, cluster):
        """Watch from where it is until it has seen a mark; list again if that is too old."""
        compacted = cluster.store.compacted
        begun = self.revision
        mark = int((await cluster.write("mark", self._state()))["metadata"]["resourceVersion"])
        options = WatchOptions(label_selector=self.selector, version=str(begun), bookmarks=True)
        changes = cluster.endpoints.watcher.open(cluster.target, options)
        try:
            async for batch in changes:
                for change in batch.changes:
                    self._take(change)
                if self.revision >= mark:
                    break
        except StatusError as error:
            if error.code != 410 or begun >= compacted:  # for no other reason
                raise
            self.list(cluster, 100)
        finally:
            await changes.aclose()

    def _state(self):
        return "out" if self.selector == "is!=in" else "in"

    def _take(self, change):
        assert change.revision > self.revision  # nothing twice, nothing out of order
        self.revision = change.revision
        if change.type == "BOOKMARK":
            return
        obj = change.entry.object
        name = obj["metadata"]["name"]
        assert obj["metadata"]["resourceVersion"] == str(change.revision)
        assert (name in self.known) == (change.type != "ADDED"), (change.type, name)
        if change.type == "DELETED":
            del self.known[name]
        else:
            assert obj["metadata"]["labels"]["is"] in SELECTORS[self.selector]
            assert self.known.get(name) != obj["data"]  # something has changed
            self.known[name] = obj["data"]


async def play(actions, folder):
    """Do the actions; then every follower catches up and has what is there."""
    cluster = Cluster(folder)
    await cluster.start()
    followers = [Follower(selector) for selector in SELECTORS]
    for follower in followers:
        follower.list(cluster, 1)
    for action, *details in actions:
        if action == "write":
            await cluster.write(*details)
        elif action == "delete":
            await cluster.delete(*details)
        elif action == "compact":
            cluster.store.compact(cluster.store.revision)
        elif action == "restart":
            cluster.restart()
        elif action == "list":
            followers[details[0]].list(cluster, details[1])
        else:
            await followers[details[0]].catch_up(cluster)
    for follower in followers:
        await follower.catch_up(cluster)
        assert follower.known == cluster.listed(follower.selector)
    cluster.store.__exit__()


@pytest.mark.fuzz
@given(ACTIONS)
def test_followers_have_what_is_there_whatever_happened(actions):
    async def run():
        with tempfile.TemporaryDirectory() as folder:
            async with asyncio.timeout(DEADLINE):
                await play(actions, folder)

    asyncio.run(run())
