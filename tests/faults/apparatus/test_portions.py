"""Portions lose nothing and repeat nothing, and a sample is the same in every run."""

import pytest
from portions import Portion


@pytest.mark.parametrize(
    ("count", "of", "reason"),
    [
        (46, 4, "it does not come out even"),
        (3, 4, "there are more portions than things"),
        (8, 1, "one portion is all"),
        (0, 4, "nothing has nothing in it"),
    ],
)
def test_portions_are_a_partition(count, of, reason):
    every = list(range(count))
    chosen = [Portion(i, of).choose(every, "seed") for i in range(of)]
    assert sorted(one for portion in chosen for one in portion) == every, reason
    sizes = [len(portion) for portion in chosen]
    assert max(sizes) - min(sizes) <= 1, "no portion is much longer than another"


def test_a_sample_is_some_of_it_in_order_and_its_seed_says_which():
    every = list(range(50))
    sample = Portion(0, 1, sample=5)
    chosen = sample.choose(every, "one")
    assert chosen == sample.choose(every, "one") == sorted(set(chosen))
    assert len(chosen) == 5
    assert chosen != sample.choose(every, "another")
    assert sample.choose(every[:3], "one") == every[:3], "of little it is all"
