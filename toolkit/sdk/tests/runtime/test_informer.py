"""Threat K6: an informer loses no deletion, whatever the watch goes through."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from fluvial.toolkit.client import Client, Resource, WatchEvent
from fluvial.toolkit.informer import Change, Informer, Selection
from fluvial.toolkit.store import Key, Store, supersedes

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")


def configmap(name, data="1", **metadata):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "data": {"x": data},
    }


class Journal:
    """Remembers changes as text, and can wait for one."""

    def __init__(self):
        self.lines = []
        self._moved = asyncio.Event()

    def __call__(self, change: Change):
        self.lines.append(f"{change.type} {change.key.name}")
        self._moved.set()

    async def until(self, line):
        async with asyncio.timeout(10):
            while line not in self.lines:
                self._moved.clear()
                await self._moved.wait()


@pytest.fixture
async def client(api, clock):
    async with Client(api.config, clock=clock, qps=0) as client:
        yield client


@pytest.fixture
def follow(client, clock):
    @asynccontextmanager
    async def start(**selection):
        informer = Informer(client, Selection(CONFIGMAPS, **selection), clock)
        journal = Journal()
        informer.add_handler(journal)
        task = asyncio.create_task(informer.run())
        async with asyncio.timeout(10):
            await informer.synced.wait()
        yield informer, journal
        task.cancel()
        await asyncio.wait([task])

    return start


async def reconnect(api, clock):
    """Let the informer's pause pass and wait until it has opened its next watch."""
    seen = sum(r.watch and "sendInitialEvents" not in r.query for r in api.requests)
    left = await clock.scheduled(0.8, tolerance=0.41)
    await clock.advance(left)
    await api.until(
        lambda: sum(r.watch and "sendInitialEvents" not in r.query for r in api.requests) > seen
    )


async def test_what_is_there_and_what_comes(api, follow):
    api.put(configmap("before"))
    async with follow() as (informer, journal):
        assert journal.lines == ["added before"]
        api.put(configmap("later"))
        api.put(configmap("later", "2"))
        api.drop("ConfigMap", "before")
        await journal.until("deleted before")
        assert journal.lines[1:] == ["added later", "updated later", "deleted before"]
        assert informer.store.keys() == [Key("default", "later")]


async def test_a_deletion_during_a_gap_is_seen_after_410(api, clock, follow):
    api.put(configmap("doomed"))
    api.put(configmap("kept"))
    async with follow() as (_, journal):
        await api.until(lambda: api.watchers)
        api.close_watches()
        api.drop("ConfigMap", "doomed")
        api.put(configmap("new"))
        api.compact()
        await reconnect(api, clock)  # answered 410
        await reconnect(api, clock)  # listed again
        await journal.until("deleted doomed")
        assert journal.lines[2:] == ["added new", "deleted doomed"]


async def test_a_closed_watch_goes_on_where_it_was(api, clock, follow):
    async with follow() as (_, journal):
        api.put(configmap("one"))
        await journal.until("added one")
        await api.until(lambda: api.watchers)
        api.close_watches()
        api.put(configmap("two"))
        lists = sum(r.method == "GET" and not r.watch for r in api.requests)
        await reconnect(api, clock)
        await journal.until("added two")
        assert journal.lines == ["added one", "added two"]
        assert sum(r.method == "GET" and not r.watch for r in api.requests) == lists


async def test_deleted_and_created_anew_are_two_changes(api, clock, follow):
    api.put(configmap("a"))
    async with follow() as (_, journal):
        await api.until(lambda: api.watchers)
        api.close_watches()
        api.drop("ConfigMap", "a")
        api.put(configmap("a", "other"))
        api.compact()
        await reconnect(api, clock)
        await reconnect(api, clock)
        await journal.until("deleted a")
        assert journal.lines == ["added a", "deleted a", "added a"]


async def test_a_server_that_refuses_is_asked_again_more_slowly(api, clock, client):
    refused = []

    def refuse(request):
        if "configmaps" in request.path and len(refused) < 3:
            refused.append(request)
            body = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}
            return web.Response(body=msgspec.json.encode(body), status=403)
        return None

    api.faults.append(refuse)
    informer = Informer(client, Selection(CONFIGMAPS), clock, streaming=False)
    task = asyncio.create_task(informer.run())
    for delay in (0.8, 1.6, 3.2):
        left = await clock.scheduled(delay, tolerance=delay / 2 + 0.01)
        assert not informer.synced.is_set()
        await clock.advance(left)
    async with asyncio.timeout(10):
        await informer.synced.wait()
    task.cancel()
    await asyncio.wait([task])


async def test_a_half_open_connection_hides_nothing_for_long(api, client, clock):
    api.put(configmap("doomed"))
    silent = asyncio.Event()

    async def mute(_collection, _version):
        silent.set()
        await asyncio.Event().wait()
        yield

    original, api._since = api._since, mute
    informer = Informer(client, Selection(CONFIGMAPS), clock, idle=0.05)
    journal = Journal()
    informer.add_handler(journal)
    task = asyncio.create_task(informer.run())
    async with asyncio.timeout(10):
        await silent.wait()
    api.drop("ConfigMap", "doomed")
    api._since = original
    left = await clock.scheduled(0.8, tolerance=0.41)
    await clock.advance(left)
    await journal.until("deleted doomed")
    task.cancel()
    await asyncio.wait([task])


async def test_a_kind_without_definition_is_empty_until_it_appears(api, client, clock):
    collection = api._collections.pop(("", "configmaps"))
    informer = Informer(client, Selection(CONFIGMAPS), clock)
    task = asyncio.create_task(informer.run())
    async with asyncio.timeout(10):
        await informer.synced.wait()
    assert not informer.store.keys()
    api._collections["", "configmaps"] = collection
    api.put(configmap("a"))
    journal = Journal()
    informer.add_handler(journal)
    left = await clock.scheduled(0.8, tolerance=0.41)
    await clock.advance(left)
    await journal.until("added a")
    task.cancel()
    await asyncio.wait([task])


async def test_lists_are_streamed_where_the_server_offers_it(api, client, clock):
    async def stream(request):
        response = web.StreamResponse()
        await response.prepare(request)
        end = {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}
        for event in (
            {"type": "ADDED", "object": configmap("a", resourceVersion="5")},
            {"type": "BOOKMARK", "object": {"metadata": end}},
        ):
            await response.write(msgspec.json.encode(event) + b"\n")
        return response

    original = api._watch
    api._watch = lambda request, *rest: (
        stream(request) if "sendInitialEvents" in request.query else original(request, *rest)
    )
    informer = Informer(client, Selection(CONFIGMAPS), clock)
    task = asyncio.create_task(informer.run())
    async with asyncio.timeout(10):
        await informer.synced.wait()
    assert informer.store.keys() == [Key("default", "a")]
    await api.until(lambda: any(r.query.get("resourceVersion") == "9" for r in api.requests))
    assert all(r.watch for r in api.requests), "no plain list was needed"
    task.cancel()
    await asyncio.wait([task])


async def test_late_and_duplicate_events_change_nothing(client, clock):
    informer = Informer(client, Selection(CONFIGMAPS), clock)
    journal = Journal()
    informer.add_handler(journal)
    for kind, version, data in (
        ("ADDED", "5", "1"),
        ("ADDED", "5", "1"),
        ("MODIFIED", "7", "2"),
        ("MODIFIED", "6", "old"),
        ("DELETED", "4", "1"),
    ):
        informer._apply(WatchEvent(kind, configmap("a", data, resourceVersion=version, uid="u")))
    assert journal.lines == ["added a", "updated a"]
    assert informer.store.get("default", "a")["data"] == {"x": "2"}


async def test_a_late_event_does_not_bring_back_what_is_deleted(client, clock):
    informer = Informer(client, Selection(CONFIGMAPS), clock)
    for kind, version in (("ADDED", "5"), ("DELETED", "6"), ("ADDED", "5")):
        informer._apply(WatchEvent(kind, configmap("a", resourceVersion=version, uid="u")))
    assert informer.store.get("default", "a") is None
    informer._apply(WatchEvent("ADDED", configmap("a", resourceVersion="7", uid="v")))
    assert informer.store.get("default", "a")["metadata"]["uid"] == "v"


async def test_a_handler_that_fails_does_not_end_the_watch(api, follow):
    async with follow() as (informer, journal):

        def broken(_change):
            raise KeyError("spec")

        informer._handlers.insert(0, broken)
        api.put(configmap("a"))
        await journal.until("added a")


async def test_metadata_only_and_selectors_reach_the_server(api, follow):
    api.put(configmap("a", labels={"team": "x"}))
    api.put(configmap("b"))
    async with follow(metadata_only=True, label_selector="team=x") as (informer, _):
        assert informer.store.keys() == [Key("default", "a")]
        assert "data" not in informer.store.get("default", "a")
        assert informer.store.get("default", "a")["kind"] == "ConfigMap"


async def test_it_is_alive_only_with_recent_signs(clock, follow):
    async with follow() as (informer, _):
        assert informer.alive()
        clock._elapsed += 91
        assert not informer.alive()


def test_indexes_follow_their_objects():
    store = Store()
    store.put(configmap("a", "x"))
    store.add_index("data", lambda obj: [obj["data"]["x"]])
    store.put(configmap("b", "x"))
    store.put({"metadata": {"name": "odd"}, "data": None})
    assert [o["metadata"]["name"] for o in store.by_index("data", "x")] == ["a", "b"]
    store.put(configmap("a", "y"))
    assert [o["metadata"]["name"] for o in store.by_index("data", "y")] == ["a"]
    store.remove(Key("default", "b"))
    assert store.by_index("data", "x") == []


@pytest.mark.parametrize(
    ("new", "old", "expected", "reason"),
    [
        ("10", "9", True, "numbers, not text"),
        ("9", "10", False, "late"),
        ("9", "9", False, "duplicate"),
        ("b", "a", True, "opaque versions: any difference is news"),
        ("a", "a", False, "opaque and equal"),
    ],
)
def test_which_state_is_later(new, old, expected, reason):
    def obj(version):
        return {"metadata": {"resourceVersion": version}}

    assert supersedes(obj(new), obj(old)) is expected, reason
