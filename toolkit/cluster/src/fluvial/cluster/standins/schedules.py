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
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
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
    """Read five fields or a macro such as `@hourly`; raises `ValueError` naming the field."""
    parts = _MACROS.get(text.strip(), text).split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"schedule {text!r} has {len(parts)} fields: expected 5, or a macro")
    sets = [_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    weekdays = frozenset(day % 7 for day in sets[4])
    any_day = parts[2][0] in "*?" or parts[4][0] in "*?"
    return Schedule(sets[0], sets[1], sets[2], sets[3], weekdays, any_day)


def _values(text: str, field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for term in text.split(","):
        span, slash, step_text = term.partition("/")
        first, dash, last = span.partition("-")
        if slash and not (step_text.isdigit() and int(step_text) > 0):
            raise ValueError(f"{field} {term!r}: the step must be a positive number")
        if span in {"*", "?"}:
            start, end = low, high
        else:
            start = _number(first, field, names)
            end = _number(last, field, names) if dash else (high if slash else start)
        if not low <= start <= end <= high:
            raise ValueError(f"{field} {term!r} is outside {low}-{high}")
        found.update(range(start, end + 1, int(step_text) if slash else 1))
    return frozenset(found)


def _number(text: str, field: str, names: dict[str, int]) -> int:
    if text.isdigit():
        return int(text)
    if text.lower() in names:
        return names[text.lower()]
    raise ValueError(f"{field} {text!r} is no number")
