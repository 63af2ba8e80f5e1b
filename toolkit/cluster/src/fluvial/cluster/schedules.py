"""Cron expressions, as CronJobs have them: pure."""

from __future__ import annotations

import calendar
import dataclasses
import datetime as dt

__all__ = ["Schedule", "parse_schedule"]

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
"""Bounds and names of minute, hour, day of month, month and day of week."""
_HORIZON = 366 * 5
"""Days to look ahead: 29 February comes within that."""


@dataclasses.dataclass(frozen=True, slots=True)
class Schedule:
    """The allowed values of each field; Sunday is 0.

    `any_day` tells that day of month or day of week is open, so that both must match; when both
    are given, one is enough (the rule of Vixie cron).
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool

    def next_after(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the first time after `moment`, in its zone; None when there is none in years."""
        start = moment.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
        for offset in range(_HORIZON):
            day = start.date() + dt.timedelta(days=offset)
            if not self._on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = dt.datetime.combine(day, dt.time(hour, minute), moment.tzinfo)
                    if found >= start:
                        return found
        return None

    def _on(self, day: dt.date) -> bool:
        if day.month not in self.months:
            return False
        by_month = day.day in self.days
        by_week = day.isoweekday() % 7 in self.weekdays
        return (by_month and by_week) if self.any_day else (by_month or by_week)


def parse_schedule(text: str) -> Schedule:
    """Read five fields or a macro such as `@hourly`.

    Raises `ValueError` in the words of the library that Kubernetes reads schedules with.
    """
    if text.startswith("@"):
        if text not in _MACROS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = _MACROS[text]
    parts = text.split()
    if len(parts) != len(_FIELDS):
        shown = " ".join(parts)
        raise ValueError(f"expected exactly 5 fields, found {len(parts)}: [{shown}]")
    sets = [_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    any_day = parts[2][0] in "*?" or parts[4][0] in "*?"
    return Schedule(sets[0], sets[1], sets[2], sets[3], sets[4], any_day)


def _values(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for term in text.split(","):
        if term:
            found.update(_range(term, low, high, names))
    return frozenset(found)


def _range(term: str, low: int, high: int, names: dict[str, int]) -> range:
    span, *steps = term.split("/")
    first, *ends = span.split("-")
    if first in {"*", "?"}:
        start, end = low, high
    else:
        start = _number(first, names)
        if len(ends) > 1:
            raise ValueError(f"too many hyphens: {term}")
        end = _number(ends[0], names) if ends else start
    step = 1
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {term}")
    if steps:
        step = _number(steps[0], {})
        end = end if ends else high
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {term}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {term}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {term}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {term}")
    return range(start, end + 1, step)


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if text.isdecimal() and text.isascii():
        return int(text)
    raise ValueError(
        f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
    )
