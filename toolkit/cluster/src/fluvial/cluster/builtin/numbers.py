"""Numbers, ports and percentages: checks that many kinds share."""

from __future__ import annotations

import re
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import port_name_errors

__all__ = [
    "NOT_NEGATIVE",
    "PORT_RANGE",
    "amount_errors",
    "at_most_all_errors",
    "nonnegative_errors",
    "percent_of",
    "port_errors",
    "port_reference_errors",
]

NOT_NEGATIVE = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"
_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)


def nonnegative_errors(holder: dict[str, Any], path: str, *names: str) -> list[Cause]:
    """Check that the named members, where they are set, are not below zero."""
    return [
        fielderrors.invalid(f"{path}.{name}" if path else name, holder[name], NOT_NEGATIVE)
        for name in names
        if isinstance(holder.get(name), int) and holder[name] < 0
    ]


def port_errors(number: object, path: str) -> list[Cause]:
    """Check a port number."""
    if isinstance(number, int) and 0 < number < 65536:
        return []
    return [fielderrors.invalid(path, number, PORT_RANGE)]


def port_reference_errors(value: object, path: str) -> list[Cause]:
    """Check a port given by number or by name."""
    if isinstance(value, str):
        return [fielderrors.invalid(path, value, text) for text in port_name_errors(value)]
    return port_errors(value or 0, path)


def percent_of(value: object) -> int | None:
    """Return the number of a percentage, None for anything else."""
    if isinstance(value, str) and re.fullmatch("[0-9]+%", value):
        return int(value[:-1])
    return None


def amount_errors(value: object, path: str) -> list[Cause]:
    """Check a count that is a number not below zero or a percentage."""
    if isinstance(value, str) and percent_of(value) is None:
        return [fielderrors.invalid(path, value, _PERCENT)]
    if isinstance(value, int) and value < 0:
        return [fielderrors.invalid(path, value, NOT_NEGATIVE)]
    return []


def at_most_all_errors(value: object, path: str) -> list[Cause]:
    """Refuse a percentage of more than one hundred."""
    if (percent_of(value) or 0) <= 100:
        return []
    return [fielderrors.invalid(path, value, "must not be greater than 100%")]
