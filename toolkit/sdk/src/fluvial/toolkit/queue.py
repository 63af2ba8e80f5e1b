"""The work queue: what is to be reconciled next, each object at most once at a time."""

import asyncio
import heapq
import itertools
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fluvial.toolkit.clock import Clock, Timer
from fluvial.toolkit.metrics import Metrics

__all__ = ["BACKGROUND", "CHANGED", "REQUESTED", "Backoff", "QueueClosed", "WorkQueue"]

K = TypeVar("K", bound=Hashable)

REQUESTED, CHANGED, BACKGROUND = 0, 1, 2
"""Priorities: a user waits; something changed; an interval is over. Lower goes first."""


class QueueClosed(Exception):  # noqa: N818 - a signal to workers, not a failure
    """The queue was shut down and nothing is left to take."""


class Backoff(Generic[K]):
    """Exponential delays per key: `base` x 2^n seconds after n failures in a row, at most `cap`."""

    def __init__(self, base: float = 0.75, cap: float = 900.0) -> None:
        self._base = base
        self._cap = cap
        self._failures: dict[K, int] = {}

    def next(self, key: K) -> float:
        """Count a failure and return the delay before the next try."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # 2^1024 does not fit a float; the cap is reached long before 64 doublings.
        return min(self._base * float(2 ** min(failures, 64)), self._cap)

    def failures(self, key: K) -> int:
        """Return the failures in a row."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """Reset after a success."""
        self._failures.pop(key, None)


@dataclass(slots=True)
class _Delayed:
    due: float
    priority: int
    timer: Timer


@dataclass(slots=True)
class _Work:
    since: float
    again: int | None = None
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)


class WorkQueue(Generic[K]):
    """A queue of keys with priorities, delays and no duplicates.

    A key that is added while it waits is merged (at the better priority); one that is added while
    it is being worked on is handed out again when that is done. Keys of the same priority keep
    their order. A delayed add is overtaken by an earlier one and by any immediate one.
    """

    def __init__(self, name: str, clock: Clock, metrics: Metrics | None = None) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, K]] = []
        self._waiting: dict[K, tuple[int, int, float]] = {}
        self._working: dict[K, _Work] = {}
        self._delayed: dict[K, _Delayed] = {}
        self._order = itertools.count()
        self._takers: set[asyncio.Future[None]] = set()
        self._closed = False
        m = metrics or Metrics()
        labels = (name, name)
        self._depth = m.queue_depth.labels(*labels)
        self._adds = m.queue_adds.labels(*labels)
        self._wait = m.queue_wait.labels(*labels)
        self._work = m.queue_work.labels(*labels)
        self._unfinished = m.queue_unfinished.labels(*labels)
        self._longest = m.queue_longest.labels(*labels)
        self._unfinished.set_function(lambda: sum(self._ages()))
        self._longest.set_function(lambda: max(self._ages(), default=0.0))

    def __len__(self) -> int:
        """How many keys are ready to be taken."""
        return len(self._waiting)

    @property
    def busy(self) -> int:
        """How many keys are being worked on."""
        return len(self._working)

    def add(self, key: K, priority: int = CHANGED) -> None:
        """Make a key ready now."""
        if self._closed:
            return
        delayed = self._delayed.pop(key, None)
        if delayed is not None:
            delayed.timer.cancel()
        work = self._working.get(key)
        if work is not None:
            work.again = priority if work.again is None else min(work.again, priority)
            work.interrupted.set()
            return
        known = self._waiting.get(key)
        if known is not None and known[0] <= priority:
            return
        if known is None:
            self._adds.inc()
        since = known[2] if known else self._clock.monotonic()
        order = next(self._order)
        self._waiting[key] = (priority, order, since)
        heapq.heappush(self._heap, (priority, order, key))
        self._depth.set(len(self._waiting))
        self._wake()

    def add_after(self, key: K, delay: float, priority: int = BACKGROUND) -> None:
        """Make a key ready after `delay` seconds, unless that happens earlier anyway."""
        if self._closed:
            return
        if delay <= 0:
            self.add(key, priority)
            return
        if key in self._waiting:
            return
        due = self._clock.monotonic() + delay
        known = self._delayed.get(key)
        if known is not None:
            if known.due <= due:
                return
            known.timer.cancel()
        timer = self._clock.call_later(delay, lambda: self._ripe(key))
        self._delayed[key] = _Delayed(due, priority, timer)

    def cancel(self, key: K) -> None:
        """Forget a delayed add, e.g. of an object that is gone."""
        delayed = self._delayed.pop(key, None)
        if delayed is not None:
            delayed.timer.cancel()

    def due(self, key: K) -> float | None:
        """Return in how many seconds a delayed key becomes ready, or None."""
        delayed = self._delayed.get(key)
        return None if delayed is None else delayed.due - self._clock.monotonic()

    async def get(self) -> tuple[K, asyncio.Event]:
        """Take the next key; the event is set as soon as the key is added again meanwhile.

        Every taken key must be given back with `done`. Raises QueueClosed after `close`.
        """
        while True:
            key = self._pop()
            if key is not None:
                work = self._working[key] = _Work(self._clock.monotonic())
                return key, work.interrupted
            if self._closed:
                raise QueueClosed
            taker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._takers.add(taker)
            try:
                await taker
            except asyncio.CancelledError:
                # The wake-up may already have been ours: pass it on.
                if taker.done() and not taker.cancelled():
                    self._wake()
                raise
            finally:
                self._takers.discard(taker)

    def done(self, key: K) -> None:
        """Give a key back; it becomes ready at once if it was added meanwhile."""
        work = self._working.pop(key)
        self._work.observe(self._clock.monotonic() - work.since)
        if work.again is not None:
            self.add(key, work.again)

    def close(self) -> None:
        """Take nothing more in; workers finish what they have and then get QueueClosed."""
        self._closed = True
        for delayed in self._delayed.values():
            delayed.timer.cancel()
        self._delayed.clear()
        self._waiting.clear()
        self._heap.clear()
        self._depth.set(0)
        for taker in self._takers:
            if not taker.done():
                taker.set_result(None)

    def _pop(self) -> K | None:
        while self._heap:
            priority, order, key = heapq.heappop(self._heap)
            known = self._waiting.get(key)
            if known is None or known[:2] != (priority, order):
                continue  # promoted since: a better entry stands elsewhere
            del self._waiting[key]
            self._depth.set(len(self._waiting))
            self._wait.observe(self._clock.monotonic() - known[2])
            return key
        return None

    def _ripe(self, key: K) -> None:
        delayed = self._delayed.pop(key, None)
        if delayed is not None:
            self.add(key, delayed.priority)

    def _wake(self) -> None:
        for taker in self._takers:
            if not taker.done():
                taker.set_result(None)
                return

    def _ages(self) -> list[float]:
        now = self._clock.monotonic()
        return [now - work.since for work in self._working.values()]
