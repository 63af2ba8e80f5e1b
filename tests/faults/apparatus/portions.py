"""What takes long is tried in portions, each a test: no process is the last for long."""

import os
import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

__all__ = ["THOROUGH", "Portion", "portions"]

T = TypeVar("T")

THOROUGH = os.environ.get("FLUVIAL_FAULTS") == "all"
"""Whether all of the faults are tried (`make faults`), or a sample (`make test`)."""


class Portion(NamedTuple):
    """Every `of`-th of something, from the one at `first`; or `sample` of all, at random."""

    first: int
    of: int
    sample: int = 0

    def __str__(self) -> str:
        return f"sample of {self.sample}" if self.sample else f"{self.first + 1} of {self.of}"

    def choose(self, every: Sequence[T], seed: str) -> list[T]:
        """Return this portion, in order; `seed` says which sample."""
        if not self.sample:
            return list(every[self.first :: self.of])
        chosen = random.Random(seed).sample(range(len(every)), min(self.sample, len(every)))
        return [every[i] for i in sorted(chosen)]


def portions(of: int, *, sample: int) -> list[Portion]:
    """Return the portions that make all of it, or the one that is a sample."""
    return [Portion(i, of) for i in range(of)] if THOROUGH else [Portion(0, 1, sample)]
