"""Times in JSON as Go reads and writes them: RFC 3339, in UTC."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["canonical_time"]

_SECONDS = "2006-01-02T15:04:05Z07:00"
_MICROS = "2006-01-02T15:04:05.000000Z07:00"
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
)  # a fraction may have any length


def canonical_time(text: str, *, micro: bool = False) -> str:
    """Return a time as the API server writes it: UTC, whole seconds or (`micro`) six digits.

    Raises ValueError with the words of Go's `time.Parse` for a text that is no time.
    """
    found = _TIME.fullmatch(text)
    if found is not None and (not micro or re.fullmatch(r"\.\d{6}", found[2] or "")):
        zone = found[3].replace("Z", "+00:00")
        try:
            moment = dt.datetime.fromisoformat(found[1] + zone).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass  # a number that its field does not have
        else:
            fraction = found[2] if micro else ""
            return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z".zfill(20)
    # Only what is wrong needs the whole parser of layouts.
    from fluvial.render.gotemplate.sprig.layouts import parse_layout  # noqa: PLC0415 - as above

    parse_layout(_MICROS if micro else _SECONDS, text)
    return text
