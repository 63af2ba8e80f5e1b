"""Tokens that were fetched, for as long as they are good and the flags allow."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from weakref import WeakValueDictionary

from fluvial.toolkit.clock import Clock
from fluvial.toolkit.metrics import Metrics

__all__ = ["LONGEST", "Bearer", "Expiring", "Involved", "TokenCache"]

LONGEST: Final = 3600.0
"""Seconds that a token is kept at most, whatever a flag says; as upstream."""

SHARE: Final = 0.8
"""The part of its life after which a token is replaced, as the kubelet does."""


class Expiring(Protocol):
    """A token of some kind."""

    @property
    def expires(self) -> datetime:
        """When it stops to be good, in UTC."""


T = TypeVar("T", bound=Expiring)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that whoever holds it may use; never printed."""

    token: str = field(repr=False)
    """The token."""
    expires: datetime
    """When it stops to be good, in UTC."""


class Involved(NamedTuple):
    """The object that a token is for, and what is done with it, as the metrics name them."""

    kind: str
    """Its kind."""
    namespace: str
    """Its namespace."""
    name: str
    """Its name."""
    operation: str
    """Such as `fetch_kubeconfig`."""


class _Entry(NamedTuple):
    token: Any
    monotonic: float
    wall: datetime


class TokenCache:
    """Holds `size` tokens, the last used ones, none longer than `longest` seconds.

    A token is replaced after four fifths of its life, by whichever clock comes there first: the
    one that stands still while the machine sleeps, or the one that somebody may set. With a size
    of 0 nothing is held and nothing counted: every use fetches. Those who ask for the same token
    wait for one fetch; others do not wait for them.
    """

    def __init__(
        self, size: int, *, clock: Clock, metrics: Metrics, longest: float = LONGEST
    ) -> None:
        self._size = size
        self._longest = min(longest, LONGEST)
        self._clock = clock
        self._metrics = metrics
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        """Count the tokens that are held, good or not."""
        return len(self._entries)

    async def get(
        self,
        key: str,
        fetch: Callable[[], Awaitable[T]],
        involved: Involved | None = None,
        *,
        works: Callable[[T], bool] | None = None,
    ) -> T:
        """Return the token of a key, fetched where there is none that is good.

        `works` says of a token that is held whether it may be used all the same. Raises what
        `fetch` raises; that is never kept.
        """
        if self._size <= 0:
            return await fetch()
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            entry = self._entries.get(key)
            if entry is not None and self._good(entry) and (not works or works(entry.token)):
                self._entries.move_to_end(key)
                self._count("success", "cache_hit", involved)
                token: T = entry.token
                return token
            self._entries.pop(key, None)
            try:
                token = await fetch()
            except Exception:
                self._count("failure", "cache_miss", involved)
                raise
            self._keep(key, token)
            self._count("success", "cache_miss", involved)
            return token

    def _good(self, entry: _Entry) -> bool:
        return self._clock.monotonic() < entry.monotonic and self._clock.now() < entry.wall

    def _keep(self, key: str, token: Expiring) -> None:
        now = self._clock.now()
        life = min((token.expires - now).total_seconds() * SHARE, self._longest)
        due = self._clock.monotonic() + life
        self._entries[key] = _Entry(token, due, now + timedelta(seconds=life))
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
            self._metrics.token_evictions.inc()

    def _count(self, status: str, event: str, involved: Involved | None) -> None:
        self._metrics.token_items.set(len(self._entries))
        self._metrics.token_requests.labels(status).inc()
        if involved is not None:
            kind, namespace, name, operation = involved
            self._metrics.token_events.labels(event, kind, name, namespace, operation).inc()
