"""The samples of the last minutes, by series."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["NAME", "Labels", "Matches", "Series", "Store", "labels_of"]

NAME = "__name__"

Labels = tuple[tuple[str, str], ...]
"""A series' labels, the metric's name among them as `__name__`; sorted, without empty values."""

Matches = Callable[[str], bool]
"""Tells whether a label's value (empty when there is none) is one that is wanted."""

_WINDOW = 600_000


def labels_of(values: Mapping[str, str]) -> Labels:
    """Return labels in their normal form."""
    return tuple(sorted((name, value) for name, value in values.items() if value))


class Series:
    """One series: times in milliseconds, rising, and values; None marks that it became stale."""

    __slots__ = ("labels", "times", "values")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.times: list[int] = []
        self.values: list[float | None] = []

    def append(self, time: int, value: float | None) -> bool:
        """Add a sample; False when it is not newer than the last one."""
        if self.times and time <= self.times[-1]:
            return False
        self.times.append(time)
        self.values.append(value)
        return True

    def forget(self, before: int) -> None:
        """Drop what is older than a moment."""
        count = bisect.bisect_left(self.times, before)
        del self.times[:count], self.values[:count]

    def at(self, time: int, lookback: int) -> float | None:
        """Return the last value at a moment, None when it is older than `lookback` or stale."""
        index = bisect.bisect_right(self.times, time) - 1
        if index < 0 or self.times[index] < time - lookback:
            return None
        return self.values[index]

    def between(self, start: int, end: int) -> list[tuple[int, float]]:
        """Return the samples of a closed range of time, without stale marks."""
        low, high = bisect.bisect_left(self.times, start), bisect.bisect_right(self.times, end)
        pairs = zip(self.times[low:high], self.values[low:high], strict=True)
        return [(time, value) for time, value in pairs if value is not None]


class Store:
    """All series; keeps `window` milliseconds (ten minutes)."""

    def __init__(self, window: int = _WINDOW) -> None:
        self._window = window
        self._series: dict[Labels, Series] = {}
        self._by_name: dict[str, dict[Labels, Series]] = {}
        self._swept = 0

    def append(self, labels: Labels, time: int, value: float | None) -> bool:
        """Add a sample to its series; False when it is not newer than what is there."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = Series(labels)
            self._by_name.setdefault(dict(labels).get(NAME, ""), {})[labels] = series
        return series.append(time, value)

    def sweep(self, now: int) -> None:
        """Forget what is out of the window, at most once in a twentieth of it."""
        if now - self._swept < self._window // 20:
            return
        self._swept = now
        for labels, series in list(self._series.items()):
            series.forget(now - self._window)
            if not series.times:
                del self._series[labels]
                named = self._by_name[dict(labels).get(NAME, "")]
                del named[labels]

    def select(self, name: str | None, matchers: Iterable[tuple[str, Matches]]) -> list[Series]:
        """Return the series of a metric (None: of every one) whose labels match."""
        found: Sequence[Series]
        found = list((self._series if name is None else self._by_name.get(name, {})).values())
        wanted = list(matchers)
        if not wanted:
            return found
        return [each for each in found if _matches(dict(each.labels), wanted)]


def _matches(labels: Mapping[str, str], matchers: Sequence[tuple[str, Matches]]) -> bool:
    return all(holds(labels.get(name, "")) for name, holds in matchers)
