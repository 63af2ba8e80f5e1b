"""Leadership, and threat K4: who may have lost the lease writes nothing more."""

import asyncio

import msgspec
import pytest
from aiohttp import web

from fluvial.toolkit.client import Client, LeaseLost, Resource
from fluvial.toolkit.leader import LeaderElector, lease_name
from fluvial.toolkit.metrics import Metrics

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")


@pytest.fixture
async def client(api, clock):
    async with Client(api.config, clock=clock, qps=0) as client:
        yield client


@pytest.fixture
def elector(client, clock):
    def make(identity="me", **options):
        return LeaderElector(
            client,
            "test-leader-election",
            "flux-system",
            clock=clock,
            metrics=options.pop("metrics", Metrics()),
            identity=identity,
            **options,
        )

    return make


def lease(api):
    return api.get("Lease", "test-leader-election", "flux-system")["spec"]


@pytest.mark.parametrize(
    ("selector", "expected", "reason"),
    [
        ("", "kustomize-controller-leader-election", "upstream's name"),
        (
            "sharding.fluxcd.io/key=shard1",
            "kustomize-controller-leader-election-73fdc1be",
            "eight hex digits of the selector's SHA-256",
        ),
    ],
)
def test_each_shard_has_its_lease(selector, expected, reason):
    assert lease_name("kustomize-controller", selector) == expected, reason


async def test_a_free_lease_is_taken(api, elector):
    metrics = Metrics()
    me = elector(metrics=metrics)
    await me.acquire()
    assert lease(api)["holderIdentity"] == "me"
    assert lease(api)["leaseDurationSeconds"] == 35
    assert me.leading
    text = metrics.expose().decode()
    assert 'leader_election_master_status{name="test-leader-election"} 1.0' in text


async def test_a_held_lease_is_waited_for(api, elector, clock):
    await elector("other").acquire()
    me = elector()
    task = asyncio.create_task(me.acquire())
    for _ in range(3):
        left = await clock.scheduled(8, tolerance=3.1)
        assert not me.leading
        await clock.advance(left)
    async with asyncio.timeout(10):
        while not task.done():
            left = await clock.scheduled(8, tolerance=3.1)
            await clock.advance(left)
            for _ in range(100):
                await asyncio.sleep(0)
    assert clock.monotonic() >= 35, "counted from when this process first saw it"
    assert lease(api)["holderIdentity"] == "me"
    assert lease(api)["leaseTransitions"] == 1


async def test_a_released_lease_is_taken_at_once(api, elector):
    other = elector("other")
    await other.acquire()
    await other.step_down()
    assert lease(api)["holderIdentity"] == ""
    assert not other.leading
    me = elector()
    await me.acquire()
    assert me.leading


async def test_only_the_holder_releases(api, elector):
    me = elector()
    await me.acquire()
    stolen = api.get("Lease", "test-leader-election", "flux-system")
    api.put({**stolen, "spec": {**stolen["spec"], "holderIdentity": "other"}})
    await me.step_down()
    assert lease(api)["holderIdentity"] == "other"


async def test_renewals_keep_it(api, elector, clock):
    me = elector()
    await me.acquire()
    task = asyncio.create_task(me.hold())
    first = lease(api)["renewTime"]
    for _ in range(20):
        left = await clock.scheduled(5)
        await clock.advance(left)
    await clock.scheduled(5)
    assert me.leading
    assert lease(api)["renewTime"] > first
    assert lease(api)["leaseTransitions"] == 0
    task.cancel()


async def test_a_stolen_lease_ends_the_leader(api, elector, clock):
    me = elector()
    await me.acquire()
    task = asyncio.create_task(me.hold())
    await clock.scheduled(5)
    stolen = api.get("Lease", "test-leader-election", "flux-system")
    api.put({**stolen, "spec": {**stolen["spec"], "holderIdentity": "other"}})
    await clock.advance(5)
    with pytest.raises(LeaseLost, match="another holder"):
        await task
    assert not me.leading
    with pytest.raises(LeaseLost):
        me.guard(1)


async def test_a_server_that_is_away_ends_the_leader_before_the_lease_ends(api, elector, clock):
    me = elector()
    await me.acquire()
    task = asyncio.create_task(me.hold())
    await clock.scheduled(5)
    api.faults.append(
        lambda _: web.Response(
            status=403, body=msgspec.json.encode({"kind": "Status", "code": 403})
        )
    )
    async with asyncio.timeout(10):
        while not task.done():
            await clock.advance(5)
            for _ in range(200):
                await asyncio.sleep(0)
    with pytest.raises(LeaseLost, match=r"could not be renewed|expired"):
        task.result()
    assert clock.monotonic() <= 40


async def test_a_process_that_was_stopped_does_not_go_on(api, elector, clock):
    me = elector()
    await me.acquire()
    task = asyncio.create_task(me.hold())
    await clock.scheduled(5)
    clock.suspend(60)
    assert not me.leading
    await clock.advance(5)
    with pytest.raises(LeaseLost, match="expired"):
        await task


@pytest.mark.parametrize(
    ("passed", "wanted", "expected", "reason"),
    [
        (0, 30, 30, "the lease outlives the request"),
        (10, 30, 24, "the request is shortened to what is left, less a margin"),
        (33.5, 30, None, "half a second is no time"),
        (33.5, 0.3, 0.3, "unless the request needs no more"),
        (35, 0.1, None, "the lease is over"),
        (500, 30, None, "long over"),
    ],
)
async def test_the_guard_measures_the_request_by_the_lease(  # noqa: PLR0917 - a table
    elector, clock, passed, wanted, expected, reason
):
    me = elector()
    await me.acquire()
    clock.suspend(passed)
    if expected is None:
        with pytest.raises(LeaseLost):
            me.guard(wanted)
    else:
        assert me.guard(wanted) == pytest.approx(expected), reason


async def test_a_paused_leader_writes_nothing_when_it_wakes(api, client, elector, clock):
    api.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "default"},
            "data": {"x": "1"},
        }
    )
    me = elector()
    await me.acquire()
    async with Client(api.config, clock=clock, qps=0) as working:
        working.guard = me.guard
        await working.patch(CONFIGMAPS, "a", {"data": {"x": "2"}}, "default")
        clock.suspend(40)
        with pytest.raises(LeaseLost):
            await working.patch(CONFIGMAPS, "a", {"data": {"x": "3"}}, "default")
    assert api.get("ConfigMap", "a")["data"] == {"x": "2"}
