"""Client-side throttling, for servers that do not share their capacity fairly by themselves."""

from fluvial.toolkit.clock import Clock

__all__ = ["Limiter"]


class Limiter:
    """A token bucket: `qps` requests a second on average, `burst` at once.

    Waiters are served in order: each call reserves its token at once and sleeps until it is due.
    """

    def __init__(self, qps: float, burst: int, clock: Clock) -> None:
        self._qps = qps
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._stamp = clock.monotonic()

    async def acquire(self) -> None:
        """Take one token, waiting for it if the bucket is empty."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._stamp) * self._qps)
        self._stamp = now
        self._tokens -= 1
        if self._tokens < 0:
            await self._clock.sleep(-self._tokens / self._qps)
