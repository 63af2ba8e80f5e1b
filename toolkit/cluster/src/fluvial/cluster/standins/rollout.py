"""How a Deployment sizes its ReplicaSets: pure arithmetic, by the rules of upstream.

Every function returns the sizes that should change, as `{ReplicaSet name: replicas}`.
The rules are those of `pkg/controller/deployment` (rolling.go, recreate.go, sync.go).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from fluvial.cluster.objects import Object

__all__ = [
    "Bounds",
    "Sized",
    "bounds_of",
    "count_of",
    "first_size",
    "proportional",
    "recreate",
    "rolling",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Sized:
    """A ReplicaSet as a rollout sees it.

    `replicas` is what its spec asks for, `available` what its status reports, `created` sorts by
    age, `max_replicas` is the total that the Deployment allowed when it sized this one last.
    """

    name: str
    replicas: int
    available: int = 0
    created: str = ""
    max_replicas: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """What a Deployment wants and how far a rollout may stray from it, in pods."""

    desired: int
    surge: int
    unavailable: int


def count_of(value: int | str | None, total: int, *, up: bool) -> int:
    """Resolve a count or a percentage of `total`; a fraction is rounded `up` or down."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        return int(value)
    share = int(value[:-1]) * total / 100
    return math.ceil(share) if up else math.floor(share)


def bounds_of(spec: Object) -> Bounds:
    """Read a Deployment's spec; surge and unavailability are never both zero."""
    desired = int(spec.get("replicas", 1))
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Bounds(desired, 0, 0)
    rolling_update = strategy.get("rollingUpdate") or {}
    surge = count_of(rolling_update.get("maxSurge", "25%"), desired, up=True)
    unavailable = count_of(rolling_update.get("maxUnavailable", "25%"), desired, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(desired, surge, min(unavailable, desired))


def first_size(bounds: Bounds, new: int, total: int) -> int:
    """Return the size to which the new ReplicaSet may grow from `new`, `total` pods existing."""
    room = bounds.desired + bounds.surge - total
    if room <= 0:
        return new
    return new + min(room, bounds.desired - new)


def rolling(bounds: Bounds, new: Sized, olds: Sequence[Sized]) -> dict[str, int]:
    """Take the next step of a rolling update: grow the new one, else shrink the old ones."""
    if new.replicas > bounds.desired:
        return {new.name: bounds.desired}
    total = new.replicas + sum(old.replicas for old in olds)
    grown = first_size(bounds, new.replicas, total)
    if grown != new.replicas:
        return {new.name: grown}
    return _shrink(bounds, new, olds, total)


def _shrink(bounds: Bounds, new: Sized, olds: Sequence[Sized], total: int) -> dict[str, int]:
    least = bounds.desired - bounds.unavailable
    spare = total - least - (new.replicas - new.available)
    if spare <= 0 or total == new.replicas:
        return {}
    sizes = {old.name: old.replicas for old in olds}
    by_age = sorted(olds, key=lambda old: (old.created, old.name))
    for old in by_age:  # broken pods first: they serve nobody
        gone = max(0, min(spare, old.replicas - old.available))
        sizes[old.name] -= gone
        spare -= gone
    excess = new.available + sum(old.available for old in olds) - least
    for old in by_age:
        gone = max(0, min(excess, sizes[old.name]))
        sizes[old.name] -= gone
        excess -= gone
    return {old.name: sizes[old.name] for old in olds if sizes[old.name] != old.replicas}


def recreate(
    desired: int, new: Sized | None, olds: Sequence[Sized], *, old_pods_run: bool
) -> dict[str, int]:
    """Take the next step of Recreate: all old ones to zero; then, once they are gone, the new."""
    down = {old.name: 0 for old in olds if old.replicas > 0}
    if down or old_pods_run or new is None or new.replicas == desired:
        return down
    return {new.name: desired}


def proportional(bounds: Bounds, new: Sized | None, olds: Sequence[Sized]) -> dict[str, int]:
    """Scale in the middle of a rollout: each active ReplicaSet keeps its share.

    With one active (or none: the newest) it takes everything; with a complete new one the old
    ones go to zero.
    """
    everything = [*([new] if new else []), *olds]
    active = [each for each in everything if each.replicas > 0]
    if len(active) <= 1:
        only = active[0] if active else new or max(olds, key=lambda o: o.created, default=None)
        if only is None or only.replicas == bounds.desired:
            return {}
        return {only.name: bounds.desired}
    if new and new.replicas == bounds.desired == new.available:
        return {old.name: 0 for old in olds if old.replicas > 0}
    total = sum(each.replicas for each in active)
    allowed = bounds.desired + bounds.surge if bounds.desired > 0 else 0
    missing = allowed - total
    if missing == 0:
        return {}
    # The largest first; among equals the newest when growing and the oldest when shrinking.
    active.sort(key=lambda each: each.created, reverse=missing > 0)
    active.sort(key=lambda each: each.replicas, reverse=True)
    sizes = {}
    left = missing
    for each in active:
        share = _share(bounds, each, missing, left)
        sizes[each.name] = each.replicas + share
        left -= share
    largest = active[0].name
    sizes[largest] = max(0, sizes[largest] + left)
    return {each.name: sizes[each.name] for each in active if sizes[each.name] != each.replicas}


def _share(bounds: Bounds, each: Sized, missing: int, left: int) -> int:
    if bounds.desired == 0:
        return -each.replicas
    before = each.max_replicas or bounds.desired
    # Round half away from zero, as upstream does; Python's round would go to even.
    share = math.floor(each.replicas * (bounds.desired + bounds.surge) / before + 0.5)
    share -= each.replicas
    return min(share, left) if missing > 0 else max(share, left)
