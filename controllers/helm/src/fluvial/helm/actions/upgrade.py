"""Upgrade: the next revision of a release."""

from collections.abc import Sequence

from fluvial.apis import helm
from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.helm import names
from fluvial.helm.actions import steps
from fluvial.helm.attempt import Attempt
from fluvial.helm.errors import ActionFailed
from fluvial.helm.jobs import RenderReply
from fluvial.helm.storage import Record
from fluvial.render.helm import merge_files
from fluvial.toolkit import ApiError, TransportError

__all__ = ["current", "upgrade"]


def current(records: Sequence[Record]) -> Record:
    """Return the record that an upgrade starts from: the newest deployed one, else the newest.

    Raises ActionFailed when there is none, or when another action is in progress.
    """
    if not records or records[0].status == "uninstalled":
        raise ActionFailed("there is no deployed release")
    if records[0].status.startswith("pending-"):
        raise ActionFailed("another operation (install/upgrade/rollback) is in progress")
    return next((one for one in records if one.status == "deployed"), records[0])


async def upgrade(it: Attempt) -> None:
    """Upgrade to the wanted chart and values.

    Raises ActionFailed, and ChartUnusable before anything is written.
    """
    spec = it.obj.spec.upgrade or helm.Upgrade()
    last, base = it.records[0] if it.records else None, current(it.records)
    assert last is not None, "an upgrade has a record to start from"
    revision = last.version + 1
    values = merge_files(base.config or {}, it.values) if spec.preserve_values else it.values
    reply = await steps.render(it, revision, values, upgrade=True)
    await steps.define(it, reply, spec.crds)
    before = await it.parse(base.manifest)
    info = steps.stamp(it, base.info.first_deployed)
    info.status, info.description = "pending-upgrade", "Preparing upgrade"
    record = steps.new_record(it, reply, revision, values, info)
    await steps.list_objects(it, reply.objects, reply.definitions)
    await it.create(record, "upgrade")
    created: list[ObjectId] = []
    try:
        await _deploy(it, record, reply, before, created)
    except (ActionFailed, ApiError, TransportError) as error:
        record.info.status = "failed"
        record.info.description = f'Upgrade "{record.name}" failed: {error}'
        await it.save(record)
        if spec.cleanup_on_fail:
            await it.objects.discard(created)
        raise ActionFailed(str(error)) from error
    if base.status == "deployed":
        base.info.status = "superseded"
        await it.save(base)
    record.info.status, record.info.description = "deployed", "Upgrade complete"
    await it.save(record)
    await steps.conclude(it, reply.objects, reply.definitions)


async def _deploy(
    it: Attempt,
    record: Record,
    reply: RenderReply,
    before: list[Unstructured],
    created: list[ObjectId],
) -> None:
    spec = it.obj.spec.upgrade or helm.Upgrade()
    timeout = names.action_timeout(it.obj, spec.timeout)
    hooks = steps.hooks(it, record, timeout, disabled=spec.disable_hooks)
    await hooks("pre-upgrade")
    created += await it.objects.apply(
        reply.objects,
        adopt=not spec.disable_take_ownership,
        stop=False,
        known=await it.objects.identify(before),
    )
    await it.objects.remove_stale(before, reply.objects)
    if not spec.disable_wait:
        jobs = not spec.disable_wait_for_jobs
        await it.objects.wait_ready(reply.objects, timeout, jobs=jobs)
    await hooks("post-upgrade")
