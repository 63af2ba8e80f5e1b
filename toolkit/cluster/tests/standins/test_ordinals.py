import pytest

from fluvial.cluster.standins.ordinals import Plan, Step, Unit, next_step

OK = Unit("v1")
SICK = Unit("v1", healthy=False)
LEAVING = Unit("v1", healthy=False, terminating=True)
DONE = Unit("v1", healthy=False, finished=True)
NEW = Unit("v2")


def plan(replicas=3, update="v1", **more):
    return Plan(replicas=replicas, current="v1", update=update, **more)


@pytest.mark.parametrize(
    ("wanted", "units", "expected", "reason"),
    [
        (plan(), {}, Step(create=((0, "v1"),)), "the first one first"),
        (plan(), {0: SICK}, Step(), "the next waits for its predecessor"),
        (plan(), {0: OK}, Step(create=((1, "v1"),)), "then the second"),
        (plan(), {0: OK, 1: OK, 2: OK}, Step(), "complete"),
        (plan(), {0: OK, 1: DONE, 2: OK}, Step(delete=(1,)), "a finished one is replaced"),
        (plan(), {0: OK, 1: LEAVING}, Step(), "one that leaves is waited for"),
        (plan(), {0: OK, 2: OK}, Step(create=((1, "v1"),)), "a gap is filled"),
        (plan(1), {0: OK, 1: OK, 2: OK}, Step(delete=(2,)), "shrinks from the top"),
        (plan(1), {0: OK, 1: OK, 2: LEAVING}, Step(), "one at a time"),
        (plan(1), {0: SICK, 1: OK}, Step(), "nothing shrinks while one below is sick"),
        (plan(0), {0: OK}, Step(delete=(0,)), "to zero"),
        (plan(2, start=5), {}, Step(create=((5, "v1"),)), "numbers may start anywhere"),
        (
            plan(parallel=True),
            {},
            Step(create=((0, "v1"), (1, "v1"), (2, "v1"))),
            "all at once when parallel",
        ),
        (
            plan(1, parallel=True),
            {0: SICK, 1: OK, 2: OK},
            Step(delete=(2, 1)),
            "parallel shrinking waits for nobody",
        ),
        (plan(update="v2"), {0: OK, 1: OK, 2: OK}, Step(delete=(2,)), "updates from the top"),
        (
            plan(update="v2"),
            {0: OK, 1: OK, 2: Unit("v2", healthy=False)},
            Step(),
            "waits until the updated one is healthy",
        ),
        (plan(update="v2"), {0: OK, 1: OK, 2: NEW}, Step(delete=(1,)), "then the next"),
        (plan(update="v2"), {0: NEW, 1: NEW, 2: NEW}, Step(), "updated"),
        (plan(update="v2", partition=2), {0: OK, 1: OK, 2: NEW}, Step(), "stops at a partition"),
        (
            plan(update="v2", on_delete=True),
            {0: OK, 1: OK, 2: OK},
            Step(),
            "OnDelete leaves it to the user",
        ),
        (
            plan(update="v2", current_count=2),
            {0: OK, 1: OK},
            Step(create=((2, "v2"),)),
            "a deleted one comes back new",
        ),
        (
            plan(update="v2", current_count=2),
            {0: OK, 2: NEW},
            Step(create=((1, "v1"),)),
            "one that the update has not reached comes back old",
        ),
        (
            plan(update="v2", partition=2),
            {0: OK, 2: NEW},
            Step(create=((1, "v1"),)),
            "below the partition pods stay old",
        ),
    ],
)
def test_next_step(wanted, units, expected, reason):
    assert next_step(wanted, units) == expected, reason
