"""What watches that ask for the same share: batches of changes, and the bytes that are sent."""

import asyncio
import json

import pytest

from fluvial.cluster.endpoints import Target, WatchOptions
from fluvial.cluster.endpoints.feeds import BATCH_LIMIT
from fluvial.cluster.http.negotiation import Accepted
from fluvial.cluster.http.streams import _Shaper
from fluvial.cluster.resources import Gvr

WITHIN = 20


@pytest.fixture
def resource(endpoints):
    return endpoints.catalog.find(Gvr.parse("v1/configmaps"))


async def write(api, *names):
    for name in names:
        meta = {"name": name, "namespace": "default", "labels": {"name": name}}
        await api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


async def batches(endpoints, api, resource, selectors):
    """Return what a watch with each of the selectors, begun before two writes, sees of them."""
    begun, target = str(endpoints.store.revision), Target(resource, "default")
    watches = [
        endpoints.watcher.open(target, WatchOptions(label_selector=each, version=begun))
        for each in selectors
    ]
    await write(api, "a", "b")
    async with asyncio.timeout(WITHIN):
        found = [await anext(watch) for watch in watches]
    for watch in watches:
        await watch.aclose()
    return found


async def test_watches_with_the_same_selectors_share_their_batches(endpoints, api, resource):
    one, two, other = await batches(endpoints, api, resource, ["name", "name", "name=b"])
    assert one is two
    assert [change.entry.key[1] for change in one.changes] == ["a", "b"]
    assert [change.entry.key[1] for change in other.changes] == ["b"]


async def test_one_that_reads_behind_another_gets_the_same_batches(endpoints, api, resource):
    begun, target = str(endpoints.store.revision), Target(resource, "default")
    await write(api, *(f"name-{number}" for number in range(2 * BATCH_LIMIT + 1)))
    seen, watches = [], []
    async with asyncio.timeout(WITHIN):
        for _ in range(2):
            watch = endpoints.watcher.open(target, WatchOptions(version=begun))
            watches.append(watch)
            seen.append([await anext(watch) for _ in range(3)])
    for watch in watches:
        await watch.aclose()
    assert [len(batch.changes) for batch in seen[0]] == [BATCH_LIMIT, BATCH_LIMIT, 1]
    assert all(one is other for one, other in zip(*seen, strict=True))


async def test_what_is_sent_is_made_once_for_each_form(endpoints, api, resource):
    (batch,) = await batches(endpoints, api, resource, [""])
    target, forms = (
        Target(resource, "default"),
        (Accepted(), Accepted(form="PartialObjectMetadata")),
    )
    whole, again, metadata = (
        _Shaper(endpoints, target, accepted, "").chunk(batch)
        for accepted in (forms[0], forms[0], forms[1])
    )
    assert whole is again
    assert whole != metadata


async def test_a_chunk_is_its_length_and_a_line_for_each_change(endpoints, api, resource):
    (batch,) = await batches(endpoints, api, resource, [""])
    sent = _Shaper(endpoints, Target(resource, "default"), Accepted(), "").chunk(batch)
    length, _, rest = sent.partition(b"\r\n")
    assert len(rest) == int(length, 16) + len(b"\r\n")
    *lines, end = rest.split(b"\n")
    assert (lines.pop(), end) == (b"\r", b"")
    events = [json.loads(line) for line in lines]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
    ]
