"""What one execution may use: time, steps, depth and size.

A template is code of strangers. It cannot reach files or the network, but it can loop and double a
string; the budget stops it, and the error names the place where it was.
"""

import time
from collections.abc import Callable
from typing import Final

__all__ = ["Budget", "Exhausted"]

_EVERY: Final = 512


class Exhausted(Exception):  # noqa: N818  (turned into BudgetExceeded where the place is known)
    """The budget is used up; the message says which part of it."""


class Budget:
    """Limits of one execution and of all executions nested in it.

    `size` counts characters of output and of any one value that a function returns, `steps` counts
    actions and turns of loops, `seconds` is wall time, `depth` is templates within templates.
    """

    __slots__ = ("_clock", "_deadline", "_left", "depth", "seconds", "size", "steps", "written")

    def __init__(
        self,
        *,
        size: int = 64 * 2**20,
        steps: int = 20_000_000,
        seconds: float = 30.0,
        depth: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size, self.steps, self.seconds, self.depth = size, steps, seconds, depth
        self.written = 0
        self._clock = clock
        self._deadline = clock() + seconds
        self._left = steps

    def step(self) -> None:
        """Count one step. Raises Exhausted."""
        self._left -= 1
        if self._left % _EVERY:
            return
        if self._left <= 0:
            raise Exhausted(f"the template took more than {self.steps} steps")
        if self._clock() > self._deadline:
            raise Exhausted(f"the template took longer than {self.seconds:g} seconds")

    def write(self, length: int) -> None:
        """Count output. Raises Exhausted."""
        self.written += length
        if self.written > self.size:
            raise Exhausted(f"the output has more than {self.size} characters")

    def enter(self, depth: int) -> None:
        """Check how deep templates are nested. Raises Exhausted."""
        if depth > self.depth:
            raise Exhausted(f"templates are nested deeper than {self.depth}")

    def value(self, length: int) -> None:
        """Check one value's length. Raises Exhausted."""
        if length > self.size:
            raise Exhausted(f"a value has more than {self.size} characters or items")
