"""Ages in kubectl's short form (`apimachinery/pkg/util/duration`)."""

from __future__ import annotations

import datetime as dt

__all__ = ["age", "human"]


def human(span: dt.timedelta) -> str:
    """Return a duration with two units at most: `90s`, `5m30s`, `2d3h`, `400d`."""
    seconds = int(span.total_seconds())
    if seconds < -1:
        return "<invalid>"
    seconds = max(seconds, 0)
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return f"{hours // 24}d{hours % 24}h" if hours % 24 else f"{hours // 24}d"
    days = hours // 24
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    if years < 8:
        return f"{years}y{days % 365}d" if days % 365 else f"{years}y"
    return f"{years}y"


def age(stamp: str | None, now: dt.datetime) -> str:
    """Return how long ago an RFC 3339 time was; `<unknown>` for none or nonsense."""
    if not stamp:
        return "<unknown>"
    try:
        return human(now - dt.datetime.fromisoformat(stamp))
    except ValueError:
        return "<invalid>"
