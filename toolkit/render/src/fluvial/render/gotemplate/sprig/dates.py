"""Dates: moments are Go times, formatted by Go layouts."""

import time
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import Int64, wrap64
from fluvial.render.gotemplate.sprig.chance import chance
from fluvial.render.gotemplate.sprig.conversion import atoi
from fluvial.render.gotemplate.sprig.durations import SECOND, GoDuration, parse_duration
from fluvial.render.gotemplate.sprig.layouts import format_layout, parse_layout
from fluvial.render.gotemplate.sprig.moments import ZERO, GoTime
from fluvial.render.gotemplate.sprig.zones import LOCAL, UNIVERSAL, named_zone

__all__ = ["FUNCTIONS"]

_STARTED: Final = time.monotonic_ns()
_PERIODS: Final = (
    ("y", 365 * 24 * 3600), ("mo", 30 * 24 * 3600), ("d", 24 * 3600), ("h", 3600), ("m", 60),
    ("s", 1),
)  # fmt: skip


def now() -> GoTime:
    """Return the current time."""
    source = chance()
    started = 0 if source.seeded else time.monotonic_ns() - _STARTED
    return GoTime(0, source.now_ns(), LOCAL, started)


def _moment(value: Any) -> GoTime:
    """Take a time or seconds since 1970; anything else is now."""
    if isinstance(value, GoTime):
        return value
    if type(value) in {int, Int64}:
        return GoTime(int(value), 0, LOCAL)
    return now()


def date_in_zone(layout: str, value: Any, zone: str) -> str:
    """Format in a zone; one that is unknown is UTC."""
    return format_layout(_moment(value).within(named_zone(zone) or UNIVERSAL), layout)


def date(layout: str, value: Any) -> str:
    """Format in the local zone."""
    return date_in_zone(layout, value, "Local")


def date_modify(shift: str, moment: GoTime) -> GoTime:
    """Add a duration; a bad one changes nothing."""
    try:
        return moment.later(parse_duration(shift))
    except FunctionError:
        return moment


def must_date_modify(shift: str, moment: GoTime) -> GoTime:
    """Add a duration."""
    return moment.later(parse_duration(shift))


def to_date(layout: str, text: str) -> GoTime:
    """Read a time; a bad one is the zero time."""
    try:
        return parse_layout(layout, text)
    except FunctionError:
        return ZERO


def must_to_date(layout: str, text: str) -> GoTime:
    """Read a time."""
    return parse_layout(layout, text)


def unix_epoch(moment: GoTime) -> str:
    """Return the seconds since 1970, as text."""
    return str(moment.seconds)


def duration(value: Any) -> str:
    """Print seconds, given as text or int64, as a duration."""
    seconds = 0
    if isinstance(value, str):
        seconds = atoi(value)
    elif type(value) is Int64:
        seconds = int(value)
    return str(GoDuration(wrap64(seconds * SECOND)))


def duration_round(value: Any) -> str:
    """Print a duration in its largest unit of which there is more than one whole."""
    nanoseconds = 0
    if isinstance(value, str):
        try:
            nanoseconds = int(parse_duration(value))
        except FunctionError:
            nanoseconds = 0
    elif isinstance(value, GoTime):
        nanoseconds = int(now().since(value))
    elif type(value) is Int64:
        nanoseconds = int(value)
    for name, seconds in _PERIODS:
        if abs(nanoseconds) > seconds * SECOND:
            return f"{abs(nanoseconds) // (seconds * SECOND)}{name}"
    return "0s"


def ago(value: Any) -> str:
    """Print how long ago a time was, in seconds."""
    return str(now().since(_moment(value)).rounded(GoDuration(SECOND)))


def html_date(value: Any) -> str:
    """Format as forms of HTML want a day."""
    return date("2006-01-02", value)


def html_date_in_zone(value: Any, zone: str) -> str:
    """Format the day in a zone as forms of HTML want it."""
    return date_in_zone("2006-01-02", value, zone)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "ago": ago,
    "date": date,
    "dateInZone": date_in_zone,
    "dateModify": date_modify,
    "date_in_zone": date_in_zone,
    "date_modify": date_modify,
    "duration": duration,
    "durationRound": duration_round,
    "htmlDate": html_date,
    "htmlDateInZone": html_date_in_zone,
    "mustDateModify": must_date_modify,
    "mustToDate": must_to_date,
    "must_date_modify": must_date_modify,
    "now": now,
    "toDate": to_date,
    "unixEpoch": unix_epoch,
}
