"""The way back: what becomes of the applied objects when their Kustomization is deleted."""

from fluvial.apis.kustomize import Kustomization
from fluvial.kustomize.attempt import health_timeout
from fluvial.toolkit import Context, Transient
from fluvial.toolkit.apply import Action, Applier, Inventory, PruneOptions, wait_gone
from fluvial.toolkit.identity import Identity

__all__ = ["deletes", "finalize", "leaves_objects"]


def deletes(obj: Kustomization) -> bool:
    """Whether the objects go with their Kustomization: never while it is suspended."""
    if obj.spec.suspend:
        return False
    policy = obj.spec.deletion_policy or "MirrorPrune"
    return policy in {"Delete", "WaitForTermination"} or (
        policy == "MirrorPrune" and obj.spec.prune
    )


def leaves_objects(obj: Kustomization) -> bool:
    """Whether there is anything to delete before the Kustomization may go."""
    return deletes(obj) and len(Inventory.from_status(obj.status.inventory)) > 0


async def finalize(ctx: Context[Kustomization], applier: Applier, identity: Identity) -> None:
    """Delete what the inventory lists; raising keeps the finalizer.

    `applier` acts as `identity`. When its account is gone, nothing is deleted with any other
    right: an event lists what is left, and the object goes. Raises Transient (PruneFailed) for what
    the server refuses to delete.
    """
    obj = ctx.obj
    inventory = Inventory.from_status(obj.status.inventory)
    if await identity.is_gone():
        left = ", ".join(str(one) for one in inventory.ids)
        ctx.event(
            "Warning",
            "ReconciliationFailed",
            f"unable to prune objects: ServiceAccount '{identity.account}' is gone, these are "
            f"left: {left}",
        )
        return
    pruned = await applier.prune(inventory, PruneOptions(everything=True))
    if log := pruned.log(Action.DELETED):
        ctx.event("Normal", "ReconciliationSucceeded", log)
    if pruned.failures:
        text = "; ".join(str(failure) for failure in pruned.failures)
        ctx.event("Warning", "PruneFailed", f"delete failed, errors: {text}")
        raise Transient("PruneFailed", f"delete failed, errors: {text}")
    if obj.spec.deletion_policy == "WaitForTermination":
        deleted = [change.id for change in pruned.only(Action.DELETED)]
        late = await wait_gone(identity.client, deleted, health_timeout(obj), ctx.clock)
        if late:
            names = ", ".join(str(one) for one in late)
            ctx.event("Warning", "PruneFailed", f"termination takes longer than allowed: {names}")
