import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.toolkit.queue import BACKGROUND, CHANGED, REQUESTED, Backoff, QueueClosed, WorkQueue
from fluvial.toolkit.testing import settle


@pytest.fixture
def queue(clock):
    return WorkQueue("test", clock)


async def drain(queue):
    taken = []
    while len(queue):
        key, _ = await queue.get()
        queue.done(key)
        taken.append(key)
    return taken


async def test_a_key_waits_once(queue):
    for key in "aba":
        queue.add(key)
    assert await drain(queue) == ["a", "b"]


async def test_users_go_first_and_equals_keep_their_order(queue):
    queue.add("interval", BACKGROUND)
    queue.add("changed-1", CHANGED)
    queue.add("changed-2", CHANGED)
    queue.add("user", REQUESTED)
    queue.add("interval", REQUESTED)
    assert await drain(queue) == ["user", "interval", "changed-1", "changed-2"]


async def test_a_worse_priority_does_not_demote(queue):
    queue.add("a", REQUESTED)
    queue.add("b", CHANGED)
    queue.add("a", BACKGROUND)
    assert await drain(queue) == ["a", "b"]


async def test_a_key_in_work_comes_back_after_it(queue):
    queue.add("a")
    key, interrupted = await queue.get()
    queue.add("a")
    assert interrupted.is_set()
    assert len(queue) == 0, "never two at a time"
    queue.done(key)
    assert await drain(queue) == ["a"]


async def test_delays_end_in_time(queue, clock):
    queue.add_after("a", 10)
    await clock.advance(9.9)
    assert len(queue) == 0
    await clock.advance(0.2)
    assert await drain(queue) == ["a"]


@pytest.mark.parametrize(
    ("first", "second", "due", "reason"),
    [(10, 5, 5, "the earlier wins"), (5, 10, 5, "the later changes nothing")],
)
async def test_of_two_delays_the_earlier_counts(queue, first, second, due, reason):
    queue.add_after("a", first)
    queue.add_after("a", second)
    assert queue.due("a") == due, reason


async def test_an_immediate_add_replaces_a_delay(queue, clock):
    queue.add_after("a", 10)
    queue.add("a")
    assert await drain(queue) == ["a"]
    await clock.advance(11)
    assert len(queue) == 0


async def test_a_cancelled_delay_never_ends(queue, clock):
    queue.add_after("a", 10)
    queue.cancel("a")
    await clock.advance(11)
    assert len(queue) == 0


async def test_every_waiting_worker_gets_its_key(queue):
    takers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await settle()
    for key in "abc":
        queue.add(key)
    taken = [(await taker)[0] for taker in takers]
    assert sorted(taken) == ["a", "b", "c"]


async def test_a_cancelled_worker_passes_its_turn_on(queue):
    first = asyncio.create_task(queue.get())
    await settle()
    second = asyncio.create_task(queue.get())
    await settle()
    queue.add("a")
    first.cancel()
    await settle()
    if second.done():
        assert second.result()[0] == "a"
    else:
        assert len(queue) == 1
        queue.add("b")
        assert (await second)[0] in {"a", "b"}


async def test_closing_ends_the_workers(queue):
    queue.add("a")
    key, _ = await queue.get()
    taker = asyncio.create_task(queue.get())
    await settle()
    queue.close()
    with pytest.raises(QueueClosed):
        await taker
    queue.add("b")
    queue.done(key)
    with pytest.raises(QueueClosed):
        await queue.get()


def test_backoff_doubles_to_its_cap_and_forgets():
    backoff = Backoff(0.75, 900)
    delays = [backoff.next("a") for _ in range(13)]
    assert delays[:5] == [0.75, 1.5, 3.0, 6.0, 12.0]
    assert delays[9] == 384.0, "upstream: the tenth retry comes after 6.4 minutes"
    assert delays[-1] == 900.0
    assert backoff.next("b") == 0.75, "each object for itself"
    backoff.forget("a")
    assert backoff.next("a") == 0.75


def test_backoff_survives_any_number_of_failures():
    backoff = Backoff(0.75, 900)
    assert {backoff.next("a") for _ in range(2000)} >= {900.0}
    assert backoff.failures("a") == 2000


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2)), max_size=40))
def test_the_order_is_priority_then_arrival(adds):
    async def run():
        from fluvial.toolkit.testing import FakeClock  # noqa: PLC0415 - per example

        queue = WorkQueue("test", FakeClock())
        best = {}
        for position, (key, priority) in enumerate(adds):
            queue.add(key, priority)
            if key not in best or priority < best[key][0]:
                best[key] = (priority, position)
        return await drain(queue), sorted(best, key=best.get)

    taken, expected = asyncio.run(run())
    assert taken == expected
