"""Go durations: `1h30m`, `1.5h`, `300ms`; models keep the string, code computes in seconds.

The grammar is that of Go's `time.ParseDuration`, which is wider than what the CRDs admit: a sign,
and the units ns, us (also with a micro sign), ms, s, m and h, each with an optional fraction. The
printed form is that of Go's `Duration.String`: `1h30m0s`, `1.5s`, `300ms`, `0s`.
"""

import re
from fractions import Fraction
from typing import Final

__all__ = ["format_duration", "parse_duration"]

_NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # the micro sign
    "\u03bcs": 1_000,  # the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_TERM: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_LIMIT: Final = 1 << 63  # Go keeps nanoseconds in 64 bits, sign included


def _nanoseconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return 0
    if not rest:
        raise ValueError(f"not a duration: {text!r}; write for example 1m30s")
    total = position = 0
    while position < len(rest):
        term = _TERM.match(rest, position)
        if term is None or not (term[1] or term[2]):
            raise ValueError(f"not a duration: {text!r}; write for example 1m30s")
        unit = _NANOSECONDS[term[3]]
        fraction = term[2] or ""
        total += int(term[1] or 0) * unit
        total += int(fraction or 0) * unit // 10 ** len(fraction)
        position = term.end()
    # The most negative value is the one number without a positive twin.
    if total > _LIMIT - (sign > 0):
        raise ValueError(f"duration {text!r} is beyond 292 years")
    return sign * total


def parse_duration(text: str) -> float:
    """Read a Go duration as seconds.

    Raises ValueError, naming the text, for anything that Go's `time.ParseDuration` refuses.
    """
    return _nanoseconds(text) / 1e9


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")


def format_duration(seconds: float) -> str:
    """Print seconds as Go prints a duration, e.g. `1m0s` for 60, rounded to nanoseconds."""
    total = round(Fraction(seconds) * 10**9)
    sign, left = ("-" if total < 0 else ""), abs(total)
    if left == 0:
        return "0s"
    for name, unit in (("ns", 1), ("\u00b5s", 1_000), ("ms", 1_000_000)):
        if left < unit * 1_000:
            return f"{sign}{_decimal(left, unit)}{name}"
    minutes, rest = divmod(left, _NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{parts}{_decimal(rest, _NANOSECONDS['s'])}s"
