"""Apply: what was built becomes what is in the cluster."""

from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.kustomize.attempt import Attempt
from fluvial.kustomize.building import Built
from fluvial.kustomize.state import retry_interval
from fluvial.toolkit import Transient
from fluvial.toolkit.apply import (
    Applier,
    ApplyError,
    ApplyFailed,
    ApplyOptions,
    ChangeSet,
    Inventory,
)

__all__ = ["apply"]

_DECRYPT = "kustomize.toolkit.fluxcd.io/decrypt"


async def apply(it: Attempt, applier: Applier, built: Built, previous: Inventory) -> ChangeSet:
    """Apply what was built; the status lists all that may exist before the first write.

    Raises Transient (ReconciliationFailed) naming every object that failed.
    """
    obj = it.obj
    common = obj.spec.common_metadata
    if it.new:
        await it.announce("Detecting drift")

    async def before_write(inventory: Inventory) -> None:
        obj.status.inventory = inventory.to_status()
        await it.announce("Detecting drift")

    _refuse_ciphertext(it, built)
    options = ApplyOptions(
        previous=previous,
        labels=common.labels if common else {},
        annotations=common.annotations if common else {},
        force=obj.spec.force,
        custom_stage=it.flags.custom_stage,
        override_managers=it.flags.override_managers,
        ignore=obj.spec.ignore,
    )
    try:
        changes = await applier.apply(built.objects, options, before_write)
    except ApplyError as error:
        if isinstance(error, ApplyFailed):
            _tell(it, error.changes)
        raise Transient(
            "ReconciliationFailed", str(error), retry_after=retry_interval(obj)
        ) from error
    _tell(it, changes)
    return changes


def _tell(it: Attempt, changes: ChangeSet) -> None:
    if log := changes.log():
        it.event("Progressing", log)
    if fights := it.fights.news(it.ctx.key, changes):
        it.ctx.event("Warning", "FieldConflict", "\n".join(map(str, fights)), it.metadata)


def _refuse_ciphertext(it: Attempt, built: Built) -> None:
    """Nothing encrypted reaches the cluster, where it would pass for the secret itself."""
    for one in built.objects:
        if (one.get("apiVersion"), one.get("kind")) == ("v1", "Secret") and _is_encrypted(one):
            raise Transient(
                "ReconciliationFailed",
                f"{ObjectId.from_object(one)} is SOPS encrypted, configuring decryption is "
                "required for this secret to be reconciled",
                retry_after=retry_interval(it.obj),
            )


def _is_encrypted(secret: Unstructured) -> bool:
    annotations = secret["metadata"].get("annotations") or {}
    return "sops" in secret and str(annotations.get(_DECRYPT, "")).lower() != "disabled"
