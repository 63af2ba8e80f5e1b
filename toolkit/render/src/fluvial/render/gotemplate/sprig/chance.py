"""Where random values and the current time come from: the machine, or a seed.

    with seeded("a seed"):
        templates.execute(...)      # the same output every time

With a seed every function that is random (passwords, keys, certificates, UUIDs, shuffles) draws
from one stream, in the order of the calls, and the clock stands still, so that a chart rendered
twice can be compared. Whoever knows the seed knows the secrets: seeds are for diffs, not for
clusters.
"""

import datetime as dt
import hashlib
import secrets
import time
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

__all__ = ["Chance", "chance", "seeded"]

SEEDED_NOW: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Chance:
    """A source of random bytes and of the time. Without a seed both are the machine's own."""

    def __init__(self, seed: str | None = None, now: dt.datetime | None = None) -> None:
        self.seeded: Final = seed is not None
        self._key: Final = hashlib.sha256((seed or "").encode("utf-8", "surrogateescape")).digest()
        self._count = 0
        self._now: Final = now or (SEEDED_NOW if self.seeded else None)

    def now_ns(self) -> int:
        """Return the time: nanoseconds since 1970."""
        if self._now is None:
            return time.time_ns()
        since = self._now - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return since // dt.timedelta(microseconds=1) * 1000

    def bytes(self, count: int) -> bytes:
        """Return random bytes."""
        if not self.seeded:
            return secrets.token_bytes(count)
        self._count += 1
        return hashlib.shake_256(self._key + self._count.to_bytes(8, "big")).digest(count)

    def below(self, bound: int) -> int:
        """Return a number from 0 to before the bound, each as likely as any other."""
        bits = (bound - 1).bit_length()
        size = (bits + 7) // 8
        while True:
            number = int.from_bytes(self.bytes(size), "big") >> (size * 8 - bits)
            if number < bound:
                return number

    def text(self, count: int, alphabet: str) -> str:
        """Return a text of letters of an alphabet, which has at most 256."""
        fair = 256 // len(alphabet) * len(alphabet)
        letters: list[str] = []
        while len(letters) < count:
            drawn = self.bytes(count - len(letters) + 8)
            letters += [alphabet[byte % len(alphabet)] for byte in drawn if byte < fair]
        return "".join(letters[:count])

    def shuffle(self, items: MutableSequence[Any]) -> None:
        """Put items in a random order, in place."""
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


_current: ContextVar[Chance | None] = ContextVar("chance", default=None)
_MACHINE: Final = Chance()


def chance() -> Chance:
    """Return the source that this execution draws from."""
    return _current.get() or _MACHINE


@contextmanager
def seeded(seed: str | None, now: dt.datetime | None = None) -> Iterator[None]:
    """Draw from a seed within; without one, from the machine. `now` is the time of the clock."""
    token = _current.set(Chance(seed, now) if seed is not None or now is not None else None)
    try:
        yield
    finally:
        _current.reset(token)
