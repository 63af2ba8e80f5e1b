"""Time as something that is passed in, so that a test with an hour of waiting takes no time."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "RealClock", "Timer", "rfc3339"]


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None:
        """Forget the callback; harmless when it has already run."""


class Clock(Protocol):
    """Where code that waits gets its time from."""

    def now(self) -> datetime:
        """Wall-clock time in UTC: for what is written down, never for measuring."""

    def monotonic(self) -> float:
        """Seconds for measuring durations; may stand still while the machine sleeps."""

    def boottime(self) -> float:
        """Seconds since boot, counting the time the machine or the process was suspended."""

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Run `callback` on the event loop after `delay` seconds."""

    async def sleep(self, delay: float) -> None:
        """Wait for `delay` seconds."""


class RealClock:
    """The machine's own clocks and the running event loop's timers."""

    def now(self) -> datetime:
        """Wall-clock time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """`time.monotonic`."""
        return time.monotonic()

    def boottime(self) -> float:
        """`CLOCK_BOOTTIME` where the system has it, else the monotonic clock."""
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if clock is None else time.clock_gettime(clock)

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """`loop.call_later`."""
        return asyncio.get_running_loop().call_later(delay, callback)

    async def sleep(self, delay: float) -> None:
        """`asyncio.sleep`."""
        await asyncio.sleep(delay)


def rfc3339(moment: datetime, *, micros: bool = False) -> str:
    """Write a UTC time as Kubernetes does: seconds, or microseconds for Lease times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micros else "%Y-%m-%dT%H:%M:%SZ")
