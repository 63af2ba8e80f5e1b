"""Time that moves only when told to."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fluvial.toolkit.clock import Timer

__all__ = ["FakeClock", "settle"]

_ROUNDS = 50
_START = datetime(2026, 1, 1, tzinfo=UTC)


async def settle(rounds: int = _ROUNDS) -> None:
    """Let every task run until it waits for something (that is not the network)."""
    for _ in range(rounds):
        await asyncio.sleep(0)


class _FakeTimer:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeClock:
    """A Clock that stands still until `advance`; sleepers wake in the order in which they are due.

    `suspend` moves only the boot-time clock and the wall clock, as when a machine sleeps or a
    process is stopped.
    """

    def __init__(self, start: datetime = _START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._suspended = 0.0
        self._timers: list[tuple[float, int, _FakeTimer]] = []
        self._order = itertools.count()
        self._scheduled = asyncio.Event()

    def now(self) -> datetime:
        """Wall-clock time: the start, and what has passed."""
        return self._start + timedelta(seconds=self._elapsed + self._suspended)

    def monotonic(self) -> float:
        """Seconds that were advanced."""
        return self._elapsed

    def boottime(self) -> float:
        """Seconds that were advanced or suspended."""
        return self._elapsed + self._suspended

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Call back once time has moved that far."""
        timer = _FakeTimer(callback)
        due = self._elapsed + max(0.0, delay)
        heapq.heappush(self._timers, (due, next(self._order), timer))
        self._scheduled.set()
        self._scheduled = asyncio.Event()
        return timer

    async def sleep(self, delay: float) -> None:
        """Wait until time has moved that far; zero and less just yield."""
        if delay <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        timer = self.call_later(delay, woken.set)
        try:
            await woken.wait()
        finally:
            timer.cancel()

    async def advance(self, seconds: float) -> None:
        """Move time on, stopping at everything that is due on the way and letting it run."""
        target = self._elapsed + seconds
        await settle()
        while self._timers and self._timers[0][0] <= target:
            due, _, timer = heapq.heappop(self._timers)
            self._elapsed = max(self._elapsed, due)
            if timer.callback is not None:
                timer.callback()
                await settle()
        self._elapsed = target
        await settle()

    async def scheduled(self, delay: float, *, tolerance: float = 0.05) -> float:
        """Wait until something is due in about `delay` seconds; returns the exact time left.

        For code that does real I/O before it goes to sleep. Raises TimeoutError after ten real
        seconds.
        """
        async with asyncio.timeout(10):
            while True:
                changed = self._scheduled
                for left in self.pending:
                    if abs(left - delay) <= tolerance:
                        return left
                await changed.wait()

    def suspend(self, seconds: float) -> None:
        """Let wall-clock and boot time pass while nothing runs."""
        self._suspended += seconds

    @property
    def pending(self) -> list[float]:
        """In how many seconds each waiting timer is due, soonest first."""
        return sorted(due - self._elapsed for due, _, timer in self._timers if timer.callback)
