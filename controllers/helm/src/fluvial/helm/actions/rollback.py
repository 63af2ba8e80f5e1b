"""Rollback: a new revision with the content of an earlier one."""

import msgspec

from fluvial.apis import helm
from fluvial.apis.ids import ObjectId
from fluvial.helm import names
from fluvial.helm.actions import steps
from fluvial.helm.attempt import Attempt
from fluvial.helm.errors import ActionFailed
from fluvial.helm.storage import Record
from fluvial.toolkit import ApiError, TransportError

__all__ = ["rollback"]


async def rollback(it: Attempt, version: int) -> None:
    """Go back to a revision that is in the storage. Raises ActionFailed.

    When applying fails, the revision before is no longer what is deployed, so it is superseded;
    when only the wait fails, it is left as it was.
    """
    spec = it.obj.spec.rollback or helm.Rollback()
    timeout = names.action_timeout(it.obj, spec.timeout)
    last = it.records[0]
    target = next((one for one in it.records if one.version == version), None)
    if target is None:
        raise ActionFailed(f"release {it.title}.v{version} is no longer stored")
    record = _copy(it, target, last.version + 1)
    before, wanted = await it.renderer.parse(it.obj, last.manifest, target.manifest)
    await steps.list_objects(it, wanted)
    await it.create(record, "rollback")
    hooks = steps.hooks(it, record, timeout, disabled=spec.disable_hooks)
    # A failing hook leaves the record pending, as in Helm: the next attempt unlocks it.
    await hooks("pre-rollback")
    created: list[ObjectId] = []
    try:
        created += await it.objects.apply(wanted, stop=False)
        await it.objects.remove_stale(before, wanted)
    except (ActionFailed, ApiError, TransportError) as error:
        last.info.status = "superseded"
        await it.save(last)
        await _fail(it, record, error)
        if spec.cleanup_on_fail:
            await it.objects.discard(created)
        raise ActionFailed(str(error)) from error
    try:
        if not spec.disable_wait:
            await it.objects.wait_ready(wanted, timeout, jobs=not spec.disable_wait_for_jobs)
    except (ActionFailed, ApiError, TransportError) as error:
        await _fail(it, record, error)
        raise ActionFailed(str(error)) from error
    await hooks("post-rollback")
    for one in it.records:
        if one.status == "deployed":
            one.info.status = "superseded"
            await it.save(one)
    record.info.status = "deployed"
    await it.save(record)
    await steps.conclude(it, wanted)


def _copy(it: Attempt, target: Record, version: int) -> Record:
    info = steps.stamp(it, target.info.first_deployed)
    info.status, info.description = "pending-rollback", f"Rollback to {target.version}"
    info.notes = target.info.notes
    hooks = [msgspec.structs.replace(hook) for hook in target.hooks]
    return msgspec.structs.replace(target, version=version, info=info, hooks=hooks)


async def _fail(it: Attempt, record: Record, error: Exception) -> None:
    record.info.status = "failed"
    record.info.description = f'Rollback "{record.name}" failed: {error}'
    await it.save(record)
