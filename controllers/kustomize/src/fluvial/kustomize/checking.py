"""Check: whether what was applied does its work."""

import asyncio
from collections.abc import Collection, Iterable

from fluvial.apis.duration import format_duration
from fluvial.apis.ids import ObjectId, Unstructured, split_api_version
from fluvial.apis.kustomize import GROUP, Kustomization
from fluvial.kustomize.attempt import HEALTHY, Attempt, health_timeout
from fluvial.kustomize.building import Built
from fluvial.kustomize.state import retry_interval
from fluvial.toolkit import Transient, Waiting, conditions
from fluvial.toolkit.apply import ChangeSet, Health, HealthExpressions, verdict, wait

__all__ = ["check", "checked"]


async def check(it: Attempt, built: Built, changes: ChangeSet) -> None:
    """Wait until what is to be checked is healthy, and let the condition Healthy say so.

    Without anything to check there is no such condition. Raises Transient (HealthCheckFailed), and
    Waiting (HealthCheckCanceled) where the feature gate lets a newer state interrupt the wait.
    """
    obj = it.obj
    ids = checked(obj, changes.checked)
    if not ids:
        conditions.delete(obj, HEALTHY)
        return
    was_healthy = conditions.is_true(obj, HEALTHY)
    if it.new or changes.changed:
        message = await it.announce("Running health checks")
        it.ctx.mark(HEALTHY, "Unknown", "Progressing", message)
        await it.ctx.patch_status()
    started = it.ctx.clock.monotonic()
    healths = await _healths(it, ids, _vanishing(built.objects))
    took = format_duration(it.since(started))
    if trouble := verdict(healths):
        message = f"health check failed after {took}: {trouble}"
        it.ctx.mark(HEALTHY, "False", "HealthCheckFailed", message)
        raise Transient("HealthCheckFailed", message, retry_after=retry_interval(obj))
    passed = f"Health check passed in {took}"
    if not conditions.is_true(obj, HEALTHY):
        it.ctx.mark(HEALTHY, "True", "Succeeded", passed)
    other_revision = obj.status.last_applied_revision != it.artifact.revision
    if not was_healthy or (other_revision and changes.changed):
        it.event("Progressing", passed)


def checked(obj: Kustomization, applied: Iterable[ObjectId]) -> list[ObjectId]:
    """List what is checked: with `wait` all that was applied, else `healthChecks`; never itself."""
    ids: Iterable[ObjectId]
    if obj.spec.wait:
        ids = applied
    else:
        ids = [
            ObjectId(
                split_api_version(one.api_version or "apps/v1")[0],
                one.kind,
                one.namespace,
                one.name,
            )
            for one in obj.spec.health_checks
        ]
    own = ObjectId(GROUP, obj.kind, obj.metadata.namespace, obj.metadata.name)
    return [one for one in ids if one != own]


async def _healths(
    it: Attempt, ids: list[ObjectId], vanishing: Collection[ObjectId]
) -> list[Health]:
    waiting = wait(
        it.client,
        ids,
        health_timeout(it.obj),
        HealthExpressions(it.obj.spec.health_check_exprs),
        fail_fast=not it.flags.enabled("DisableFailFastBehavior"),
        vanishing=vanishing,
        clock=it.ctx.clock,
    )
    if not it.flags.enabled("CancelHealthCheckOnNewRevision"):
        return await waiting
    async with asyncio.TaskGroup() as tasks:
        healths = tasks.create_task(waiting)
        interrupted = tasks.create_task(it.ctx.interrupted.wait())
        await asyncio.wait((healths, interrupted), return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if not healths.done():
            healths.cancel()
    if healths.cancelled():
        raise Waiting("HealthCheckCanceled", "New reconciliation triggered", requeue_after=0.0)
    return healths.result()


def _vanishing(objects: list[Unstructured]) -> list[ObjectId]:
    """List the Jobs that remove themselves once they are done."""
    return [
        ObjectId.from_object(one)
        for one in objects
        if one.get("kind") == "Job"
        and (one.get("spec") or {}).get("ttlSecondsAfterFinished") is not None
    ]
