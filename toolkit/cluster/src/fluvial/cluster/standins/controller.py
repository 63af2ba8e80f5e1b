"""A queue of keys and the loop that works it off: the frame of every stand-in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.metadata import controller_of
from fluvial.cluster.standins.timer import Alarm, Timer

__all__ = ["Controller", "Key", "Reconcile"]

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Brings one key to its desired state; returns after how many seconds to look again, if at all."""

_LOG = logging.getLogger(__name__)
_FIRST_RETRY = 0.02
_LAST_RETRY = 30.0


class Controller:
    """Runs `reconcile` for each key that was added, one at a time, each key once per burst.

    An error makes the key come back with exponential backoff (20 ms to 30 s); one that is no
    answer of the API is logged with its traceback.
    """

    def __init__(self, name: str, reconcile: Reconcile, timer: Timer) -> None:
        self.name = name
        self._reconcile = reconcile
        self._timer = timer
        self._pending: dict[Key, None] = {}
        self._wake = asyncio.Event()
        self._alarms: dict[Key, Alarm] = {}
        self._failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        """Have a key looked at soon."""
        self._pending[key] = None
        self._wake.set()

    def add_object(self, obj: Object) -> None:
        """Have an object's own key looked at: the handler for the kind that is reconciled."""
        self.add((namespace_of(obj), name_of(obj)))

    def add_controller_of(self, kind: str) -> Callable[[Object], None]:
        """Return a handler that adds the controlling owner of an object, if it is of `kind`."""

        def handler(obj: Object) -> None:
            owner = controller_of(obj)
            if owner is not None and owner["kind"] == kind:
                self.add((namespace_of(obj), owner["name"]))

        return handler

    def add_later(self, key: Key, seconds: float) -> None:
        """Have a key looked at after some time; a second call replaces the first."""
        if (old := self._alarms.pop(key, None)) is not None:
            old.cancel()

        def ring() -> None:
            self._alarms.pop(key, None)
            self.add(key)

        self._alarms[key] = self._timer.call_later(seconds, ring)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._pending:
                    key = next(iter(self._pending))
                    del self._pending[key]
                    await self._work(key)
                    # In-process calls may never suspend: let the API answer its clients.
                    await asyncio.sleep(0)
        finally:
            for alarm in self._alarms.values():
                alarm.cancel()

    async def _work(self, key: Key) -> None:
        try:
            again = await self._reconcile(key)
        except StatusError as error:
            delay = self._fail(key)
            _LOG.debug("%s %s: %s; again in %.2f s", self.name, key, error, delay)
            return
        except Exception:  # noqa: BLE001  one broken object must not stop all the others
            delay = self._fail(key)
            _LOG.exception("%s %s: internal error; again in %.2f s", self.name, key, delay)
            return
        self._failures.pop(key, None)
        if again is not None:
            self.add_later(key, max(again, 0.0))

    def _fail(self, key: Key) -> float:
        """Have a key come back after a failure; returns after how many seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(_FIRST_RETRY * 2.0 ** min(failures, 20), _LAST_RETRY)
        self.add_later(key, delay)
        return delay
