"""Go's layouts of dates: formatting and reading by the example of 2006-01-02 15:04:05."""

import re
from collections.abc import Callable
from typing import Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import from_bytes, to_bytes
from fluvial.render.gotemplate.sprig.durations import time_quote
from fluvial.render.gotemplate.sprig.moments import (
    DAYS,
    MONTHS,
    Civil,
    GoTime,
    days_from,
    days_in,
    is_leap,
)
from fluvial.render.gotemplate.sprig.zones import LOCAL, UNIVERSAL, Zone, fixed_zone

__all__ = ["format_layout", "parse_layout"]

_TOKENS: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|[345]|PM|pm"
    r"|[-Z]070000|[-Z]07:00:00|[-Z]0700|[-Z]07:00|[-Z]07|[.,](?:0+|9+)(?![0-9])"
)


def _offset(seconds: int, mark: str) -> str:
    """Write an offset as its mark shows it: `-07:00`, `Z0700` and so on."""
    if mark[0] == "Z" and not seconds:
        return "Z"
    sign = "-" if seconds < 0 else "+"
    hours, rest = divmod(abs(seconds), 3600)
    parts = [f"{hours:02}", f"{rest // 60:02}", f"{rest % 60:02}"]
    colon = ":" if ":" in mark else ""
    return sign + colon.join(parts[: len(mark.replace(":", "")) // 2])


def _year(year: int) -> str:
    return f"-{-year:04}" if year < 0 else f"{year:04}"


_WRITERS: Final[dict[str, Callable[[Civil], str]]] = {
    "January": lambda told: MONTHS[told.month - 1],
    "Jan": lambda told: MONTHS[told.month - 1][:3],
    "Monday": lambda told: DAYS[told.weekday],
    "Mon": lambda told: DAYS[told.weekday][:3],
    "2006": lambda told: _year(told.year),
    "06": lambda told: f"{max(told.year, 0) % 100:02}",
    "01": lambda told: f"{told.month:02}",
    "1": lambda told: str(told.month),
    "02": lambda told: f"{told.day:02}",
    "_2": lambda told: f"{told.day:2}",
    "2": lambda told: str(told.day),
    "002": lambda told: f"{told.year_day:03}",
    "__2": lambda told: f"{told.year_day:3}",
    "15": lambda told: f"{told.hour:02}",
    "03": lambda told: f"{told.hour % 12 or 12:02}",
    "3": lambda told: str(told.hour % 12 or 12),
    "04": lambda told: f"{told.minute:02}",
    "4": lambda told: str(told.minute),
    "05": lambda told: f"{told.second:02}",
    "5": lambda told: str(told.second),
    "PM": lambda told: "PM" if told.hour >= 12 else "AM",
    "pm": lambda told: "pm" if told.hour >= 12 else "am",
}


def format_layout(moment: GoTime, layout: str) -> str:
    """Format by a layout such as `2006-01-02 15:04:05`."""
    told = moment.civil()
    span = moment.zone.at(moment.seconds)

    def write(found: re.Match[str]) -> str:
        mark = found[0]
        writer = _WRITERS.get(mark)
        if writer is not None:
            return writer(told)
        if mark == "MST":
            return span.name or _offset(span.offset, "-0700")
        if mark[0] in ".,":
            digits = f"{moment.nanosecond:09}".ljust(len(mark) - 1, "0")[: len(mark) - 1]
            if mark[1] == "9":
                digits = digits.rstrip("0")
            return mark[0] + digits if digits else ""
        return _offset(span.offset, mark)

    return _TOKENS.sub(write, layout)


class _MismatchError(ValueError):
    """A text that is not what the layout has at its place."""


class _RangeError(ValueError):
    """A number that its field does not have; the message names the field."""


class _Reader:
    """Reads one text by one layout, field by field."""

    def __init__(self, layout: str, text: str) -> None:
        self.layout, self.text = layout, text
        self.rest = text
        self.year = 0
        self.month = self.day = self.year_day = -1
        self.hour = self.minute = self.second = self.nanosecond = 0
        self.half = ""
        self.zone: Zone | None = None
        self.offset: int | None = None
        self.zone_name = ""

    def run(self) -> GoTime:
        """Read. Raises FunctionError in Go's words."""
        last = 0
        for found in _TOKENS.finditer(self.layout):
            self._skip(self.layout[last : found.start()])
            last = found.end()
            self._field(found[0], self.layout[last:])
        self._skip(self.layout[last:])
        if self.rest:
            raise self._failure(f": extra text: {time_quote(self.rest)}")
        return self._assembled()

    def _failure(self, message: str) -> FunctionError:
        return FunctionError(f"parsing time {time_quote(self.text)}{message}")

    def _mismatch(self, rest: str, part: str) -> FunctionError:
        shown = f"cannot parse {time_quote(rest)} as {time_quote(part)}"
        return self._failure(f" as {time_quote(self.layout)}: {shown}")

    def _skip(self, prefix: str) -> None:
        """Pass the text between fields; blanks match any number of blanks."""
        left = prefix
        while left:
            if left[0] == " ":
                if self.rest and self.rest[0] != " ":
                    raise self._mismatch(self.rest, prefix)
                left, self.rest = left.lstrip(" "), self.rest.lstrip(" ")
                continue
            if not self.rest.startswith(left[0]):
                raise self._mismatch(self.rest, prefix)
            left, self.rest = left[1:], self.rest[1:]

    def _field(self, mark: str, following: str) -> None:
        held = self.rest
        try:
            self._read(mark, following)
        except _RangeError as error:
            raise self._failure(f": {error} out of range") from None
        except _MismatchError:
            raise self._mismatch(held, mark) from None

    def _read(self, mark: str, following: str) -> None:
        match mark:
            case "06":
                self.year = self._digits(2)
                self.year += 1900 if self.year >= 69 else 2000
            case "2006":
                self.year = self._digits(4)
            case "January":
                self.month = self._name(MONTHS) + 1
            case "Jan":
                self.month = self._name([name[:3] for name in MONTHS]) + 1
            case "Monday":
                self._name(DAYS)
            case "Mon":
                self._name([name[:3] for name in DAYS])
            case "01" | "1":
                self.month = self._number(fixed=mark == "01")
                self._check(1 <= self.month <= 12, "month")
            case "02" | "_2" | "2":
                self._blanks(1 if mark == "_2" else 0)
                self.day = self._number(fixed=mark == "02")
            case "002" | "__2":
                self._blanks(2 if mark == "__2" else 0)
                self.year_day = self._three(fixed=mark == "002")
            case "15" | "03" | "3":
                self.hour = self._number(fixed=mark == "03")
                self._check(self.hour < 24 if mark == "15" else self.hour <= 12, "hour")
            case "04" | "4":
                self.minute = self._number(fixed=mark == "04")
                self._check(self.minute < 60, "minute")
            case "05" | "5":
                self._seconds(fixed=mark == "05", following=following)
            case "PM" | "pm":
                half = self._take(2)
                if half not in ({"PM", "AM"} if mark == "PM" else {"pm", "am"}):
                    raise _MismatchError
                self.half = half.upper()
            case "MST":
                self._abbreviation()
            case _ if mark[0] in ".,":
                self._fraction(mark)
            case _:
                self._shift(mark)

    def _check(self, good: bool, field: str) -> None:
        if not good:
            raise _RangeError(field)

    def _take(self, count: int) -> str:
        if len(self.rest) < count:
            raise _MismatchError
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def _digits(self, count: int) -> int:
        taken = self._take(count)
        if not _decimal(taken):
            raise _MismatchError
        return int(taken)

    def _number(self, *, fixed: bool) -> int:
        """Read one or two digits; two if they must be."""
        found = re.match(r"[0-9]{1,2}", self.rest)
        if found is None or (fixed and len(found[0]) == 1):
            raise _MismatchError
        return int(self._take(len(found[0])))

    def _three(self, *, fixed: bool) -> int:
        found = re.match(r"[0-9]{1,3}", self.rest)
        if found is None or (fixed and len(found[0]) != 3):
            raise _MismatchError
        return int(self._take(len(found[0])))

    def _blanks(self, most: int) -> None:
        for _ in range(most):
            self.rest = self.rest.removeprefix(" ")

    def _name(self, names: tuple[str, ...] | list[str]) -> int:
        for index, name in enumerate(names):
            if self.rest[: len(name)].lower() == name.lower():
                self.rest = self.rest[len(name) :]
                return index
        raise _MismatchError

    def _seconds(self, *, fixed: bool, following: str) -> None:
        """Read seconds, and a fraction that the layout does not name."""
        self.second = self._number(fixed=fixed)
        self._check(self.second < 60, "second")
        fraction = re.match(r"[.,][0-9]+", self.rest)
        next_token = _TOKENS.search(following)
        if fraction and not (next_token and next_token[0][0] in ".,"):
            self.nanosecond = _nanoseconds(self._take(len(fraction[0])))

    def _fraction(self, mark: str) -> None:
        if mark[1] == "0":
            taken = self._take(len(mark))
            if taken[0] not in ".," or not _decimal(taken[1:]):
                raise _MismatchError
            self.nanosecond = _nanoseconds(taken)
        elif found := re.match(r"[.,][0-9]+", self.rest):
            self.nanosecond = _nanoseconds(self._take(len(found[0])))

    def _shift(self, mark: str) -> None:
        """Read an offset."""
        if mark[0] == "Z" and self.rest.startswith("Z"):
            self.rest = self.rest[1:]
            self.zone = UNIVERSAL
            return
        taken = self._take(len(mark))
        colons = [place for place, char in enumerate(mark) if char == ":"]
        if any(taken[place] != ":" for place in colons):
            raise _MismatchError
        digits = "".join(char for place, char in enumerate(taken[1:], 1) if place not in colons)
        if not _decimal(digits):
            raise _MismatchError
        hours, minutes, seconds = (int(digits[at : at + 2] or 0) for at in (0, 2, 4))
        self._check(hours <= 24, "time zone offset hour")
        self._check(minutes <= 60, "time zone offset minute")
        self._check(seconds <= 60, "time zone offset second")
        if taken[0] not in "+-":
            raise _MismatchError
        self.offset = (hours * 3600 + minutes * 60 + seconds) * (-1 if taken[0] == "-" else 1)

    def _abbreviation(self) -> None:
        if self.rest.startswith("UTC"):
            self.rest = self.rest[3:]
            self.zone = UNIVERSAL
            return
        length = _abbreviation_length(self.rest)
        if not length:
            raise _MismatchError
        self.zone_name = self._take(length)

    def _assembled(self) -> GoTime:
        if self.half == "PM" and self.hour < 12:
            self.hour += 12
        elif self.half == "AM" and self.hour == 12:
            self.hour = 0
        if self.year_day >= 0:
            self._month_of_year_day()
        month, day = self.month if self.month > 0 else 1, self.day if self.day >= 0 else 1
        if not 1 <= day <= days_in(self.year, month):
            raise self._failure(": day out of range")
        wall = days_from(self.year, month, day) * 86400
        wall += self.hour * 3600 + self.minute * 60 + self.second
        if self.zone is not None:
            return GoTime(wall, self.nanosecond, self.zone)
        if self.offset is not None:
            return self._with_offset(wall - self.offset, self.offset)
        if self.zone_name:
            return self._with_name(wall)
        return GoTime(LOCAL.before(wall), self.nanosecond, LOCAL)

    def _with_offset(self, seconds: int, offset: int) -> GoTime:
        """Take the local zone when it has the offset, else one made up."""
        span = LOCAL.at(seconds)
        local = span.offset == offset and self.zone_name in {"", span.name}
        zone = LOCAL if local else fixed_zone(self.zone_name, offset)
        return GoTime(seconds, self.nanosecond, zone)

    def _with_name(self, wall: int) -> GoTime:
        """Take the local zone when it has the name, else one made up; only GMT+3 tells hours."""
        offset = LOCAL.offset_of(self.zone_name, wall)
        if offset is not None:
            return GoTime(wall - offset, self.nanosecond, LOCAL)
        hours = self.zone_name[3:] if self.zone_name.startswith("GMT") else ""
        return GoTime(wall, self.nanosecond, fixed_zone(self.zone_name, int(hours or 0) * 3600))

    def _month_of_year_day(self) -> None:
        length = 365 + is_leap(self.year)
        if not 1 <= self.year_day <= length:
            raise self._failure(": day-of-year out of range")
        month, day = 1, self.year_day
        while day > days_in(self.year, month):
            day -= days_in(self.year, month)
            month += 1
        if self.month >= 0 and self.month != month:
            raise self._failure(": day-of-year does not match month")
        if self.day >= 0 and self.day != day:
            raise self._failure(": day-of-year does not match day")
        self.month, self.day = month, day


def _decimal(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _nanoseconds(text: str) -> int:
    """Read a fraction with its point; digits beyond nanoseconds do not count."""
    return int(text[1:10].ljust(9, "0"))


def _abbreviation_length(text: str) -> int:
    """Measure what looks like the name of a zone, 0 for what does not."""
    if text.startswith(("ChST", "MeST")):
        return 4
    if text.startswith("GMT"):
        return 3 + _signed_length(text[3:])
    if text[:1] in {"+", "-"}:
        return _signed_length(text) if len(text) >= 3 else 0
    capitals = re.match(r"[A-Z]{0,6}", text)
    count = len(capitals[0]) if capitals else 0
    ends = {3: True, 4: text[3:4] == "T" or text.startswith("WITA"), 5: text[4:5] == "T"}
    return count if ends.get(count, False) else 0


def _signed_length(text: str) -> int:
    found = re.match(r"[+-]([0-9]+)", text)
    return len(found[0]) if found and int(found[1][:10]) <= 23 else 0


def parse_layout(layout: str, text: str) -> GoTime:
    """Read a moment by a layout; without a zone it is local. Raises FunctionError."""
    # Go's places are bytes: read letters of several bytes byte by byte
    if layout.isascii() and text.isascii():
        return _Reader(layout, text).run()
    try:
        return _Reader(_latin(layout), _latin(text)).run()
    except FunctionError as error:
        raise FunctionError(from_bytes(str(error).encode("latin-1"))) from None


def _latin(text: str) -> str:
    return to_bytes(text).decode("latin-1")
