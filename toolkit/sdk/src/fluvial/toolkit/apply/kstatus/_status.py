"""The verdict, and how rules read objects."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from fluvial.apis.ids import Unstructured

__all__ = ["State", "Status", "condition", "conditions", "count", "failed", "progress"]


class State(StrEnum):
    """The six verdicts, in upstream's spelling."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"


class Status(NamedTuple):
    """A verdict, and why; the message may be empty."""

    state: State
    message: str = ""


def progress(message: str) -> Status:
    """Return the verdict of an object on its way."""
    return Status(State.IN_PROGRESS, message)


def failed(message: str) -> Status:
    """Return the verdict of an object that will not get there by itself."""
    return Status(State.FAILED, message)


def conditions(obj: Unstructured) -> Iterator[dict[str, Any]]:
    """Go through the well-formed conditions of a status, in order."""
    status = obj.get("status")
    found = status.get("conditions") if isinstance(status, dict) else None
    for entry in found if isinstance(found, list) else ():
        if isinstance(entry, dict):
            yield entry


def condition(obj: Unstructured, type: str) -> dict[str, Any]:
    """Find a condition; an empty one if it is not there."""
    return next((entry for entry in conditions(obj) if entry.get("type") == type), {})


def count(obj: Unstructured, section: str, field: str, default: int = 0) -> int:
    """Read a number of `spec` or `status`."""
    value = (obj.get(section) or {}).get(field)
    return value if isinstance(value, int) else default
