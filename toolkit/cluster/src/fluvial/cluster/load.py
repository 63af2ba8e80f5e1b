"""Users: a steady stream of requests through a gateway, and what became of each.

`Load(url, host="web.example", rate=50).run()` sends requests until it is cancelled; `between` tells
how users fared in any stretch of that time. The stream is an open one: a slow answer does not delay
the next request, so that a slow version shows as slow and not as less traffic.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
import msgspec

__all__ = ["Answer", "Load", "Tally", "version_of"]

_KEPT: Final = 60_000
"""Answers that are remembered: ten minutes at a hundred a second."""

_PATIENCE: Final = 2.0
"""Seconds after which a user gives up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it was sent (on the load's clock), how long it took, what came back.

    `status` is 0 where no answer came; `version` is what the answer says of itself.
    """

    at: float
    seconds: float
    status: int
    version: str = ""

    @property
    def good(self) -> bool:
        """Whether a user would be content: an answer below 500."""
        return 0 < self.status < 500


@dataclass(frozen=True, slots=True)
class Tally:
    """How users fared in a stretch of time; `versions` counts good answers."""

    requests: int
    failures: int
    p99: float
    versions: dict[str, int]

    @classmethod
    def of(cls, answers: list[Answer]) -> Tally:
        """Sum up; without requests there is no failure and no time."""
        times = sorted(answer.seconds for answer in answers)
        good = [answer for answer in answers if answer.good]
        return cls(
            requests=len(answers),
            failures=len(answers) - len(good),
            p99=times[math.ceil(0.99 * len(times)) - 1] if times else 0.0,
            versions=dict(Counter(answer.version for answer in good)),
        )

    @property
    def success(self) -> float:
        """Good answers in percent; 100 without requests."""
        return 100.0 * (1 - self.failures / self.requests) if self.requests else 100.0

    def share(self, version: str) -> float:
        """Good answers from that version, in percent of all good answers."""
        total = sum(self.versions.values())
        return 100.0 * self.versions.get(version, 0) / total if total else 0.0


def version_of(body: bytes) -> str:
    """Return `version` and `message` of the sample application's answer, joined by a comma."""
    try:
        page = msgspec.json.decode(body, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return ", ".join(filter(None, (page.get("version"), page.get("message"))))


class Load:
    """Sends `rate` requests a second to `url` under the name `host`.

    `version` reads the version out of an answer's body. `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        url: str,
        host: str,
        *,
        rate: float = 50.0,
        version: Callable[[bytes], str] = version_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._headers = {"Host": host}
        self._rate = rate
        self._version = version
        self._clock = clock
        self._answers: deque[Answer] = deque(maxlen=_KEPT)

    async def run(self) -> None:
        """Send requests until cancelled; no failure of a request ends it."""
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        # At most rate x patience are under way, so no limit is needed here.
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
            asyncio.TaskGroup() as tasks,
        ):
            begin, sent = self._clock(), 0
            while True:
                tasks.create_task(self._ask(session))
                sent += 1
                await asyncio.sleep(max(0.0, begin + sent / self._rate - self._clock()))

    def between(self, start: float, stop: float = math.inf) -> Tally:
        """Sum up what was sent from `start` to before `stop`, as far as it was answered."""
        return Tally.of([answer for answer in self._answers if start <= answer.at < stop])

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        at = self._clock()
        try:
            async with session.get(self._url, headers=self._headers) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError):
            self._answers.append(Answer(at, self._clock() - at, 0))
        else:
            seconds = self._clock() - at
            self._answers.append(Answer(at, seconds, response.status, self._version(body)))
