# ruff: noqa: PLR0917 -- fixtures and the columns of a table are all positional
"""Waiting: watches where possible, looks otherwise, a deadline always."""

import asyncio

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.apis.meta import CustomHealthCheck
from fluvial.toolkit.apply import HealthExpressions, State, verdict, wait


def deployment(name="web", *, ready=False):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 1},
        "status": ready_status() if ready else {},
    }


def ready_status():
    return {
        "replicas": 1,
        "updatedReplicas": 1,
        "availableReplicas": 1,
        "readyReplicas": 1,
        "conditions": [{"type": "Available", "status": "True"}],
    }


def become_ready(obj):
    obj["status"] = ready_status()


def fail(obj):
    obj["status"] = {
        "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        ]
    }


WEB = ObjectId("apps", "Deployment", "default", "web")
API = ObjectId("apps", "Deployment", "default", "api")


async def eventually(condition):
    """Let the loop run until something has happened on the other end of a socket."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (the other end is this same loop)
            await asyncio.sleep(0.001)


async def test_all_current_needs_no_watch(client, server, manual_clock):
    server.put(deployment(ready=True))

    healths = await wait(client, [WEB], 60, clock=manual_clock)

    assert [health.state for health in healths] == [State.CURRENT]
    assert verdict(healths) == ""
    assert [method for method, path, _ in server.log if "deployments" in path] == ["GET"]


async def test_nothing_to_wait_for(client, manual_clock):
    assert await wait(client, [], 60, clock=manual_clock) == []


async def test_a_change_ends_the_wait_without_any_time(client, server, manual_clock):
    server.put(deployment("web"))
    server.put(deployment("api"))
    waiting = asyncio.create_task(wait(client, [WEB, API], 60, clock=manual_clock))
    await eventually(lambda: server.watched == {"web", "api"})

    server.touch("Deployment", "api", become_ready)
    server.touch("Deployment", "web", become_ready)

    healths = await waiting
    assert [(health.id, health.state) for health in healths] == [
        (WEB, State.CURRENT),
        (API, State.CURRENT),
    ]
    await eventually(lambda: not server.watched)


async def test_an_object_that_appears_later(client, server, manual_clock):
    waiting = asyncio.create_task(wait(client, [WEB], 60, clock=manual_clock))
    await eventually(lambda: server.watched)

    server.put(deployment(ready=True))

    assert [health.state for health in await waiting] == [State.CURRENT]


async def test_a_failure_ends_it_early(client, server, manual_clock):
    server.put(deployment("web"))
    server.put(deployment("api"))
    waiting = asyncio.create_task(wait(client, [WEB, API], 60, clock=manual_clock))
    await eventually(lambda: len(server.watched) == 2)

    server.touch("Deployment", "api", fail)

    healths = await waiting
    assert [health.state for health in healths] == [State.IN_PROGRESS, State.FAILED]
    assert verdict(healths) == (
        "failed early due to stalled resources: [Deployment/default/api status: 'Failed']"
    )


async def test_without_fail_fast_the_others_are_waited_for(client, server, manual_clock):
    server.put(deployment("web"))
    server.put(deployment("api"))
    waiting = asyncio.create_task(wait(client, [WEB, API], 60, fail_fast=False, clock=manual_clock))
    await eventually(lambda: len(server.watched) == 2)
    server.touch("Deployment", "api", fail)
    await eventually(lambda: not waiting.done())

    server.touch("Deployment", "web", become_ready)

    assert [health.state for health in await waiting] == [State.CURRENT, State.FAILED]


async def test_the_deadline(client, server, manual_clock):
    server.put(deployment())
    waiting = asyncio.create_task(wait(client, [WEB, API], 60, clock=manual_clock))
    await eventually(lambda: len(server.watched) == 2)
    manual_clock.advance(59)
    await asyncio.sleep(0)
    assert not waiting.done()

    manual_clock.advance(1)

    assert verdict(await waiting) == (
        "timeout waiting for: [Deployment/default/web status: 'InProgress', "
        "Deployment/default/api status: 'NotFound']"
    )


async def test_where_watching_is_forbidden_it_looks_every_five_seconds(
    client, server, manual_clock
):
    server.refuse("WATCH", "/deployments", 403, "Forbidden", "no watch for you")
    server.put(deployment())
    waiting = asyncio.create_task(wait(client, [WEB], 60, clock=manual_clock))
    await eventually(lambda: 5.0 in manual_clock.slept)

    server.touch("Deployment", "web", become_ready)
    manual_clock.advance(5)

    assert [health.state for health in await waiting] == [State.CURRENT]
    assert [method for method, path, _ in server.log if "deployments" in path] == [
        "GET",
        "WATCH",
        "GET",
    ]


async def test_a_read_that_fails_is_unknown_until_it_works(client, server, manual_clock):
    server.refuse("GET", "/deployments/web", 403, "Forbidden", "not yours", times=1)
    server.put(deployment(ready=True))
    waiting = asyncio.create_task(wait(client, [WEB], 60, clock=manual_clock))
    await eventually(lambda: 5.0 in manual_clock.slept)

    manual_clock.advance(5)

    assert [health.state for health in await waiting] == [State.CURRENT]


async def test_an_unknown_kind_is_unknown(client, manual_clock):
    other = ObjectId("example.com", "Nothing", "default", "x")
    waiting = asyncio.create_task(wait(client, [other], 60, clock=manual_clock))
    await eventually(lambda: 5.0 in manual_clock.slept)
    manual_clock.advance(60)

    [health] = await waiting
    assert health.state is State.UNKNOWN
    assert "no matches for kind" in health.message


async def test_a_check_without_namespace_fails_at_once(client, manual_clock):
    [health] = await wait(client, [WEB._replace(namespace="")], 60, clock=manual_clock)
    assert (health.state, health.message) == (State.FAILED, "needs a namespace")


async def test_a_job_that_may_vanish(client, server, manual_clock):
    job = ObjectId("batch", "Job", "default", "once")
    server.put(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once", "namespace": "default"},
        }
    )
    waiting = asyncio.create_task(wait(client, [job], 60, vanishing=[job], clock=manual_clock))
    await eventually(lambda: server.watched)

    server.finish("Job", "once")

    assert [health.state for health in await waiting] == [State.CURRENT]


@pytest.mark.parametrize(
    ("pod_status", "expected", "reason"),
    [
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    {"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
                ],
            },
            State.FAILED,
            "a pod that crashes fails its StatefulSet",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "lastTransitionTime": "2020-01-01T00:00:00Z",
                    }
                ],
            },
            State.IN_PROGRESS,
            "one that waits for room does not",
        ),
    ],
)
async def test_pods_of_a_stateful_set(client, server, manual_clock, pod_status, expected, reason):
    server.put(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "namespace": "default"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "db"}}},
        }
    )
    server.put(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "db-0", "namespace": "default", "labels": {"app": "db"}},
            "status": pod_status,
        }
    )
    waiting = asyncio.create_task(
        wait(client, [ObjectId("apps", "StatefulSet", "default", "db")], 60, clock=manual_clock)
    )
    await eventually(lambda: waiting.done() or 5.0 in manual_clock.slept)
    manual_clock.advance(60)

    assert [health.state for health in await waiting] == [expected], reason


async def test_expressions_outrank_the_rules(client, server, manual_clock):
    server.put(deployment(ready=True))
    exprs = HealthExpressions(
        [CustomHealthCheck(api_version="apps/v1", current="has(status.blessed)")]
    )
    waiting = asyncio.create_task(wait(client, [WEB], 60, exprs, clock=manual_clock))
    await eventually(lambda: server.watched)

    server.touch("Deployment", "web", lambda obj: obj["status"].update(blessed=True))

    assert [health.state for health in await waiting] == [State.CURRENT]
