"""Dates: moments are Go times, formatted by Go layouts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate.sprig._gotime import (
    ZERO,
    GoDuration,
    GoTime,
    format_layout,
    parse_duration,
    parse_layout,
)

__all__ = ["FUNCTIONS"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PERIODS: Final = (
    ("y", 365 * 24 * 3600), ("mo", 30 * 24 * 3600), ("d", 24 * 3600), ("h", 3600), ("m", 60),
    ("s", 1),
)  # fmt: skip


def now() -> GoTime:
    """Return the current time."""
    return GoTime(datetime.now(UTC).astimezone())


def _moment(value: Any) -> datetime:
    """Take a time or seconds since 1970; anything else is now."""
    if isinstance(value, GoTime):
        return value.moment
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return _EPOCH + timedelta(seconds=int(value))
        except OverflowError:
            raise FunctionError(f"{value} seconds are out of the range of dates") from None
    return datetime.now(UTC)


def _zone(name: str) -> tzinfo | None:
    """Find a zone; an unknown one is UTC, `Local` the process's own."""
    if name == "Local":
        return None
    try:
        return ZoneInfo(name) if name not in {"", "UTC"} else UTC
    except (ValueError, OSError, KeyError):
        return UTC


def date_in_zone(layout: str, value: Any, zone: str) -> str:
    """Format in a zone."""
    return format_layout(_moment(value).astimezone(_zone(zone)), layout)


def date(layout: str, value: Any) -> str:
    """Format in the local zone."""
    return date_in_zone(layout, value, "Local")


def _modified(shift: str, moment: GoTime) -> GoTime:
    return GoTime(moment.moment + timedelta(microseconds=parse_duration(shift) / 1000))


def date_modify(shift: str, moment: Any) -> Any:
    """Add a duration; a bad one changes nothing."""
    try:
        return must_date_modify(shift, moment)
    except FunctionError:
        return moment


def must_date_modify(shift: str, moment: Any) -> GoTime:
    """Add a duration."""
    if not isinstance(moment, GoTime):
        raise FunctionError("wrong type for value; expected time.Time")
    return _modified(shift, moment)


def to_date(layout: str, text: str) -> GoTime:
    """Read a time; a bad one is the zero time."""
    try:
        return GoTime(parse_layout(layout, text))
    except FunctionError:
        return GoTime(ZERO)


def must_to_date(layout: str, text: str) -> GoTime:
    """Read a time."""
    return GoTime(parse_layout(layout, text))


def unix_epoch(moment: Any) -> str:
    """Return the seconds since 1970, as text."""
    if not isinstance(moment, GoTime):
        raise FunctionError("wrong type for value; expected time.Time")
    return str(moment.seconds())


def duration(value: Any) -> str:
    """Print seconds, given as text or int64, as a duration."""
    seconds = 0
    if (isinstance(value, str) and value.removeprefix("-").isdecimal()) or (
        isinstance(value, int) and type(value) is not int and not isinstance(value, bool)
    ):
        seconds = int(value)
    return str(GoDuration(seconds * 10**9))


def duration_round(value: Any) -> str:
    """Print a duration in its largest unit."""
    seconds = 0.0
    if isinstance(value, str):
        try:
            seconds = parse_duration(value) / 10**9
        except FunctionError:
            seconds = 0.0
    elif isinstance(value, GoTime):
        seconds = (datetime.now(UTC) - value.moment).total_seconds()
    elif isinstance(value, int) and type(value) is not int and not isinstance(value, bool):
        seconds = int(value) / 10**9
    sign = "-" if seconds < 0 else ""
    for name, length in _PERIODS:
        if abs(seconds) > length - (name == "s"):
            return f"{sign}{int(abs(seconds) // length)}{name}"
    return "0s"


def ago(value: Any) -> str:
    """Print how long ago a time was, in seconds."""
    passed = datetime.now(UTC) - _moment(value)
    return str(GoDuration(round(passed.total_seconds()) * 10**9))


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "ago": ago,
    "date": date,
    "dateInZone": date_in_zone,
    "dateModify": date_modify,
    "date_in_zone": date_in_zone,
    "date_modify": date_modify,
    "duration": duration,
    "durationRound": duration_round,
    "htmlDate": lambda value: date("2006-01-02", value),
    "htmlDateInZone": lambda value, zone: date_in_zone("2006-01-02", value, zone),
    "mustDateModify": must_date_modify,
    "mustToDate": must_to_date,
    "must_date_modify": must_date_modify,
    "now": now,
    "toDate": to_date,
    "unixEpoch": unix_epoch,
}
