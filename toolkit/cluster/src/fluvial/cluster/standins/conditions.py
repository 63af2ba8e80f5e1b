"""Conditions: find one, set one with honest transition times."""

from __future__ import annotations

import datetime as dt

from fluvial.cluster.objects import Object, rfc3339

__all__ = ["find", "is_true", "last", "put"]


def find(conditions: list[Object], type: str) -> Object | None:
    """Return the condition of a type."""
    return next((condition for condition in conditions if condition.get("type") == type), None)


def is_true(obj: Object, type: str) -> bool:
    """Tell whether an object's status has the condition with status `True`."""
    found = find((obj.get("status") or {}).get("conditions") or [], type)
    return found is not None and found.get("status") == "True"


def put(
    conditions: list[Object],
    type: str,
    status: str,
    reason: str,
    message: str,
    *,
    now: dt.datetime,
    **extra: object,
) -> list[Object]:
    """Return the conditions with this one set, in its old place when it has one.

    `lastTransitionTime` moves only when the status does. `extra` are further members, such as
    `observedGeneration`.
    """
    old = find(conditions, type)
    moved = rfc3339(now)
    if old is not None and old.get("status") == status:
        moved = old.get("lastTransitionTime") or moved
    new: Object = {"type": type, "status": status, "lastTransitionTime": moved, **extra}
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    if old is None:
        return [*conditions, new]
    return [new if condition is old else condition for condition in conditions]


def last(conditions: list[Object], type: str) -> list[Object]:
    """Return the conditions with the one of a type at the end, where some controllers put it."""
    others = [each for each in conditions if each.get("type") != type]
    return [*others, *(each for each in conditions if each.get("type") == type)]
