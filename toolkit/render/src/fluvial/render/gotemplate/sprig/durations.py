"""Go's time.Duration: reading, printing, rounding."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import Int64, to_bytes, wrap64

__all__ = ["SECOND", "GoDuration", "parse_duration", "time_quote"]

SECOND: Final = 10**9
_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE
_LARGEST: Final = 2**63
_UNITS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": SECOND, "m": _MINUTE,
    "h": _HOUR,
}  # fmt: skip
_NUMBER: Final = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?")
_UNIT: Final = re.compile(r"[^0-9.]*")


class GoDuration(Int64):
    """Nanoseconds, printed as `1h2m3.5s`."""

    __slots__ = ()
    go_type: Final = "time.Duration"

    def __str__(self) -> str:
        return _shown(int(self))

    def rounded(self, multiple: "GoDuration") -> "GoDuration":
        """Round to the nearest multiple, halves away from zero; the range is not left."""
        if multiple <= 0:
            return self
        size, step = abs(int(self)), int(multiple)
        rest = size % step
        size += step - rest if rest * 2 >= step else -rest
        bound = _LARGEST - (self >= 0)
        return GoDuration(min(size, bound) * (-1 if self < 0 else 1))

    def truncated(self, multiple: "GoDuration") -> "GoDuration":
        """Cut towards zero to a multiple."""
        if multiple <= 0:
            return self
        size = abs(int(self)) // int(multiple) * int(multiple)
        return GoDuration(-size if self < 0 else size)

    def magnitude(self) -> "GoDuration":
        """Return the duration without its sign."""
        return GoDuration(min(abs(int(self)), _LARGEST - 1))

    def seconds(self) -> float:
        """Return seconds."""
        return self._in(SECOND)

    def minutes(self) -> float:
        """Return minutes."""
        return self._in(_MINUTE)

    def hours(self) -> float:
        """Return hours."""
        return self._in(_HOUR)

    def milliseconds(self) -> Int64:
        """Return whole milliseconds."""
        return self._whole(10**6)

    def microseconds(self) -> Int64:
        """Return whole microseconds."""
        return self._whole(10**3)

    def nanoseconds(self) -> Int64:
        """Return nanoseconds."""
        return Int64(int(self))

    def _in(self, unit: int) -> float:
        whole, rest = divmod(abs(int(self)), unit)
        return math.copysign(whole + rest / unit, int(self)) if self else 0.0

    def _whole(self, unit: int) -> Int64:
        whole = abs(int(self)) // unit
        return Int64(-whole if self < 0 else whole)

    @property
    def go_methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a template may call."""
        return {
            "Abs": self.magnitude,
            "Hours": self.hours,
            "Microseconds": self.microseconds,
            "Milliseconds": self.milliseconds,
            "Minutes": self.minutes,
            "Nanoseconds": self.nanoseconds,
            "Round": self.rounded,
            "Seconds": self.seconds,
            "String": self.__str__,
            "Truncate": self.truncated,
        }


def time_quote(text: str) -> str:
    """Quote as the errors of Go's time package do: what is not printable ASCII byte by byte."""
    out = []
    for byte in to_bytes(text):
        if byte < 0x20 or byte >= 0x80:
            out.append(f"\\x{byte:02x}")
        else:
            out.append("\\" * (chr(byte) in '"\\') + chr(byte))
    return '"' + "".join(out) + '"'


def parse_duration(text: str) -> GoDuration:
    """Read a duration such as `1h30m`. Raises FunctionError in Go's words."""
    invalid = FunctionError(f"time: invalid duration {time_quote(text)}")
    negative, rest = text.startswith("-"), text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return GoDuration(0)
    if not rest:
        raise invalid
    total = 0
    while rest:
        number = _NUMBER.match(rest)
        if number is None or not (number[1] or number[3]):
            raise invalid
        rest = rest[number.end() :]
        found = _UNIT.match(rest)
        name = found[0] if found else ""
        if not name:
            raise FunctionError(f"time: missing unit in duration {time_quote(text)}")
        unit = _UNITS.get(name)
        if unit is None:
            shown = time_quote(name)
            raise FunctionError(f"time: unknown unit {shown} in duration {time_quote(text)}")
        rest = rest[len(name) :]
        whole = int(number[1].lstrip("0")[:20] or 0)
        total += whole * unit
        digits = (number[3] or "")[:18]
        if digits:
            total += int(int(digits) * (unit / 10 ** len(digits)))
        if total > _LARGEST:
            raise invalid
    if total == _LARGEST and not negative:
        raise invalid
    return GoDuration(wrap64(-total if negative else total))


def _fraction(number: int, unit: int) -> str:
    whole, part = divmod(number, unit)
    digits = str(part).zfill(len(str(unit)) - 1).rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _shown(nanoseconds: int) -> str:
    if nanoseconds == 0:
        return "0s"
    sign, left = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    for limit, unit, name in ((10**3, 1, "ns"), (10**6, 10**3, "µs"), (SECOND, 10**6, "ms")):
        if left < limit:
            return f"{sign}{_fraction(left, unit)}{name}"
    minutes, rest = divmod(left, _MINUTE)
    hours, minutes = divmod(minutes, 60)
    text = f"{_fraction(rest, SECOND)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return sign + (f"{hours}h{text}" if hours else text)
