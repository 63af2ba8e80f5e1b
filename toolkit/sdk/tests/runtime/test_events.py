import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.toolkit.client import Client
from fluvial.toolkit.events import EventRecorder
from fluvial.toolkit.metrics import Metrics

OBJ = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {
        "name": "apps",
        "namespace": "default",
        "uid": "u1",
        "resourceVersion": "5",
        "annotations": {"event.toolkit.fluxcd.io/summary": "prod", "other": "x"},
    },
}


@pytest.fixture
async def sink():
    """Stand in for the notification controller; answers in turn, the last answer for ever."""
    received, answers = [], [202]

    async def handler(request):
        received.append(json.loads(await request.read()))
        return web.Response(status=answers.pop(0) if len(answers) > 1 else answers[0])

    app = web.Application()
    app.router.add_post("/", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/")), received, answers


@pytest.fixture
async def recorder(api, clock):
    tasks = []
    clients = []

    def make(address="", metrics=None):
        client = Client(api.config, qps=0, clock=clock)
        clients.append(client)
        made = EventRecorder(
            client,
            "kustomize-controller",
            address=address,
            clock=clock,
            metrics=metrics or Metrics(),
        )
        tasks.append(asyncio.create_task(made.run()))
        return made

    yield make
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for client in clients:
        await client.close()


async def test_the_event_in_the_cluster(api, recorder):
    events = recorder()
    events.event(OBJ, "Warning", "BuildFailed", "no such file", {"revision": "main@sha1:1"})
    async with asyncio.timeout(10):
        await events.flush()
    (event,) = api.all("Event")
    assert event["involvedObject"]["uid"] == "u1"
    assert (event["type"], event["reason"]) == ("Warning", "BuildFailed")
    assert event["source"] == {"component": "kustomize-controller"}
    assert event["metadata"]["annotations"] == {
        "event.toolkit.fluxcd.io/summary": "prod",
        "kustomize.toolkit.fluxcd.io/revision": "main@sha1:1",
    }


async def test_equal_events_are_counted(api, recorder):
    events = recorder()
    for _ in range(3):
        events.event(OBJ, "Normal", "Progressing", "waiting")
    events.event(OBJ, "Normal", "Progressing", "something else")
    async with asyncio.timeout(10):
        await events.flush()
    assert sorted((e["message"], e["count"]) for e in api.all("Event")) == [
        ("something else", 1),
        ("waiting", 3),
    ]


async def test_a_counted_event_that_expired_is_written_anew(api, recorder):
    events = recorder()
    events.event(OBJ, "Normal", "Progressing", "waiting")
    await events.flush()
    api.drop("Event", api.all("Event")[0]["metadata"]["name"])
    events.event(OBJ, "Normal", "Progressing", "waiting")
    await events.flush()
    assert [e["count"] for e in api.all("Event")] == [1]


async def test_the_notification(recorder, sink):
    address, received, _ = sink
    events = recorder(address)
    events.event(OBJ, "Warning", "BuildFailed", "https://me:pw@x.io failed", {"revision": "r"})
    async with asyncio.timeout(10):
        await events.flush()
    (body,) = received
    assert body["severity"] == "error"
    assert body["timestamp"] == "2026-01-01T00:00:00Z"
    assert body["reportingController"] == "kustomize-controller"
    assert body["involvedObject"]["kind"] == "Kustomization"
    assert body["message"] == "https://*****@x.io failed"
    assert body["metadata"]["kustomize.toolkit.fluxcd.io/revision"] == "r"


async def test_traces_and_unaddressed_events_are_not_posted(api, recorder, sink):
    address, received, _ = sink
    events = recorder(address)
    events.event(OBJ, "Trace", "Noted", "only here")
    cluster_wide = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    events.event(cluster_wide, "Normal", "Noted", "no namespace")
    async with asyncio.timeout(10):
        await events.flush()
    assert received == []
    assert {e["type"] for e in api.all("Event")} == {"Normal"}


@pytest.mark.parametrize(
    ("answers", "posts", "dropped", "reason"),
    [
        ([500, 503, 202], 3, None, "server failures are tried again"),
        ([500], 5, "failed", "four times at most"),
        ([429], 1, None, "a duplicate is as good as delivered"),
        ([400], 1, "refused", "nothing would change by asking again"),
    ],
)
async def test_which_answers_are_tried_again(  # noqa: PLR0917 - a table
    recorder, sink, clock, answers, posts, dropped, reason
):
    address, received, script = sink
    script[:] = answers
    metrics = Metrics()
    events = recorder(address, metrics)
    events.event(OBJ, "Normal", "Done", "done")
    done = asyncio.create_task(events.flush())
    for n in range(posts - 1):
        left = await clock.scheduled(2.0**n, tolerance=0.25 * 2.0**n)
        await clock.advance(left)
    async with asyncio.timeout(10):
        await done
    assert len(received) == posts, reason
    text = metrics.expose().decode()
    if dropped:
        assert f'fluvial_events_dropped_total{{reason="{dropped}"}} 1.0' in text, reason
    else:
        assert "fluvial_events_dropped_total{" not in text, reason


async def test_a_full_queue_drops_and_never_waits(api, clock):
    metrics = Metrics()
    async with Client(api.config, qps=0) as client:
        events = EventRecorder(client, "c", clock=clock, metrics=metrics)
        for n in range(1005):
            events.event(OBJ, "Normal", "Done", str(n))
    text = metrics.expose().decode()
    assert 'fluvial_events_dropped_total{reason="queue_full"} 5.0' in text
