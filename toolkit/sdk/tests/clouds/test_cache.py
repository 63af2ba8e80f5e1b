"""The cache of tokens: how long, how many, and who waits for whom."""

import asyncio
from datetime import timedelta

import pytest

from fluvial.toolkit.clouds import Bearer, TokenCache
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.testing import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def metrics():
    return Metrics()


class Issuer:
    """Issues tokens that live for `life` seconds, and counts."""

    def __init__(self, clock, life=3600.0):
        self.clock = clock
        self.life = life
        self.issued = 0

    async def __call__(self):
        self.issued += 1
        return Bearer(f"token-{self.issued}", self.clock.now() + timedelta(seconds=self.life))


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("life", "longest", "held", "reason"),
    [
        (1000.0, 3600.0, 800.0, "four fifths of a life"),
        (7200.0, 600.0, 600.0, "no longer than the flag says"),
        (86400.0, 90000.0, 3600.0, "nor than an hour, whatever it says"),
    ],
)
async def test_how_long_a_token_is_held(clock, metrics, *, life, longest, held, reason):
    cache, issuer = (
        TokenCache(9, clock=clock, metrics=metrics, longest=longest),
        Issuer(clock, life),
    )
    first = await cache.get("a", issuer)
    await clock.advance(held - 1.0)
    assert await cache.get("a", issuer) is first, reason
    await clock.advance(1.0)
    assert await cache.get("a", issuer) is not first, reason


async def test_a_machine_that_slept_has_no_token_left(clock, metrics):
    cache, issuer = TokenCache(9, clock=clock, metrics=metrics), Issuer(clock)
    await cache.get("a", issuer)
    clock.suspend(3000.0)
    await cache.get("a", issuer)
    assert issuer.issued == 2


async def test_the_one_that_was_not_used_for_longest_makes_room(clock, metrics):
    cache, issuer = TokenCache(2, clock=clock, metrics=metrics), Issuer(clock)
    for key in ("a", "b", "a", "c", "a", "b"):
        await cache.get(key, issuer)
    assert issuer.issued == 4  # a stayed, b was asked for again
    assert len(cache) == 2
    assert value(metrics, "gotk_token_cache_evictions_total") == 2
    assert value(metrics, "gotk_token_cached_items") == 2


async def test_nothing_is_held_where_nothing_may_be(clock, metrics):
    cache, issuer = TokenCache(0, clock=clock, metrics=metrics), Issuer(clock)
    await cache.get("a", issuer)
    await cache.get("a", issuer)
    assert (issuer.issued, len(cache)) == (2, 0)
    assert value(metrics, "gotk_token_cache_requests_total", status="success") == 0


async def test_many_who_want_the_same_wait_for_one_fetch(clock, metrics):
    cache, issuer = TokenCache(9, clock=clock, metrics=metrics), Issuer(clock)
    answer = asyncio.Event()

    async def slow():
        await answer.wait()
        return await issuer()

    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(cache.get("a", slow)) for _ in range(5)]
        # The cloud of this one hangs; others go on.
        assert (await cache.get("b", Issuer(clock))).token == "token-1"
        answer.set()
    assert {task.result().token for task in waiting} == {"token-1"}
    assert issuer.issued == 1


async def test_a_failure_is_not_held(clock, metrics):
    cache, issuer = TokenCache(9, clock=clock, metrics=metrics), Issuer(clock)

    async def broken():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await cache.get("a", broken)
    assert (await cache.get("a", issuer)).token == "token-1"
    assert value(metrics, "gotk_token_cache_requests_total", status="failure") == 1


async def test_what_was_refused_is_fetched_once_for_all(clock, metrics):
    cache, issuer = TokenCache(9, clock=clock, metrics=metrics), Issuer(clock)
    refused = await cache.get("a", issuer)

    async def again():
        return await cache.get("a", issuer, works=lambda held: held is not refused)

    async with asyncio.TaskGroup() as tasks:
        tokens = [tasks.create_task(again()) for _ in range(3)]
    assert {task.result().token for task in tokens} == {"token-2"}
