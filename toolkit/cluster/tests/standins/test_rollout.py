import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.standins.rollout import (
    Bounds,
    Sized,
    bounds_of,
    count_of,
    first_size,
    proportional,
    recreate,
    rolling,
)


@pytest.mark.parametrize(
    ("value", "total", "up", "expected"),
    [
        (3, 10, True, 3),
        ("25%", 10, True, 3),
        ("25%", 10, False, 2),
        ("0%", 10, True, 0),
        ("100%", 7, False, 7),
        ("1%", 1, True, 1),
        ("4", 10, True, 4),
        (None, 10, True, 0),
    ],
)
def test_counts_and_percentages(value, total, up, expected):
    assert count_of(value, total, up=up) == expected


def strategy(surge, unavailable):
    return {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


@pytest.mark.parametrize(
    ("spec", "expected", "reason"),
    [
        ({}, Bounds(1, 1, 0), "the defaults for one pod: surge first"),
        ({"replicas": 4}, Bounds(4, 1, 1), "a quarter each"),
        ({"replicas": 0}, Bounds(0, 0, 0), "nothing wanted, nothing may be missing"),
        ({"replicas": 3, "strategy": strategy(0, 0)}, Bounds(3, 0, 1), "never a deadlock"),
        ({"replicas": 2, "strategy": strategy(0, "1%")}, Bounds(2, 0, 1), "rounded to zero"),
        ({"replicas": 2, "strategy": strategy(1, 5)}, Bounds(2, 1, 2), "no more than there are"),
        ({"replicas": 2, "strategy": {"type": "Recreate"}}, Bounds(2, 0, 0), "no bounds needed"),
    ],
)
def test_bounds(spec, expected, reason):
    assert bounds_of(spec) == expected, reason


@pytest.mark.parametrize(
    ("bounds", "new", "olds", "expected", "reason"),
    [
        (Bounds(4, 1, 1), (0, 0), [(4, 4)], {"new": 1}, "surge by one"),
        (Bounds(4, 1, 1), (1, 0), [(4, 4)], {"old0": 3}, "one may be missing"),
        (Bounds(4, 1, 1), (1, 0), [(3, 3)], {"new": 2}, "the freed place is taken"),
        (Bounds(4, 1, 1), (2, 0), [(3, 3)], {}, "nothing more until something is available"),
        (Bounds(4, 1, 1), (2, 2), [(3, 3)], {"old0": 1}, "available ones replace old ones"),
        (Bounds(4, 1, 1), (4, 4), [(1, 1)], {"old0": 0}, "the last old one"),
        (Bounds(4, 1, 1), (4, 4), [(0, 0)], {}, "done"),
        (Bounds(2, 1, 0), (1, 0), [(2, 2)], {}, "none may be missing"),
        (Bounds(2, 1, 0), (1, 1), [(2, 2)], {"old0": 1}, "one for one"),
        (Bounds(3, 0, 1), (0, 0), [(3, 3)], {"old0": 2}, "no surge: shrink first"),
        (Bounds(2, 0, 2), (2, 0), [(0, 0)], {}, "all new, none available yet"),
        (Bounds(2, 1, 1), (3, 3), [(0, 0)], {"new": 2}, "more than wanted shrinks"),
        (
            Bounds(4, 1, 1),
            (1, 0),
            [(2, 0), (2, 2)],
            {"old0": 1},
            "a broken old pod goes before one that serves",
        ),
        (
            Bounds(10, 3, 2),
            (5, 0),
            [(8, 8)],
            {},
            "a rollout that is stuck at its bounds stays there",
        ),
    ],
)
def test_steps_of_a_rolling_update(bounds, new, olds, expected, reason):
    newest = Sized("new", *new, created="9")
    older = [Sized(f"old{i}", *each, created=str(i)) for i, each in enumerate(olds)]
    assert rolling(bounds, newest, older) == expected, reason


COUNTS = st.integers(0, 12)


@given(COUNTS, st.integers(0, 5), st.integers(0, 5), st.lists(COUNTS, max_size=3))
def test_a_rollout_keeps_its_bounds_and_ends(desired, surge, unavailable, sizes):
    """Every new pod becomes available: the rollout ends, and never strays on its way."""
    if surge == 0 and unavailable == 0:
        unavailable = 1
    bounds = Bounds(desired, surge, min(unavailable, desired))
    new = Sized("new", 0, 0, "9")
    olds = [Sized(f"old{i}", size, size, str(i)) for i, size in enumerate(sizes)]
    start = sum(sizes)
    for _ in range(200):
        sizes = rolling(bounds, new, olds)
        if not sizes:
            break
        new, *olds = (
            Sized(each.name, size := sizes.get(each.name, each.replicas), size, each.created)
            for each in (new, *olds)
        )
        total = new.replicas + sum(old.replicas for old in olds)
        assert total <= max(start, desired + surge)
        assert total >= min(start, desired - unavailable)
    assert new.replicas == desired
    assert all(old.replicas == 0 for old in olds)


@pytest.mark.parametrize(
    ("new", "total", "expected"), [(0, 0, 4), (0, 4, 1), (0, 5, 0), (2, 4, 3), (4, 4, 4)]
)
def test_the_new_set_grows_into_the_room_there_is(new, total, expected):
    assert first_size(Bounds(4, 1, 1), new, total) == expected


@pytest.mark.parametrize(
    ("new", "olds", "running", "expected", "reason"),
    [
        (None, [2], True, {"old0": 0}, "first everything old stops"),
        (None, [0], True, {}, "then it waits"),
        (0, [0], True, {}, "also when the new set exists already"),
        (0, [0], False, {"new": 2}, "then the new one starts"),
        (2, [0], False, {}, "done"),
        (5, [0], False, {"new": 2}, "scaled down"),
    ],
)
def test_steps_of_recreate(new, olds, running, expected, reason):
    newest = None if new is None else Sized("new", new)
    older = [Sized(f"old{i}", size) for i, size in enumerate(olds)]
    assert recreate(2, newest, older, old_pods_run=running) == expected, reason


@pytest.mark.parametrize(
    ("bounds", "new", "olds", "expected", "reason"),
    [
        (Bounds(5, 0, 1), (3, 3), [(0, 0)], {"new": 5}, "the only active one takes all"),
        (Bounds(5, 0, 1), None, [(3, 3)], {"old0": 5}, "also an old one, while paused"),
        (Bounds(3, 0, 1), (3, 3), [(0, 0)], {}, "nothing to do"),
        (Bounds(4, 1, 1), (4, 4), [(1, 1)], {"old0": 0}, "a complete new one ends the old"),
        (
            Bounds(20, 0, 1),
            (5, 5),
            [(5, 5)],
            {"new": 10, "old0": 10},
            "doubled: each keeps its half",
        ),
        (Bounds(0, 0, 0), (3, 3), [(7, 7)], {"new": 0, "old0": 0}, "to zero at once"),
        (Bounds(5, 0, 1), (2, 2), [(8, 8)], {"new": 1, "old0": 4}, "halved"),
    ],
)
def test_scaling_in_the_middle_of_a_rollout(bounds, new, olds, expected, reason):
    newest = None if new is None else Sized("new", *new, created="9", max_replicas=10)
    older = [
        Sized(f"old{i}", *each, created=str(i), max_replicas=10) for i, each in enumerate(olds)
    ]
    assert proportional(bounds, newest, older) == expected, reason


@given(COUNTS, st.integers(0, 4), COUNTS, st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_scaling_moves_to_the_allowed_total(desired, surge, new, sizes):
    newest = Sized("new", new, 0, "9", max_replicas=max(1, new + sum(sizes)))
    olds = [
        Sized(f"old{i}", size, size, str(i), newest.max_replicas) for i, size in enumerate(sizes)
    ]
    bounds = Bounds(desired, surge, 1)
    result = proportional(bounds, newest, olds)
    active = [each for each in (newest, *olds) if each.replicas > 0]
    after = sum(result.get(each.name, each.replicas) for each in active)
    before, allowed = sum(each.replicas for each in active), desired + surge
    if len(active) <= 1 or newest.replicas == desired == newest.available:
        assert after == desired
    elif desired == 0:
        assert after == 0
    elif allowed >= before:
        assert after == allowed
    else:
        # What rounding left over comes off the largest alone; the rest follows in later rounds.
        assert allowed <= after < before
    assert all(size >= 0 for size in result.values())
