"""Go's time.Time and time.Duration: layouts, parsing and printing."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import Int64

__all__ = ["ZERO", "GoDuration", "GoTime", "format_layout", "parse_duration", "parse_layout"]

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOKENS: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|002|_2(?!006)|Z07:00:00|Z07:00|Z0700"
    r"|Z07|-07:00:00|-07:00|-070000|-0700|-07|[.,]0+(?![0-9])|[.,]9+(?![0-9])|01|02|03|04|05|06"
    r"|15|PM|pm|1|2|3|4|5"
)
_UNITS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9,
    "h": 3600 * 10**9,
}  # fmt: skip
_DURATION: Final = re.compile(r"([0-9]*\.?[0-9]*)(ns|us|µs|μs|ms|s|m|h)")


class GoDuration(Int64):
    """Nanoseconds, printed as `1h2m3.5s`."""

    __slots__ = ()
    go_type: Final = "time.Duration"

    def __str__(self) -> str:
        return _print_duration(int(self))

    __repr__ = __str__


class GoTime:
    """A moment with its zone, as templates see it."""

    go_type: Final = "time.Time"

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __str__(self) -> str:
        return format_layout(self.moment, "2006-01-02 15:04:05.999999999 -0700 MST")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GoTime) and self.moment == other.moment

    def __hash__(self) -> int:
        return hash(self.moment)

    def seconds(self) -> int:
        """Seconds since 1970."""
        return (self.moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)

    @property
    def go_methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        moment = self.moment
        return {
            "Year": lambda: moment.year,
            "Month": lambda: _MONTHS[moment.month - 1],
            "Day": lambda: moment.day,
            "Hour": lambda: moment.hour,
            "Minute": lambda: moment.minute,
            "Second": lambda: moment.second,
            "Nanosecond": lambda: moment.microsecond * 1000,
            "Weekday": lambda: _DAYS[moment.weekday()],
            "YearDay": lambda: moment.timetuple().tm_yday,
            "Unix": lambda: Int64(self.seconds()),
            "UnixMilli": lambda: Int64(self.seconds() * 1000 + moment.microsecond // 1000),
            "UnixNano": lambda: Int64((self.seconds() * 10**6 + moment.microsecond) * 1000),
            "Format": lambda layout: format_layout(moment, layout),
            "UTC": lambda: GoTime(moment.astimezone(UTC)),
            "IsZero": lambda: moment == ZERO,
            "String": lambda: str(self),
        }


ZERO: Final = datetime(1, 1, 1, tzinfo=UTC)


def _offset(moment: datetime, *, colon: bool, zulu: bool, hours_only: bool = False) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    if zulu and not seconds:
        return "Z"
    sign = "-" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    if hours_only:
        return f"{sign}{hours:02}"
    return f"{sign}{hours:02}{':' if colon else ''}{minutes:02}"


def _zone(moment: datetime) -> str:
    name = moment.tzname() or "UTC"
    unnamed = name.startswith("UTC") and name != "UTC"
    return _offset(moment, colon=False, zulu=False) if unnamed else name


def _token(moment: datetime, token: str) -> str:
    hour = moment.hour % 12 or 12
    values: dict[str, Callable[[], str]] = {
        "January": lambda: _MONTHS[moment.month - 1],
        "Jan": lambda: _MONTHS[moment.month - 1][:3],
        "Monday": lambda: _DAYS[moment.weekday()],
        "Mon": lambda: _DAYS[moment.weekday()][:3],
        "MST": lambda: _zone(moment),
        "2006": lambda: f"{moment.year:04}",
        "06": lambda: f"{moment.year % 100:02}",
        "01": lambda: f"{moment.month:02}",
        "1": lambda: str(moment.month),
        "02": lambda: f"{moment.day:02}",
        "_2": lambda: f"{moment.day:2}",
        "2": lambda: str(moment.day),
        "002": lambda: f"{moment.timetuple().tm_yday:03}",
        "__2": lambda: f"{moment.timetuple().tm_yday:3}",
        "15": lambda: f"{moment.hour:02}",
        "03": lambda: f"{hour:02}",
        "3": lambda: str(hour),
        "04": lambda: f"{moment.minute:02}",
        "4": lambda: str(moment.minute),
        "05": lambda: f"{moment.second:02}",
        "5": lambda: str(moment.second),
        "PM": lambda: "PM" if moment.hour >= 12 else "AM",
        "pm": lambda: "pm" if moment.hour >= 12 else "am",
    }
    if token in values:
        return values[token]()
    if token[0] in ".,":
        digits = f"{moment.microsecond:06}000"[: len(token) - 1].ljust(len(token) - 1, "0")
        if token[1] == "9":
            digits = digits.rstrip("0")
            return token[0] + digits if digits else ""
        return token[0] + digits
    return _offset(moment, colon=":" in token, zulu=token[0] == "Z", hours_only=len(token) == 3)


def format_layout(moment: datetime, layout: str) -> str:
    """Format by a Go layout such as `2006-01-02 15:04:05`."""
    return _TOKENS.sub(lambda match: _token(moment, match[0]), layout)


_PARSERS: Final = {
    "January": "(?P<B>[A-Z][a-z]+)", "Jan": "(?P<b>[A-Z][a-z]{2})", "Monday": "[A-Z][a-z]+",
    "Mon": "[A-Z][a-z]{2}", "MST": "(?P<zone>[A-Z]{3,4})", "2006": "(?P<Y>[0-9]{4})",
    "06": "(?P<y>[0-9]{2})", "01": "(?P<m>[0-9]{2})", "1": "(?P<m>[0-9]{1,2})",
    "02": "(?P<d>[0-9]{2})", "_2": "(?P<d>[ 0-9][0-9])", "2": "(?P<d>[0-9]{1,2})",
    "15": "(?P<H>[0-9]{2})", "03": "(?P<I>[0-9]{2})", "3": "(?P<I>[0-9]{1,2})",
    "04": "(?P<M>[0-9]{2})", "4": "(?P<M>[0-9]{1,2})", "05": r"(?P<S>[0-9]{2})(?P<f>\.[0-9]+)?",
    "5": r"(?P<S>[0-9]{1,2})(?P<f>\.[0-9]+)?", "PM": "(?P<p>AM|PM)", "pm": "(?P<p>am|pm)",
    "002": "(?P<j>[0-9]{3})", "__2": "(?P<j>[ 0-9]{3})",
}  # fmt: skip


def parse_layout(layout: str, text: str) -> datetime:
    """Read a moment by a Go layout; without a zone it is local. Raises FunctionError."""
    pattern = ""
    last = 0
    for match in _TOKENS.finditer(layout):
        pattern += re.escape(layout[last : match.start()])
        token = match[0]
        if token in _PARSERS:
            pattern += _PARSERS[token]
        elif token[0] in ".,":
            pattern += "" if "(?P<f>" in pattern else rf"(?P<f>[.,][0-9]{{1,{len(token) - 1}}})?"
        else:
            zulu = "Z|" if token[0] == "Z" else ""
            minutes = "" if len(token.lstrip("Z-")) == 2 else ":?[0-9]{2}"
            pattern += f"(?P<z>{zulu}[+-][0-9]{{2}}{minutes})"
        last = match.end()
    failure = FunctionError(
        f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "{layout[:4]}"'
    )
    try:
        found = re.fullmatch(pattern + re.escape(layout[last:]), text)
        if found is None:
            raise failure
        return _assemble(found.groupdict(default=""))
    except (re.error, ValueError, OverflowError):
        raise failure from None


def _assemble(parts: dict[str, str]) -> datetime:
    month = int(parts.get("m") or 1)
    if name := parts.get("B") or parts.get("b"):
        month = [known[: len(name)] for known in _MONTHS].index(name) + 1
    year = int(parts.get("Y") or 1)
    if short := parts.get("y"):
        year = int(short) + (1900 if int(short) >= 69 else 2000)
    hour = int(parts.get("H") or parts.get("I") or 0)
    if half := parts.get("p"):
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    fraction = (parts.get("f") or ".0")[1:7].ljust(6, "0")
    moment = datetime(  # noqa: DTZ001  (the zone is put in below)
        year, month, int(parts.get("d") or 1), hour, int(parts.get("M") or 0),
        int(parts.get("S") or 0), int(fraction),
    )  # fmt: skip
    if day := parts.get("j"):
        moment += timedelta(days=int(day) - 1)
    offset = parts.get("z")
    if offset == "Z" or parts.get("zone") in {"UTC", "GMT"}:
        return moment.replace(tzinfo=UTC)
    if offset:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return moment.replace(tzinfo=timezone(-shift if offset[0] == "-" else shift))
    return moment.replace(tzinfo=UTC) if moment.year <= 1 else moment.astimezone()


def parse_duration(text: str) -> int:
    """Read a Go duration to nanoseconds. Raises FunctionError."""
    sign, body = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if body == "0":
        return 0
    total, place = 0, 0
    while place < len(body):
        match = _DURATION.match(body, place)
        if match is None or match[1] in {"", "."}:
            break
        total += round(float(match[1]) * _UNITS[match[2]])
        place = match.end()
    if not body or place < len(body):
        raise FunctionError(f'time: invalid duration "{text}"')
    return sign * total


def _fraction(number: int, unit: int) -> str:
    whole, part = divmod(number, unit)
    digits = str(part).zfill(len(str(unit)) - 1).rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _print_duration(nanoseconds: int) -> str:
    if nanoseconds == 0:
        return "0s"
    sign, left = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    for limit, unit, name in ((10**3, 1, "ns"), (10**6, 10**3, "µs"), (10**9, 10**6, "ms")):
        if left < limit:
            return f"{sign}{_fraction(left, unit)}{name}"
    minutes, rest = divmod(left, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{_fraction(rest, 10**9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return sign + (f"{hours}h{text}" if hours else text)
