import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.storage import CompactedError, MemoryStore


def obj(value):
    return {"metadata": {"name": "x"}, "data": value}


def test_every_write_has_a_newer_revision_and_says_so():
    store = MemoryStore()
    first = store.put("/a", ("n", "x"), obj(1))
    second = store.put("/b", ("n", "x"), obj(2))
    assert second.revision > first.revision
    assert second.object["metadata"]["resourceVersion"] == str(second.revision)


def test_what_was_written_is_not_what_the_writer_still_holds():
    store, mine = MemoryStore(), obj([1])
    store.put("/a", ("n", "x"), mine)
    mine["data"].append(2)
    assert store.get("/a", ("n", "x")).object["data"] == [1]


def test_events_tell_creation_change_and_removal_apart():
    store = MemoryStore()
    start = store.revision
    store.put("/a", ("n", "x"), obj(1))
    store.put("/a", ("n", "x"), obj(2))
    store.remove("/a", ("n", "x"), obj(2))
    kinds = [(e.previous is None, e.deleted) for e in store.events("/a", start)]
    assert kinds == [(True, False), (False, False), (False, True)]


def test_compaction_ends_old_reads_and_keeps_new_ones():
    store = MemoryStore()
    old = store.put("/a", ("n", "x"), obj(1)).revision
    middle = store.put("/a", ("n", "x"), obj(2)).revision
    store.compact(middle)
    new = store.put("/a", ("n", "x"), obj(3)).revision
    with pytest.raises(CompactedError):
        store.events("/a", old)
    with pytest.raises(CompactedError):
        store.entries("/a", at=old)
    assert [event.revision for event in store.events("/a", middle)] == [new]


def test_a_follower_who_missed_nothing_survives_a_compaction():
    store = MemoryStore()
    seen = store.put("/a", ("n", "x"), obj(1)).revision
    store.put("/b", ("n", "x"), obj(1))
    store.compact(store.revision)
    new = store.put("/a", ("n", "x"), obj(2)).revision
    assert [event.revision for event in store.events("/a", seen)] == [new]


async def test_waiting_ends_with_a_change_of_that_prefix_only():
    store = MemoryStore()
    store.put("/a", ("n", "x"), obj(1))
    waiter = asyncio.create_task(store.changed("/a", store.revision))
    await asyncio.sleep(0)
    store.put("/b", ("n", "x"), obj(1))
    await asyncio.sleep(0)
    assert not waiter.done()
    store.put("/a", ("n", "x"), obj(2))
    async with asyncio.timeout(1):
        await waiter


WRITES = st.lists(
    st.tuples(st.sampled_from(["x", "y", "z"]), st.one_of(st.none(), st.integers(0, 9))),
    max_size=30,
)


@given(WRITES)
def test_the_past_is_what_it_was(writes):
    store, states = MemoryStore(), {}
    current: dict[str, int] = {}
    states[store.revision] = {}
    for name, value in writes:
        if value is None and name in current:
            store.remove("/a", ("n", name), obj(current.pop(name)))
        elif value is not None:
            store.put("/a", ("n", name), obj(value))
            current[name] = value
        states[store.revision] = dict(current)
    for revision, state in states.items():
        found = {e.key[1]: e.object["data"] for e in store.entries("/a", at=revision)}
        assert found == state
