"""The way back when a Canary with revertOnDeletion is deleted."""

from typing import Final

from fluvial.apis.flagger.canary import Canary
from fluvial.apis.ids import Unstructured
from fluvial.canary.deployment import DeploymentWorkload
from fluvial.canary.errors import MissingObject
from fluvial.canary.readiness import judge
from fluvial.canary.resources import CANARIES, FIELD_MANAGER
from fluvial.canary.state import Phase, Readiness
from fluvial.canary.status import enter_phase
from fluvial.canary.tick import REASON, Parts, Tick
from fluvial.toolkit import Conflict, NotFound

__all__ = ["FINALIZER", "finalize", "keep_finalizer"]

FINALIZER: Final = "finalizer.flagger.app"
"""Equal to the Go controller's, so that either cleans up after the other."""

_DEADLINE: Final = 600


async def keep_finalizer(parts: Parts, raw: Unstructured, canary: Canary) -> Unstructured:
    """Have the finalizer exactly while `revertOnDeletion` is set."""
    if canary.spec.revert_on_deletion == (FINALIZER in canary.metadata.finalizers):
        return raw
    return await _set_finalizer(parts, raw, present=canary.spec.revert_on_deletion)


async def finalize(parts: Parts, raw: Unstructured, canary: Canary) -> None:
    """Give the target its pods, the apex service and the routes back, then let the Canary go.

    One look per tick at the target's readiness: traffic goes back only when it can be served.
    A target that is gone has nothing to be given back.
    """
    if canary.status.phase != Phase.TERMINATING:
        enter_phase(canary.status, Phase.TERMINATING, parts.clock.now())
        raw = await parts.status.write(raw, canary)
        parts.recorder.event(raw, "Normal", REASON, f"Terminating canary {canary.metadata.name}")
    try:
        tick = await Tick.begin(parts, raw, canary)
    except MissingObject as error:
        if await _has_target(parts, canary):
            raise
        parts.recorder.event(raw, "Warning", REASON, f"nothing to revert: {error}")
    else:
        await _scale_back(tick)
        if not await _is_ready(tick):
            return
        try:
            await parts.services.finalize(canary, tick.pods)
        except NotFound:
            await tick.warn("nothing to revert: the apex Service does not exist")
        await tick.router.finalize(canary)
    await _set_finalizer(parts, raw, present=False)
    parts.exporter.forget(canary)


async def _scale_back(tick: Tick) -> None:
    """Give the target as many pods as the primary has."""
    primary = await tick.workload.primary()
    replicas = primary["spec"].get("replicas", 1) if primary is not None else 0
    if replicas:
        await tick.workload.scale(tick.target, replicas)
    else:
        await tick.workload.scale_up(tick.target, least=await tick.scaler.least())


async def _is_ready(tick: Tick) -> bool:
    threshold = tick.canary.spec.analysis.canary_ready_threshold
    deadline = tick.canary.spec.progress_deadline_seconds
    verdict = judge(
        await tick.workload.target(),
        threshold=100 if threshold is None else threshold,
        deadline=_DEADLINE if deadline is None else deadline,
        now=tick.parts.clock.now(),
    )
    if verdict.readiness is Readiness.READY:
        return True
    await tick.warn(f"Deletion waits: {verdict.message}")
    return False


async def _has_target(parts: Parts, canary: Canary) -> bool:
    try:
        await DeploymentWorkload(parts.client, canary).target()
    except MissingObject:
        return False
    return True


async def _set_finalizer(parts: Parts, raw: Unstructured, *, present: bool) -> Unstructured:
    metadata = raw["metadata"]
    for _ in range(5):
        others = [f for f in metadata.get("finalizers") or () if f != FINALIZER]
        wanted = [*others, FINALIZER] if present else others
        patch = {"metadata": {"finalizers": wanted, "resourceVersion": metadata["resourceVersion"]}}
        try:
            return await parts.client.patch(
                CANARIES,
                metadata["name"],
                patch,
                metadata["namespace"],
                field_manager=FIELD_MANAGER,
            )
        except Conflict:
            live = await parts.client.get(CANARIES, metadata["name"], metadata["namespace"])
            metadata = live["metadata"]
    raise Conflict(f"Canary {metadata['name']}: its finalizers change all the time", code=409)
