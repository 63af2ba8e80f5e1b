import asyncio
from contextlib import aclosing

import msgspec
import pytest
from aiohttp import web

from fluvial.toolkit.client import Gone, Resource, TransportError


def line(type, obj):
    return msgspec.json.encode({"type": type, "object": obj}) + b"\n"


def named(name, version="1", **fields):
    return {"metadata": {"name": name, "namespace": "ns", "resourceVersion": version}, **fields}


def streaming(*chunks, then=None):
    """Answer a watch with these chunks, and then end, or wait for `then`."""

    async def handler(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if then is not None:
            await then.wait()
        return response

    return handler


async def collect(events):
    async with aclosing(events):
        return [event async for event in events]


async def test_events_arrive_with_kind_and_order(connect, configmaps):
    chunks = (line("ADDED", named("a")), line("MODIFIED", named("a", "2")))
    client = await connect(streaming(*chunks, line("BOOKMARK", named("", "9"))))
    events = await collect(client.watch(configmaps, "ns", resource_version="0"))
    assert [event.type for event in events] == ["ADDED", "MODIFIED", "BOOKMARK"]
    assert events[0].object["kind"] == "ConfigMap"


async def test_an_object_of_many_chunks_is_whole(connect, configmaps):
    text = "é" * 700_000  # 1.4 MB
    raw = line("ADDED", named("big", data={"x": text})) + line("ADDED", named("small"))
    pieces = [raw[i : i + 10_001] for i in range(0, len(raw), 10_001)]
    client = await connect(streaming(*pieces))
    events = await collect(client.watch(configmaps))
    assert [event.object["metadata"]["name"] for event in events] == ["big", "small"]
    assert events[0].object["data"]["x"] == text


async def test_three_hundred_watches_leave_room_for_calls(connect, answer, configmaps):
    end = asyncio.Event()
    opened = []

    async def handler(request):
        if "watch" not in request.query:
            return answer({"kind": "ConfigMap"})
        opened.append(request.path)
        return await streaming(line("ADDED", named("a")), then=end)(request)

    client = await connect(handler, connections=4)
    started = [asyncio.Event() for _ in range(300)]
    seen = []

    async def follow(number):
        resource = Resource("", "v1", f"things{number}", "Thing")
        async with aclosing(client.watch(resource)) as events:
            async for event in events:
                seen.append(event.object["metadata"]["name"])
                started[number].set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for number in range(300):
            tasks.create_task(follow(number))
        await asyncio.gather(*(event.wait() for event in started))
        answers = await asyncio.gather(*(client.get(configmaps, f"a{n}", "ns") for n in range(100)))
        end.set()
    assert len(opened) == 300
    assert len(seen) == 300
    assert len(answers) == 100


async def test_an_error_event_is_raised(connect, configmaps):
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    client = await connect(streaming(line("ERROR", status)))
    with pytest.raises(Gone, match="too old"):
        await collect(client.watch(configmaps))


async def test_a_refused_watch_is_raised(connect, failure, configmaps):
    async def handler(_request):
        return failure(410, "Expired")

    client = await connect(handler)
    with pytest.raises(Gone):
        await collect(client.watch(configmaps))


async def test_a_silent_connection_is_given_up(connect, configmaps):
    client = await connect(streaming(line("ADDED", named("a")), then=asyncio.Event()))
    with pytest.raises(TransportError, match=r"silent for 0\.05s"):
        await collect(client.watch(configmaps, idle=0.05))


async def test_garbage_is_an_error_not_a_crash(connect, configmaps):
    client = await connect(streaming(b"<html>\n"))
    with pytest.raises(TransportError, match="no JSON object"):
        await collect(client.watch(configmaps))


async def test_metadata_watches_ask_for_metadata(connect, configmaps):
    seen = {}

    async def handler(request):
        seen.update(request.headers)
        seen["query"] = dict(request.query)
        return await streaming(line("ADDED", named("a")))(request)

    client = await connect(handler)
    await collect(
        client.watch(configmaps, "ns", metadata_only=True, label_selector="a", initial_events=True)
    )
    assert "as=PartialObjectMetadata;" in seen["Accept"]
    assert seen["query"]["allowWatchBookmarks"] == "true"
    assert seen["query"]["sendInitialEvents"] == "true"
    assert seen["query"]["labelSelector"] == "a"
