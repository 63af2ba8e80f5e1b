"""Bringing built objects into the cluster: apply, prune, check health, and record the result."""

from fluvial.apis.duration import format_duration, parse_duration
from fluvial.kustomize.applying import apply
from fluvial.kustomize.attempt import SUCCEEDED, Attempt, settle
from fluvial.kustomize.building import Built
from fluvial.kustomize.checking import check
from fluvial.kustomize.handover import Handovers
from fluvial.kustomize.history import record
from fluvial.kustomize.proofs import Evidence
from fluvial.kustomize.pruning import prune
from fluvial.toolkit import ReconcileError
from fluvial.toolkit.apply import Applier, Inventory

__all__ = ["deploy"]


async def deploy(
    it: Attempt,
    applier: Applier,
    built: Built,
    handovers: Handovers,
    evidence: Evidence | None = None,
) -> float | None:
    """Apply, prune and check; then the status says what was reached. Raises ReconcileError.

    Returns the seconds after which the prune has to be looked at again, None when it is done. What
    the next pass may rely on goes to `evidence`.

    The inventory is written before the first object is, and an object leaves it only once it is
    gone, so that a run that is killed anywhere is finished by the next one.
    """
    status = it.obj.status
    previous = Inventory.from_status(status.inventory)
    try:
        changes = await apply(it, applier, built, previous)
        later = await prune(it, applier, previous, changes, handovers)
        if evidence is not None:
            await evidence.before_check(it.obj, changes)
        await check(it, built, changes)
    except ReconcileError as error:
        _remember(it, built, error.reason)
        raise
    # What is pruned later than the apply, and what is drift, is an attempt as well.
    stale = previous.difference(changes.inventory)
    real = it.new or changes.changed or (later is None and len(stale) > 0)
    settle(it.ctx, it.artifact)
    if evidence is not None and later is None:
        evidence.conclude(it.obj, previous, changes)
    if not real:
        return later
    _remember(it, built, SUCCEEDED)
    interval = format_duration(parse_duration(it.obj.spec.interval))
    it.event(
        SUCCEEDED,
        f"Reconciliation finished in {format_duration(it.took)}, next run in {interval}",
        commit_status="update",
    )
    return later


def _remember(it: Attempt, built: Built, reason: str) -> None:
    it.obj.status.history = record(
        it.obj.status.history,
        built.digest,
        reason,
        now=it.ctx.now,
        took=it.took,
        metadata=it.metadata,
    )
