"""Prune: what was applied once and is no longer built goes."""

from typing import Final

from fluvial.kustomize.attempt import Attempt
from fluvial.kustomize.handover import Handovers
from fluvial.kustomize.state import retry_interval
from fluvial.toolkit import Transient
from fluvial.toolkit.apply import (
    Action,
    Applier,
    ChangeSet,
    Inventory,
    PruneOptions,
    PruneRefused,
)

__all__ = ["ALLOW_PRUNE_ALL", "prune"]

ALLOW_PRUNE_ALL: Final = "fluvial.dev/allow-prune-all"
"""Annotation (`true`) that allows a build of zero objects to delete everything applied before."""


async def prune(
    it: Attempt, applier: Applier, previous: Inventory, changes: ChangeSet, handovers: Handovers
) -> float | None:
    """Delete what is no longer built, and bring the inventory up to date.

    Without `prune` it is only forgotten, as upstream does. What still exists afterwards stays in
    the inventory. Where another Kustomization may be about to take over, nothing is deleted yet:
    returns the seconds after which to look again, else None. Raises Transient (PruneFailed), also
    where a build of zero objects would delete everything and nobody said that this is meant.
    """
    obj = it.obj
    current = changes.inventory
    stale = previous.difference(current)
    if not obj.spec.prune or not len(stale):
        obj.status.inventory = current.to_status()
        return None
    if (delay := await handovers.delay(it)) is not None:
        obj.status.inventory = current.union(stale).to_status()
        return delay
    allowed = obj.metadata.annotations.get(ALLOW_PRUNE_ALL) == "true"
    options = PruneOptions(remaining=current, everything=allowed and not len(current))
    try:
        pruned = await applier.prune(stale, options)
    except PruneRefused as error:
        raise Transient(
            "PruneFailed",
            f'{error} with the annotation {ALLOW_PRUNE_ALL}: "true"',
            retry_after=retry_interval(obj),
        ) from error
    obj.status.inventory = current.union(pruned.kept).to_status()
    if log := pruned.log(Action.DELETED, Action.SKIPPED):
        it.event("Progressing", log)
    if pruned.failures:
        text = "; ".join(str(failure) for failure in pruned.failures)
        raise Transient(
            "PruneFailed", f"delete failed, errors: {text}", retry_after=retry_interval(obj)
        )
    return None
