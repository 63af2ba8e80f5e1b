"""What the canary controller measured, as its metrics endpoint tells any dashboard."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import Final

import aiohttp

__all__ = ["Measurements", "Sample", "values_in"]

_VALUE: Final = re.compile(r"^flagger_canary_metric_analysis\{([^}]*)\} (\S+)$", re.MULTILINE)
_METRIC: Final = re.compile(r'\bmetric="([^"]*)"')
_EVERY: Final = 0.2
_LATE: Final = 0.5
"""Seconds after a check in which its values may still be read."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Values by metric, new at that time (of `time.monotonic`)."""

    at: float
    values: dict[str, float]


@dataclass(slots=True)
class Measurements:
    """Reads the endpoint again and again; remembers what changed, and when."""

    url: str
    samples: list[Sample] = field(default_factory=list)

    async def follow(self) -> None:
        """Read until cancelled; an answer that does not come is left out."""
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    async with session.get(self.url) as response:
                        self.take(time.monotonic(), values_in(await response.text()))
                except (aiohttp.ClientError, TimeoutError):
                    pass  # The controller may be gone; who watches its process says so.
                await asyncio.sleep(_EVERY)

    def take(self, at: float, values: dict[str, float]) -> None:
        """Remember values if they are new."""
        if values and (not self.samples or self.samples[-1].values != values):
            self.samples.append(Sample(at, values))

    def within(self, start: float, stop: float) -> dict[str, float]:
        """Return the last values that were new in a stretch of time, empty when none were."""
        found = [sample for sample in self.samples if start + _LATE < sample.at <= stop + _LATE]
        return found[-1].values if found else {}


def values_in(text: str) -> dict[str, float]:
    """Return the last value of each metric of an analysis from a page of metrics."""
    found = {}
    for labels, value in _VALUE.findall(text):
        if metric := _METRIC.search(labels):
            found[metric[1]] = float(value)
    return found
