"""What an attempt does to the conditions, the same for every kind (runtime conventions, §3).

| moment | Ready | Reconciling | Stalled | observedGeneration |
|---|---|---|---|---|
| start, new generation | Unknown, Progressing | True, Progressing | removed | unchanged |
| start, same generation | kept | True, Progressing | removed | unchanged |
| success | True | removed | removed | = generation |
| Transient, any other | False, its reason | True, ProgressingWithRetry | removed | unchanged |
| Waiting | False, its reason | kept | removed | unchanged |
| Stalled | False, same as Stalled | removed | True | = generation |
"""

from datetime import datetime
from typing import Protocol

from fluvial.apis.meta import Condition, ObjectMeta
from fluvial.toolkit import conditions
from fluvial.toolkit.conditions import READY, RECONCILING, STALLED
from fluvial.toolkit.failure import ReconcileError, Stalled, Transient, Waiting

__all__ = [
    "REQUESTED_AT",
    "Reconciled",
    "begin",
    "fail",
    "handle_request",
    "observed_current",
    "request_of",
    "succeed",
]

REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
"""The annotation by which a user asks for a reconcile now."""

_PROGRESSING = "Progressing"
_RETRYING = "ProgressingWithRetry"
_IN_PROGRESS = "Reconciliation in progress"


class _Status(Protocol):
    conditions: list[Condition]
    observed_generation: int


class Reconciled(Protocol):
    """Any object whose status has conditions and an observed generation."""

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata."""

    @property
    def status(self) -> _Status:
        """The object's status."""


def request_of(obj: Reconciled) -> str:
    """Return the reconcile request that was not handled yet, or an empty string."""
    token: str = obj.metadata.annotations.get(REQUESTED_AT, "")
    return "" if token == getattr(obj.status, "last_handled_reconcile_at", token) else token


def observed_current(obj: Reconciled) -> bool:
    """Whether the status speaks of the present generation."""
    return obj.status.observed_generation == obj.metadata.generation


def begin(obj: Reconciled, *, now: datetime) -> None:
    """Mark the start of an attempt, in memory."""
    conditions.mark_reconciling(obj, _PROGRESSING, _IN_PROGRESS, now=now)
    if not observed_current(obj):
        conditions.mark_unknown(obj, READY, _PROGRESSING, _IN_PROGRESS, now=now)


def succeed(obj: Reconciled, *, now: datetime) -> None:
    """Mark the end of an attempt that did all it had to.

    A reconciler that left Ready unset gets a plain one. Raises Transient with Ready's own reason
    and message where the reconciler left Ready False: then it did not succeed.
    """
    ready = conditions.get(obj, READY)
    if ready is not None and ready.status == "False":
        raise Transient(ready.reason, ready.message)
    if ready is None or ready.status == "Unknown":
        conditions.mark_true(obj, READY, "Succeeded", "Reconciliation succeeded", now=now)
    conditions.delete(obj, RECONCILING, STALLED)
    obj.status.observed_generation = obj.metadata.generation
    # With Ready True all conditions speak of this generation, or a reader takes them for stale.
    for condition in obj.status.conditions:
        condition.observed_generation = obj.metadata.generation


def fail(obj: Reconciled, error: ReconcileError, *, now: datetime) -> None:
    """Mark the end of an attempt that ended in an error."""
    reason, message = error.ready or (error.reason, error.message)
    conditions.mark_false(obj, READY, reason, message, now=now)
    if isinstance(error, Stalled):
        conditions.mark_stalled(obj, error.reason, error.message, now=now)
        obj.status.observed_generation = obj.metadata.generation
        return
    conditions.delete(obj, STALLED)
    current = conditions.get(obj, RECONCILING)
    message = current.message if current is not None else _IN_PROGRESS
    reason = current.reason if current is not None else _PROGRESSING
    conditions.mark_reconciling(
        obj, reason if isinstance(error, Waiting) else _RETRYING, message, now=now
    )


def handle_request(obj: Reconciled) -> None:
    """Copy the request annotation to the status: the attempt answers it, whatever came out."""
    token = obj.metadata.annotations.get(REQUESTED_AT)
    if token and hasattr(obj.status, "last_handled_reconcile_at"):
        setattr(obj.status, "last_handled_reconcile_at", token)  # noqa: B010 - not of every kind
