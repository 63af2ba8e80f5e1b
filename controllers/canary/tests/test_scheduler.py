"""When ticks run, by the fake clock."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from fluvial.apis.decoding import encode
from fluvial.apis.ids import Unstructured
from fluvial.canary.exporter import Exporter
from fluvial.canary.scheduler import Scheduler
from fluvial.toolkit import Key, Store, logger
from fluvial.toolkit.informer import Change
from fluvial.toolkit.testing import FakeClock


class Canaries:
    """What an informer is to the scheduler."""

    def __init__(self):
        self.store = Store()
        self.synced = asyncio.Event()
        self.synced.set()
        self.handlers = []

    def add_handler(self, handler):
        self.handlers.append(handler)

    def remove_handler(self, handler):
        self.handlers.remove(handler)

    def put(self, obj: Unstructured):
        metadata = obj["metadata"]
        old = self.store.get(metadata["namespace"], metadata["name"])
        self.store.put(obj)
        for handler in self.handlers:
            handler(Change("updated" if old else "added", old, obj))

    def drop(self, key):
        gone = self.store.remove(key)
        for handler in self.handlers:
            handler(Change("deleted", gone, None))


class Ticks:
    def __init__(self, clock):
        self.clock = clock
        self.at = []
        self.last = 0.0
        self.error = None
        self.running = 0

    async def __call__(self, _key):
        assert self.running == 0, "ticks overlap"
        self.running += 1
        self.at.append(self.clock.monotonic())
        try:
            await self.clock.sleep(self.last)
            if self.error:
                raise self.error
        finally:
            self.running -= 1


@asynccontextmanager
async def scheduled(*, floor=10.0, every=10.0):
    clock, canaries = FakeClock(), Canaries()
    ticks = Ticks(clock)
    scheduler = Scheduler(
        canaries,
        ticks,
        clock=clock,
        log=logger("test"),
        exporter=Exporter(CollectorRegistry(), version="1", provider="kubernetes"),
        every=every,
        floor=floor,
    )
    task = asyncio.create_task(scheduler.run())
    try:
        yield scheduler, canaries, ticks, clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def raw(canary):
    def make(interval="30s", **changes):
        return encode(canary(analysis={"interval": interval}, **changes))

    return make


async def test_a_canary_ticks_at_once_and_then_every_interval(raw):
    async with scheduled() as (_, canaries, ticks, clock):
        canaries.put(raw("30s"))
        await clock.advance(95)
        assert ticks.at == [0, 30, 60, 90]


async def test_the_floor_of_ten_seconds_and_how_to_lower_it(raw):
    async with scheduled() as (_, canaries, ticks, clock):
        canaries.put(raw("1s"))
        await clock.advance(25)
        assert ticks.at == [0, 10, 20]
    async with scheduled(floor=1.0) as (_, canaries, ticks, clock):
        canaries.put(raw("1s"))
        await clock.advance(3.5)
        assert ticks.at == [0, 1, 2, 3]


async def test_ticks_that_a_long_one_missed_are_dropped(raw):
    async with scheduled() as (_, canaries, ticks, clock):
        ticks.last = 25.0
        canaries.put(raw("10s"))
        await clock.advance(70)
        assert ticks.at == [0, 30, 60]


async def test_a_status_starts_nothing(raw):
    async with scheduled() as (_, canaries, ticks, clock):
        canaries.put(raw("30s"))
        await clock.advance(5)
        canaries.put(raw("30s", status={"phase": "Progressing"}))
        await clock.advance(20)
        assert ticks.at == [0]


async def test_a_new_interval_starts_the_loop_anew(raw):
    async with scheduled() as (scheduler, canaries, ticks, clock):
        canaries.put(raw("60s"))
        await clock.advance(12)
        canaries.put(raw("20s", metadata={"generation": 2}))
        await clock.advance(21)
        assert ticks.at == [0, 12, 32]
        assert scheduler.jobs == {Key("default", "web"): 20}


async def test_a_canary_of_the_same_name_is_another_one(raw):
    async with scheduled() as (_, canaries, ticks, clock):
        canaries.put(raw("60s"))
        await clock.advance(5)
        canaries.put(raw("60s", metadata={"uid": "another", "generation": 3}))
        await clock.advance(1)
        assert ticks.at == [0, 5]


async def test_a_canary_that_is_gone_ticks_no_more(raw):
    async with scheduled() as (scheduler, canaries, ticks, clock):
        canaries.put(raw("10s"))
        await clock.advance(5)
        canaries.drop(Key("default", "web"))
        await clock.advance(60)
        assert ticks.at == [0]
        assert scheduler.jobs == {}


async def test_an_error_is_one_ticks_own(raw):
    async with scheduled() as (_, canaries, ticks, clock):
        ticks.error = RuntimeError("unforeseen")
        canaries.put(raw("10s"))
        await clock.advance(15)
        assert ticks.at == [0, 10]


async def test_a_deletion_is_tried_again_sooner_than_an_hour(raw):
    async with scheduled() as (scheduler, canaries, _, clock):
        canaries.put(raw("60m", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
        await clock.advance(1)
        assert scheduler.jobs == {Key("default", "web"): 30}


async def test_an_object_that_cannot_be_read_stops_no_other(raw):
    async with scheduled() as (scheduler, canaries, _, clock):
        broken = raw("10s", metadata={"name": "broken"})
        del broken["spec"]["targetRef"]
        canaries.put(broken)
        canaries.put(raw("10s"))
        await clock.advance(1)
        assert list(scheduler.jobs) == [Key("default", "web")]
