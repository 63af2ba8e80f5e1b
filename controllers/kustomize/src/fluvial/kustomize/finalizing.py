"""The way back: what becomes of the applied objects when their Kustomization is deleted."""

from fluvial.apis.kustomize import Kustomization
from fluvial.kustomize.attempt import health_timeout
from fluvial.toolkit import Client, Context, NotFound, Resource, Transient
from fluvial.toolkit.apply import Action, Applier, Inventory, PruneOptions, wait_gone

__all__ = ["deletes", "finalize"]

_SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")


def deletes(obj: Kustomization) -> bool:
    """Whether the objects go with their Kustomization: never while it is suspended."""
    if obj.spec.suspend:
        return False
    policy = obj.spec.deletion_policy or "MirrorPrune"
    return policy in {"Delete", "WaitForTermination"} or (
        policy == "MirrorPrune" and obj.spec.prune
    )


async def finalize(
    ctx: Context[Kustomization], applier: Applier, client: Client, account: str
) -> None:
    """Delete what the inventory lists, if that is the policy; raising keeps the finalizer.

    `client` and `applier` act as `account` (empty: as the controller). When that account is gone,
    nothing is deleted with any other right: an event lists what is left, and the object goes.
    Raises Transient (PruneFailed) for what the server refuses to delete.
    """
    obj = ctx.obj
    inventory = Inventory.from_status(obj.status.inventory)
    if not deletes(obj) or not len(inventory):
        return
    if account and await _is_gone(ctx, account):
        left = ", ".join(str(one) for one in inventory.ids)
        ctx.event(
            "Warning",
            "ReconciliationFailed",
            f"unable to prune objects: ServiceAccount '{account}' is gone, these are left: {left}",
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
        late = await wait_gone(client, deleted, health_timeout(obj), ctx.clock)
        if late:
            names = ", ".join(str(one) for one in late)
            ctx.event("Warning", "PruneFailed", f"termination takes longer than allowed: {names}")


async def _is_gone(ctx: Context[Kustomization], account: str) -> bool:
    try:
        await ctx.client.get(_SERVICE_ACCOUNTS, account, ctx.obj.metadata.namespace)
    except NotFound:
        return True
    return False
