"""`Pulse`: wakes everyone who waits for changes of one resource, together and not too often.

With hundreds of watches on one resource, waking them costs more than the write that they are to
see. Whoever waits is woken at once when it was quiet; after that, the pulse rests for a multiple of
the time that the woken ones took, so that following changes costs a bounded share of the event loop
however many follow, and each of them finds several changes when it looks.
"""

from __future__ import annotations

import asyncio

__all__ = ["Pulse"]

REST = 7.0
"""How many times longer the rest is than the time taken: followers get an eighth of the loop."""

EACH = 0.001
"""Seconds of rest at least for each of the woken: on a busy machine the time taken tells little."""

LONGEST = 0.25
"""The longest rest, in seconds."""


class Pulse:
    """The waiters of one resource; belongs to one event loop at a time.

    `rest` says how long a rest is; with 0 whoever waits is woken at once, always.
    """

    def __init__(self, rest: float = REST) -> None:
        self._rest = rest
        self._waiters: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._busy = False  # a beat was given and has not come to its rest, or the next is due
        self._missed = False  # somebody is to be woken after the rest
        self._quiet = 0.0  # when the rest is over, in the loop's time

    async def wait(self) -> None:
        """Wait for the next beat."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # what was planned in a loop that has ended never comes
            self._loop, self._busy, self._missed, self._quiet = loop, False, False, 0.0
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def wake(self) -> None:
        """Give a beat: now, or when the rest is over."""
        if self._loop is None or not self._waiters:
            return
        if self._busy:
            self._missed = True
        elif self._loop.time() >= self._quiet:
            self._beat()
        else:
            self._busy = True
            self._loop.call_at(self._quiet, self._beat)

    def _beat(self) -> None:
        assert self._loop is not None
        self._busy, self._missed = True, False
        waiters, self._waiters = self._waiters, set()
        least = EACH * len(waiters) if self._rest else 0.0
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        # Runs after all that was woken just now has taken its step.
        self._loop.call_soon(self._settle, self._loop.time(), least)

    def _settle(self, began: float, least: float) -> None:
        assert self._loop is not None
        now = self._loop.time()
        self._busy = False
        self._quiet = now + min(max(self._rest * (now - began), least), LONGEST)
        if self._missed:
            self._missed = False
            self.wake()
