"""The process as a whole: servers, leadership, tasks, the end."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from fluvial.toolkit import Manager
from fluvial.toolkit.client import LeaseLost
from fluvial.toolkit.health import split_address
from fluvial.toolkit.testing import quiet_flags, running


async def fetch(address, path):
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as answer:
        return answer.status, await answer.text()


async def test_probes_metrics_and_the_address_file(make_manager, tmp_path):
    path = tmp_path / "addresses.json"
    manager = make_manager(
        metrics_addr="127.0.0.1:0", health_addr="127.0.0.1:0", address_file=str(path)
    )
    synced = manager.ready["synced"] = asyncio.Event()
    app = web.Application()
    manager.add_server("storage", app, "127.0.0.1:0", leader_only=True)
    async with running(manager):
        await manager.leading.wait()
        addresses = json.loads(path.read_text())
        assert addresses == manager.addresses
        assert set(addresses) == {"metrics", "health", "storage"}
        assert await fetch(addresses["health"], "/healthz") == (200, "ok")
        assert await fetch(addresses["health"], "/readyz") == (503, "waiting for: synced\n")
        synced.set()
        assert await fetch(addresses["health"], "/readyz") == (200, "ok")
        status, text = await fetch(addresses["metrics"], "/metrics")
        assert status == 200
        assert "fluvial_event_loop_lag_seconds" in text
        status, text = await fetch(addresses["metrics"], "/debug/tasks")
        assert status == 200
        assert "manager" in text


async def test_background_tasks_run_while_leading(make_manager):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def task(runtime):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    manager = make_manager()
    manager.add_task("background", task)
    async with running(manager):
        async with asyncio.timeout(10):
            await begun.wait()
    assert ended.is_set()


async def test_a_task_that_fails_ends_the_process(make_manager):
    async def task(runtime):
        raise OSError("disk gone")

    manager = make_manager()
    manager.add_task("background", task)
    async with manager:
        with pytest.raises(BaseExceptionGroup) as caught:
            await manager.run()
    assert caught.group_contains(OSError, match="disk gone")


async def test_a_standby_waits_and_the_lease_is_given_back(api, make_manager):
    first = make_manager(enable_leader_election=True)
    second = make_manager(enable_leader_election=True)
    name = "test-controller-leader-election"
    async with running(second):
        async with asyncio.timeout(10):
            await second.leading.wait()
        async with running(first):
            # The standby looks at the lease, and stays one.
            await api.until(
                lambda: sum("/leases/" in r.path and r.method == "GET" for r in api.requests) >= 2
            )
            assert not first.leading.is_set()
            assert api.get("Lease", name, "flux-system")["spec"]["holderIdentity"]
    assert api.get("Lease", name, "flux-system")["spec"]["holderIdentity"] == ""


async def test_losing_the_lease_ends_the_process(api, make_manager, clock):
    manager = make_manager(clock, enable_leader_election=True)
    async with manager:
        task = asyncio.create_task(manager.run())
        async with asyncio.timeout(10):
            await manager.leading.wait()
        lease = api.get("Lease", "test-controller-leader-election", "flux-system")
        api.put({**lease, "spec": {**lease["spec"], "holderIdentity": "other"}})
        left = await clock.scheduled(5)
        await clock.advance(left)
        async with asyncio.timeout(10):
            with pytest.raises(LeaseLost, match="another holder"):
                await task
    lease = api.get("Lease", "test-controller-leader-election", "flux-system")
    assert lease["spec"]["holderIdentity"] == "other"


async def test_the_user_agent_names_the_controller(api):
    manager = Manager("source-controller", quiet_flags(), api.config, version="1.2.3")
    async with manager:
        await manager.client.get_raw("/api")
    assert api.requests[-1].headers["User-Agent"] == "source-controller/1.2.3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":8080", (None, 8080)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:9", ("::1", 9)),
        ("localhost:9", ("localhost", 9)),
    ],
)
def test_addresses(text, expected):
    assert split_address(text) == expected


@pytest.mark.parametrize("text", ["8080", "localhost", "x:http", ""])
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="not an address"):
        split_address(text)
