"""Conditions: how they are set, ordered and summarised, as every controller of the field does.

Differs from core Kubernetes in one rule: `lastTransitionTime` moves when status, reason **or
message** changes.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from fluvial.apis.meta import Condition, ObjectMeta
from fluvial.toolkit.clock import rfc3339

__all__ = [
    "READY",
    "RECONCILING",
    "STALLED",
    "ConditionStatus",
    "Conditioned",
    "delete",
    "get",
    "is_false",
    "is_ready",
    "is_stalled",
    "is_true",
    "keep_times",
    "mark",
    "mark_false",
    "mark_reconciling",
    "mark_stalled",
    "mark_true",
    "mark_unknown",
    "merge",
    "ordered",
    "summarize",
]

READY, RECONCILING, STALLED = "Ready", "Reconciling", "Stalled"

ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]
"""A condition's status, as the API spells it."""

_LONGEST = 32768
"""Bytes that the CRDs admit in a message."""

_ORDER = {STALLED: 0, RECONCILING: 1, READY: 2}
_EXCLUDES = {RECONCILING: STALLED, STALLED: RECONCILING}
_INVERSE: dict[str, ConditionStatus] = {"True": "False", "False": "True", "Unknown": "Unknown"}


class _Status(Protocol):
    conditions: list[Condition]


class Conditioned(Protocol):
    """Any object of `fluvial.apis` whose status has conditions."""

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata, for the generation."""

    @property
    def status(self) -> _Status:
        """The object's status."""


def get(obj: Conditioned, type: str) -> Condition | None:
    """Return the condition of this type, or None."""
    return next((c for c in obj.status.conditions if c.type == type), None)


def is_true(obj: Conditioned, type: str) -> bool:
    """Whether the condition is there and True; a missing one is Unknown."""
    found = get(obj, type)
    return found is not None and found.status == "True"


def is_false(obj: Conditioned, type: str) -> bool:
    """Whether the condition is there and False."""
    found = get(obj, type)
    return found is not None and found.status == "False"


def is_stalled(obj: Conditioned) -> bool:
    """Whether Stalled is True."""
    return is_true(obj, STALLED)


def is_ready(obj: Conditioned) -> bool:
    """Whether Ready is True and neither Reconciling nor Stalled is."""
    return is_true(obj, READY) and not is_true(obj, RECONCILING) and not is_true(obj, STALLED)


def mark(
    obj: Conditioned,
    type: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    now: datetime,
) -> None:
    """Set a condition in place; the list is left in the order in which it is written.

    The message is cut at 32768 bytes and then ends in `...`; `observedGeneration` becomes the
    object's generation; `lastTransitionTime` stays unless status, reason or message changed.
    Reconciling removes Stalled and the other way round.
    """
    message = _cut(message)
    old = get(obj, type)
    same = old is not None and (old.status, old.reason, old.message) == (status, reason, message)
    condition = Condition(
        type=type,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=old.last_transition_time if old and same else rfc3339(now),
        observed_generation=obj.metadata.generation,
    )
    gone = {type, _EXCLUDES.get(type)} if status == "True" else {type}
    kept = [c for c in obj.status.conditions if c.type not in gone]
    obj.status.conditions = ordered([*kept, condition])


def mark_true(obj: Conditioned, type: str, reason: str, message: str, *, now: datetime) -> None:
    """Set a condition to True."""
    mark(obj, type, "True", reason, message, now=now)


def mark_false(obj: Conditioned, type: str, reason: str, message: str, *, now: datetime) -> None:
    """Set a condition to False."""
    mark(obj, type, "False", reason, message, now=now)


def mark_unknown(obj: Conditioned, type: str, reason: str, message: str, *, now: datetime) -> None:
    """Set a condition to Unknown."""
    mark(obj, type, "Unknown", reason, message, now=now)


def mark_reconciling(obj: Conditioned, reason: str, message: str, *, now: datetime) -> None:
    """Set Reconciling to True and remove Stalled."""
    mark(obj, RECONCILING, "True", reason, message, now=now)


def mark_stalled(obj: Conditioned, reason: str, message: str, *, now: datetime) -> None:
    """Set Stalled to True and remove Reconciling."""
    mark(obj, STALLED, "True", reason, message, now=now)


def delete(obj: Conditioned, *types: str) -> None:
    """Remove conditions; a missing one is no error."""
    obj.status.conditions = [c for c in obj.status.conditions if c.type not in types]


def ordered(conditions: Iterable[Condition]) -> list[Condition]:
    """Sort: Stalled, Reconciling, Ready, then by higher observedGeneration, then by type."""
    return sorted(conditions, key=lambda c: (_ORDER.get(c.type, 3), -_generation_rank(c), c.type))


def _generation_rank(condition: Condition) -> int:
    return 0 if condition.type in _ORDER else condition.observed_generation


def merge(
    latest: Iterable[Condition], own: Iterable[Condition], owned: Iterable[str]
) -> list[Condition]:
    """Put our conditions into what another writer left: ours win, of the rest theirs stay.

    `owned` are the types that this controller writes; an owned type that is not in `own` is
    removed.
    """
    owned = set(owned)
    mine = [c for c in own if c.type in owned]
    return ordered([*(c for c in latest if c.type not in owned), *mine])


def summarize(
    obj: Conditioned,
    types: Sequence[str],
    *,
    now: datetime,
    target: str = READY,
    negative: Iterable[str] = (RECONCILING, STALLED),
    bipolar: Iterable[str] = (),
) -> None:
    """Set `target` from the conditions of `types`; without any of them nothing is set.

    `types` is in the order in which reasons are looked for, `negative` names those that are bad
    when True, `bipolar` those whose False overrides everything. The group that decides is, in this
    order: True and negative, False and positive, True and positive, False and negative, Unknown.
    """
    found = (get(obj, name) for name in types if name != target)
    present = [condition for condition in found if condition is not None]
    if not present:
        return
    negatives = set(negative)
    two_sided = set(bipolar)
    for condition in present:
        if condition.type in two_sided and condition.status == "False":
            mark(obj, target, "False", condition.reason, condition.message, now=now)
            return

    def rank(condition: Condition) -> int:
        if condition.status == "Unknown":
            return 4
        bad = condition.type in negatives
        return {("True", True): 0, ("False", False): 1, ("True", False): 2, ("False", True): 3}[
            condition.status, bad
        ]

    winner = min(present, key=rank)  # min keeps the first of equals: the declared order
    inverted = winner.type in negatives
    status = _INVERSE[winner.status] if inverted else winner.status
    mark(obj, target, status, winner.reason, winner.message, now=now)  # type: ignore[arg-type]


def keep_times(own: Iterable[Condition], written: Iterable[Condition]) -> None:
    """Give conditions that are as they were last written their old transition time back.

    An attempt may go through Reconciling and Unknown in memory and end where it began: then
    nothing has changed for a reader.
    """
    before = {c.type: c for c in written}
    for condition in own:
        old = before.get(condition.type)
        if old is not None and _said(old) == _said(condition):
            condition.last_transition_time = old.last_transition_time


def _said(condition: Condition) -> tuple[str, str, str]:
    return condition.status, condition.reason, condition.message


def _cut(message: str) -> str:
    encoded = message.encode()
    if len(encoded) <= _LONGEST:
        return message
    return encoded[: _LONGEST - 3].decode(errors="ignore") + "..."
