"""Time as the stand-ins see it: a wall clock and alarms, so that a test can hold both."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable
from typing import Protocol

__all__ = ["Alarm", "SystemTimer", "Timer", "parse_duration", "parse_time", "seconds_since"]

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|us|µs|ns|h|m|s)")


class Alarm(Protocol):
    """A callback that is still to come."""

    def cancel(self) -> None:
        """Make sure that the callback does not run."""


class Timer(Protocol):
    """A source of time."""

    def now(self) -> dt.datetime:
        """Return the present moment in UTC."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Alarm:
        """Run `callback` on the event loop after that many seconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""


class SystemTimer:
    """The machine's own time."""

    def now(self) -> dt.datetime:
        """Return the present moment in UTC."""
        return dt.datetime.now(dt.UTC)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Alarm:
        """Run `callback` on the running event loop after that many seconds."""
        return asyncio.get_running_loop().call_later(seconds, callback)

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        await asyncio.sleep(seconds)


def parse_time(text: str) -> dt.datetime:
    """Read a timestamp of the API (RFC 3339)."""
    return dt.datetime.fromisoformat(text)


def seconds_since(text: str, now: dt.datetime) -> float:
    """Return how long ago a timestamp of the API was, in seconds."""
    return (now - parse_time(text)).total_seconds()


def parse_duration(text: str) -> float:
    """Read a duration in Go's notation, such as `1m30s` or `250ms`, as seconds.

    Raises `ValueError` for anything else; `0` needs no unit.
    """
    if text == "0":
        return 0.0
    parts = list(_PART.finditer(text))
    if not parts or "".join(part.group() for part in parts) != text:
        raise ValueError(f"{text!r} is no duration: expected numbers with units, such as 1m30s")
    return sum(float(part[1]) * _UNITS[part[2]] for part in parts)
