"""K6: whatever a watch goes through, no deletion is missed and nothing deleted comes back."""

import asyncio
import random
from contextlib import asynccontextmanager

import msgspec
import pytest
from middleman import Middleman

from fluvial.cluster.http.faults import Fault
from fluvial.cluster.plane import ControlPlane, Options
from fluvial.toolkit import CONFIG_MAP, Client
from fluvial.toolkit.clock import RealClock
from fluvial.toolkit.informer import Informer, Selection

GONE = (
    b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure",'
    b'"message":"too old resource version","reason":"Expired","code":410}}\n'
)
WITHIN = 60.0


class Hurried(RealClock):
    """A clock whose sleepers wake a hundred times earlier: backoffs are not what is tried."""

    async def sleep(self, delay):
        await asyncio.sleep(delay / 100)


async def expired(lines, after=3):
    """Let the server forget the version, in the middle of the stream."""
    async for line in lines:
        yield line
        after -= 1
        if not after:
            yield GONE
            return


async def torn(lines, after=3):
    """Break the connection within a line."""
    async for line in lines:
        after -= 1
        if not after:
            yield line[: len(line) // 2]
            raise ConnectionResetError
        yield line


async def silent(lines, after=3):
    """Be gone without a word: nothing comes any more, and nothing ends."""
    async for line in lines:
        if after > 0:
            yield line
        after -= 1


async def doubled(lines):
    """Say everything twice."""
    async for line in lines:
        yield line
        yield line


async def late(lines):
    """Say everything again after three other things, also of what is deleted since."""
    seen = []
    async for line in lines:
        yield line
        seen.append(line)
        if len(seen) > 3 and msgspec.json.decode(seen[-4])["type"] != "BOOKMARK":
            yield seen[-4]


async def closed(lines, after=1):
    """End in an orderly way, after almost nothing."""
    async for line in lines:
        yield line
        after -= 1
        if not after:
            return


class Picture:
    """What a controller has been told: its handler's view of the collection."""

    def __init__(self):
        self.objects = {}
        self.deleted = []
        self.wrong = []
        self._moved = asyncio.Event()

    def __call__(self, change):
        name, known = change.key.name, change.key.name in self.objects
        # A handler's exception is logged, and the watch goes on.
        if known != (change.type != "added"):
            self.wrong.append(
                f"{change.type} {name}, which was {(known and 'there') or 'not there'}"
            )
        if change.type == "deleted":
            self.objects.pop(name, None)
            self.deleted.append(name)
        else:
            self.objects[name] = change.object["metadata"]["uid"]
        self._moved.set()

    async def until(self, wanted):
        """Wait until the picture is this one; every change must have made sense."""
        async with asyncio.timeout(WITHIN):
            while self.objects != wanted:
                self._moved.clear()
                await self._moved.wait()
        assert not self.wrong


@pytest.fixture
async def plane():
    async with ControlPlane(Options(bookmark_interval=0.05)) as plane:
        yield plane


@pytest.fixture
async def middleman(plane):
    async with Middleman(plane.url, plane.token, plane.ca).serving() as between:
        yield between


@pytest.fixture
def follow(middleman):
    @asynccontextmanager
    async def start(*, streaming=True):
        clock = Hurried()
        async with Client(middleman.config, qps=0, clock=clock) as client:
            informer = Informer(
                client, Selection(CONFIG_MAP, "default"), clock, streaming=streaming, idle=0.5
            )
            picture = Picture()
            informer.add_handler(picture)
            task = asyncio.create_task(informer.run())
            try:
                async with asyncio.timeout(WITHIN):
                    await informer.synced.wait()
                yield informer, picture
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return start


async def history(client, seed, steps=60):
    """Create, change and delete at random; names come back with other uids."""
    chance = random.Random(seed)
    there = set()
    for step in range(steps):
        name = f"map-{chance.randrange(8)}"
        if name not in there:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
            await client.create(CONFIG_MAP, body, "default")
            there.add(name)
        elif chance.random() < 0.5:
            await client.delete(CONFIG_MAP, name, "default")
            there.discard(name)
        else:
            await client.patch(CONFIG_MAP, name, {"data": {"step": str(step)}}, "default")


async def uids(client):
    found = await client.list(CONFIG_MAP, "default")
    return {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in found.items}


@pytest.mark.parametrize("streaming", [True, False], ids=["streamed lists", "lists"])
@pytest.mark.parametrize(
    "trouble", [expired, torn, silent, doubled, late, closed], ids=lambda trouble: trouble.__name__
)
async def test_k6_no_deletion_is_missed(client, middleman, follow, trouble, streaming):
    for number in range(4):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"map-{number}"}}
        await client.create(CONFIG_MAP, body, "default")
    # The first watch of a streamed list is met as well; the last ones are whole again.
    middleman.troubles += [trouble] * 6
    async with follow(streaming=streaming) as (informer, picture):
        for name in set(await uids(client)):
            if name.startswith("map-"):
                await client.delete(CONFIG_MAP, name, "default")
        await history(client, seed=trouble.__name__)
        await picture.until(await uids(client))
        assert {o["metadata"]["name"] for o in informer.store} == set(picture.objects)


async def test_k6_a_version_that_is_too_old_leads_to_one_list_and_the_deletions_of_the_gap(
    client, plane, middleman, follow
):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    await client.create(CONFIG_MAP, body, "default")
    async with follow(streaming=False) as (_, picture):
        await picture.until(await uids(client))
        before = middleman.lists
        # The stream ends, and while nobody looks an object goes.
        plane.faults.add(Fault("/api/v1/namespaces/default/configmaps", verb="watch", expire=True))
        middleman.troubles.append(closed)
        await client.patch(CONFIG_MAP, "a", {"data": {"x": "1"}}, "default")
        await client.delete(CONFIG_MAP, "a", "default")
        await picture.until(await uids(client))
        assert picture.deleted == ["a"]
        assert middleman.lists - before <= 1


async def test_k6_bookmarks_alone_are_a_sign_of_life_and_move_the_version(
    client, middleman, follow
):
    """They come for longer than silence is endured; what they say is where the next one begins."""
    told = []
    enough = asyncio.Event()

    async def counted(lines):
        async for line in lines:
            event = msgspec.json.decode(line)
            assert event["type"] == "BOOKMARK"
            yield line
            told.append(event["object"]["metadata"]["resourceVersion"])
            if len(told) == 20:
                enough.set()

    middleman.troubles += [counted]
    async with follow(streaming=False) as (informer, picture):
        async with asyncio.timeout(WITHIN):
            while not enough.is_set():
                # Elsewhere something happens: only bookmarks tell how far the server is.
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "far"}}
                await client.patch(
                    CONFIG_MAP,
                    "far",
                    {**body, "data": {"n": str(len(told))}},
                    "kube-system",
                    type="apply",
                    field_manager="test",
                )
                await asyncio.wait([asyncio.ensure_future(enough.wait())], timeout=0.05)
        assert middleman.watches == 1, "it was one connection, for twice as long as idle is"
        assert informer.alive(within=0.5)
        assert int(told[-1]) > int(told[0])
        assert picture.deleted == []
