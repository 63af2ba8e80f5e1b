"""Go's time.Time: a moment to the nanosecond, in any year, with the zone it is told in."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from fluvial.render.gotemplate._quote import quote
from fluvial.render.gotemplate._values import Int64
from fluvial.render.gotemplate.sprig.durations import SECOND, GoDuration
from fluvial.render.gotemplate.sprig.zones import LOCAL, UNIVERSAL, Zone

__all__ = ["DAYS", "MONTHS", "ZERO", "Civil", "GoTime", "days_from", "days_in", "is_leap"]

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BEFORE: Final = tuple(itertools.accumulate(_LENGTHS, initial=0))
_DAY: Final = 86400
_CYCLE: Final = 146097  # days in 400 years
_YEAR_ONE: Final = -62_135_596_800


class GoMonth(int):
    """Go's time.Month: a number that prints its name."""

    __slots__ = ()
    go_type: Final = "time.Month"
    go_counts: Final = True

    def __str__(self) -> str:
        return MONTHS[int(self) - 1] if 1 <= self <= 12 else f"%!Month({int(self)})"

    @property
    def go_methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        return {"String": self.__str__}


class GoWeekday(int):
    """Go's time.Weekday: a number, Sunday is 0, that prints its name."""

    __slots__ = ()
    go_type: Final = "time.Weekday"
    go_counts: Final = True

    def __str__(self) -> str:
        return DAYS[int(self) % 7]

    @property
    def go_methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        return {"String": self.__str__}


class Civil(NamedTuple):
    """A moment as calendars and clocks tell it."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    year_day: int
    weekday: int


def is_leap(year: int) -> bool:
    """Say whether a year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in(year: int, month: int) -> int:
    """Count the days of a month."""
    return _LENGTHS[month - 1] + (month == 2 and is_leap(year))


def days_from(year: int, month: int, day: int) -> int:
    """Count the days since 1970; months and days out of range overflow into others."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    past = year - 1
    days = past * 365 + past // 4 - past // 100 + past // 400 - 719162
    return days + _BEFORE[month - 1] + (month > 2 and is_leap(year)) + day - 1


def _date(days: int) -> tuple[int, int, int, int]:
    """Turn days since 1970 into year, month, day and day of the year."""
    cycles, left = divmod(days + 719162, _CYCLE)
    centuries = min(left // 36524, 3)
    left -= centuries * 36524
    fours, left = divmod(left, 1461)
    ones = min(left // 365, 3)
    left -= ones * 365
    year = cycles * 400 + centuries * 100 + fours * 4 + ones + 1
    month = 1
    while left >= _BEFORE[month] + (month >= 2 and is_leap(year)):
        month += 1
    first = _BEFORE[month - 1] + (month > 2 and is_leap(year))
    return year, month, left - first + 1, left + 1


class GoTime:
    """A moment: seconds and nanoseconds since 1970, with its zone.

    `started` is what Go prints of a moment read from the clock: nanoseconds since the start of the
    process.
    """

    go_type: Final = "time.Time"

    def __init__(
        self, seconds: int, nanosecond: int = 0, zone: Zone = UNIVERSAL, started: int | None = None
    ) -> None:
        self.seconds: Final = seconds + nanosecond // SECOND
        self.nanosecond: Final = nanosecond % SECOND
        self.zone: Final = zone
        self.started: Final = started

    def civil(self) -> Civil:
        """Tell the moment in its zone."""
        days, rest = divmod(self.seconds + self.zone.at(self.seconds).offset, _DAY)
        year, month, day, year_day = _date(days)
        hour, rest = divmod(rest, 3600)
        return Civil(year, month, day, hour, rest // 60, rest % 60, year_day, (days + 4) % 7)

    def __str__(self) -> str:
        text = self.formatted("2006-01-02 15:04:05.999999999 -0700 MST")
        if self.started is None:
            return text
        sign, size = "-" if self.started < 0 else "+", abs(self.started)
        return f"{text} m={sign}{size // SECOND}.{size % SECOND:09}"

    def go_syntax(self) -> str:
        """Return what `%#v` prints: the call that would make the moment."""
        told = self.civil()
        place = f"time.Location({quote(self.zone.at(self.seconds).name)})"
        for zone, name in ((UNIVERSAL, "time.UTC"), (LOCAL, "time.Local")):
            if self.zone is zone:
                place = name
        return (
            f"time.Date({told.year}, time.{GoMonth(told.month)}, {told.day}, {told.hour}, "
            f"{told.minute}, {told.second}, {self.nanosecond}, {place})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GoTime) and self.total() == other.total()

    def __hash__(self) -> int:
        return hash(self.total())

    def total(self) -> int:
        """Return nanoseconds since 1970."""
        return self.seconds * SECOND + self.nanosecond

    def __lt__(self, other: "GoTime") -> bool:
        return self.total() < other.total()

    def within(self, zone: Zone) -> "GoTime":
        """Tell the same moment in another zone; Go forgets the start of the process then."""
        return GoTime(self.seconds, self.nanosecond, zone)

    def later(self, shift: GoDuration) -> "GoTime":
        """Move by a duration."""
        started = None if self.started is None else self.started + int(shift)
        return GoTime(self.seconds, self.nanosecond + int(shift), self.zone, started)

    def since(self, other: "GoTime") -> GoDuration:
        """Return how much later this is; the range of durations is not left."""
        return GoDuration(max(-(2**63), min(2**63 - 1, self.total() - other.total())))

    def moved(self, years: int, months: int, days: int) -> "GoTime":
        """Move by the calendar; a day that a month does not have runs into the next."""
        told = self.civil()
        date = days_from(told.year + years, told.month + months, told.day) + days
        wall = date * _DAY + told.hour * 3600 + told.minute * 60 + told.second
        return GoTime(self.zone.before(wall), self.nanosecond, self.zone)

    def _multiple(self, multiple: GoDuration, *, nearest: bool) -> "GoTime":
        """Cut, or round, to a multiple of a duration since the first of January of year one."""
        if multiple <= 0:
            return GoTime(self.seconds, self.nanosecond, self.zone)
        rest = (self.total() - _YEAR_ONE * SECOND) % int(multiple)
        up = nearest and rest * 2 >= int(multiple)
        shift = int(multiple) - rest if up else -rest
        return GoTime(self.seconds, self.nanosecond + shift, self.zone)

    def json_text(self) -> str:
        """Return what encoding/json writes: RFC 3339 with the nanoseconds there are."""
        return self.formatted("2006-01-02T15:04:05.999999999Z07:00")

    def formatted(self, layout: str) -> str:
        """Format by a layout."""
        from fluvial.render.gotemplate.sprig.layouts import (  # noqa: PLC0415  (needs this module)
            format_layout,
        )

        return format_layout(self, layout)

    @property
    def go_methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        told = self.civil()
        total = self.total()

        def after(other: GoTime) -> bool:
            return other < self

        def before(other: GoTime) -> bool:
            return self < other

        def equal(other: GoTime) -> bool:
            return self == other

        def compare(other: GoTime) -> int:
            return (other < self) - (self < other)

        def rounded(multiple: GoDuration) -> GoTime:
            return self._multiple(multiple, nearest=True)

        def truncated(multiple: GoDuration) -> GoTime:
            return self._multiple(multiple, nearest=False)

        return {
            "Add": self.later,
            "AddDate": self.moved,
            "After": after,
            "Before": before,
            "Compare": compare,
            "Day": lambda: told.day,
            "Equal": equal,
            "Format": self.formatted,
            "Hour": lambda: told.hour,
            "IsDST": lambda: self.zone.at(self.seconds).summer,
            "IsZero": lambda: total == _YEAR_ONE * SECOND,
            "Local": lambda: self.within(LOCAL),
            "Minute": lambda: told.minute,
            "Month": lambda: GoMonth(told.month),
            "Nanosecond": lambda: self.nanosecond,
            "Round": rounded,
            "Second": lambda: told.second,
            "String": self.__str__,
            "Sub": self.since,
            "Truncate": truncated,
            "UTC": lambda: self.within(UNIVERSAL),
            "Unix": lambda: Int64(self.seconds),
            "UnixMicro": lambda: Int64(total // 1000),
            "UnixMilli": lambda: Int64(total // 10**6),
            "UnixNano": lambda: Int64(total),
            "Weekday": lambda: GoWeekday(told.weekday),
            "Year": lambda: told.year,
            "YearDay": lambda: told.year_day,
        }


ZERO: Final = GoTime(_YEAR_ONE)
