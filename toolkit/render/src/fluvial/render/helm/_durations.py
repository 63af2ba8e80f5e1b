"""Helm's own functions of durations, which Helm 4.3 added to Sprig's."""

from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate import FunctionError, Int64, type_of
from fluvial.render.gotemplate._format import format_float
from fluvial.render.gotemplate._numbers import parse_float
from fluvial.render.gotemplate._quote import quote
from fluvial.render.gotemplate.sprig.durations import SECOND, GoDuration, parse_duration
from fluvial.render.gotemplate.sprig.letters import SPACES

__all__ = ["DURATIONS"]

_MOST: Final = (2**63 - 1) // SECOND
_MOST_FLOAT: Final = float(2**63 - 1) / float(SECOND)


def duration_of(value: Any) -> GoDuration:
    """Take a duration, a text such as `1h30m`, or a number of seconds. Raises FunctionError."""
    if isinstance(value, GoDuration):
        return value
    if value is None:
        raise FunctionError("invalid duration")
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, float):
        return _seconds(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not -_MOST - 1 < value <= _MOST:
            raise FunctionError(f"duration seconds overflow: {int(value)}")
        return GoDuration(int(value) * SECOND)
    raise FunctionError(f"unsupported duration type {type_of(value)}")


def _read(text: str) -> GoDuration:
    trimmed = text.strip(SPACES)
    if not trimmed:
        raise FunctionError("empty duration")
    try:
        return parse_duration(trimmed)
    except FunctionError:
        number = parse_float(trimmed)
    if number is None:
        raise FunctionError(f"could not parse duration {quote(text)}")
    return _seconds(number)


def _seconds(number: float) -> GoDuration:
    if number - number != 0:
        raise FunctionError(f"invalid duration seconds: {format_float(number)}")
    if abs(number) > _MOST_FLOAT:
        raise FunctionError(f"duration seconds overflow: {format_float(number)}")
    return GoDuration(max(-(2**63), min(2**63 - 1, int(number * SECOND))))


def _zero_on_error(measure: Callable[[GoDuration], Any], zero: Any) -> Callable[..., Any]:
    def measured(value: Any) -> Any:
        try:
            return measure(duration_of(value))
        except FunctionError:
            return zero

    return measured


def _fitted(fit: Callable[[GoDuration, GoDuration], GoDuration]) -> Callable[..., GoDuration]:
    def fitted(value: Any, multiple: Any) -> GoDuration:
        try:
            found = duration_of(value)
        except FunctionError:
            return GoDuration(0)
        try:
            return fit(found, duration_of(multiple))
        except FunctionError:
            return found

    return fitted


DURATIONS: Final[dict[str, Callable[..., Any]]] = {
    "mustToDuration": duration_of,
    "durationSeconds": _zero_on_error(GoDuration.seconds, 0.0),
    "durationMilliseconds": _zero_on_error(GoDuration.milliseconds, Int64(0)),
    "durationMicroseconds": _zero_on_error(GoDuration.microseconds, Int64(0)),
    "durationNanoseconds": _zero_on_error(GoDuration.nanoseconds, Int64(0)),
    "durationMinutes": _zero_on_error(GoDuration.minutes, 0.0),
    "durationHours": _zero_on_error(GoDuration.hours, 0.0),
    "durationDays": _zero_on_error(lambda found: found.hours() / 24, 0.0),
    "durationWeeks": _zero_on_error(lambda found: found.hours() / 24 / 7, 0.0),
    "durationRoundTo": _fitted(GoDuration.rounded),
    "durationTruncateTo": _fitted(GoDuration.truncated),
}
