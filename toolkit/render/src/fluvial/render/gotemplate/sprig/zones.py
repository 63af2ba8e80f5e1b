"""Time zones: the offset and the name that hold at a moment."""

import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

__all__ = ["LOCAL", "UNIVERSAL", "Zone", "fixed_zone", "named_zone"]

_CYCLE: Final = 146097 * 86400  # the calendar repeats every 400 years
_FIRST, _LAST = -62_000_000_000, 253_000_000_000  # what Python's dates reach, with room


class Span(NamedTuple):
    """What holds at a moment: seconds east of UTC, the abbreviation, summer time or not."""

    offset: int
    name: str
    summer: bool


class Zone:
    """A zone: of the time zone database, fixed, or the process's own."""

    def __init__(self, info: tzinfo | None, *, fixed: Span | None = None) -> None:
        self._info, self._fixed = info, fixed

    def at(self, seconds: int) -> Span:
        """Return what holds at a moment, given in seconds since 1970 UTC."""
        if self._fixed is not None:
            return self._fixed
        if seconds <= _FIRST and self._info is not None:
            seconds = _FIRST + 1  # before its first rule a zone keeps local mean time
        elif not _FIRST < seconds < _LAST:
            seconds = seconds % _CYCLE
        if self._info is None:
            local = time.localtime(seconds)
            return Span(local.tm_gmtoff or 0, local.tm_zone or "UTC", local.tm_isdst > 0)
        moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(
            self._info
        )
        offset = moment.utcoffset() or timedelta()
        return Span(
            int(offset.total_seconds()), moment.tzname() or "UTC", bool(self._info.dst(moment))
        )

    def before(self, wall: int) -> int:
        """Turn a reading of the clock, as seconds of a UTC day count, into seconds since 1970."""
        guess = wall - self.at(wall).offset
        offset = self.at(guess).offset
        return wall - offset

    def offset_of(self, name: str, seconds: int) -> int | None:
        """Find the offset for an abbreviation of this zone, near a moment or half a year off."""
        for near in (seconds, seconds - 182 * 86400, seconds + 182 * 86400):
            span = self.at(near)
            if span.name == name:
                return span.offset
        return None


UNIVERSAL: Final = Zone(None, fixed=Span(0, "UTC", summer=False))
LOCAL: Final = Zone(None)


def fixed_zone(name: str, offset: int) -> Zone:
    """Make a zone that is always the same."""
    return Zone(None, fixed=Span(offset, name, summer=False))


def named_zone(name: str) -> Zone | None:
    """Find a zone of the database; `Local` is the process's own, the empty name is UTC."""
    if name == "Local":
        return LOCAL
    if name in {"", "UTC"}:
        return UNIVERSAL
    try:
        return Zone(ZoneInfo(name))
    except (ValueError, OSError, KeyError):
        return None
