"""Hooks: documents that run at an event, one after the other, instead of being released."""

from collections.abc import Awaitable, Callable

from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.apis.meta import CustomHealthCheck
from fluvial.helm.engine.objects import Objects
from fluvial.helm.errors import ActionFailed
from fluvial.helm.storage import Hook, LastRun, Record, now_text
from fluvial.toolkit.apply import HealthExpressions, verdict, wait

__all__ = ["Parse", "run_hooks"]

_BEFORE, _SUCCEEDED, _FAILED = "before-hook-creation", "hook-succeeded", "hook-failed"
_POD = CustomHealthCheck(
    api_version="v1",
    kind="Pod",
    current="status.phase == 'Succeeded'",
    failed="status.phase == 'Failed'",
)

Parse = Callable[[str], Awaitable[Unstructured]]
"""Reads the one object of a hook's manifest."""


async def run_hooks(
    objects: Objects,
    record: Record,
    event: str,
    limit: float,
    *,
    parse: Parse,
    save: Callable[[], Awaitable[None]],
    obj: HelmRelease,
) -> None:
    """Run the hooks of an event by weight and name; `save` writes the record after each change.

    Jobs and Pods are waited for, and kinds that healthCheckExprs cover, each at most `limit`
    seconds. Raises ActionFailed on the first that fails, once its own delete policy is done.
    """
    due = sorted(
        (hook for hook in record.hooks if event in hook.events),
        key=lambda hook: (hook.weight, hook.name),
    )
    done: list[tuple[Hook, ObjectId]] = []
    for hook in due:
        document = await parse(hook.manifest)
        if _BEFORE in (hook.delete_policies or [_BEFORE]):
            await _delete(objects, hook, document, limit)
        hook.last_run = LastRun(started_at=now_text(objects.clock.now()), phase="Running")
        await save()
        identity: ObjectId | None = None
        try:
            identity = await objects.create(document)
            await _finish(objects, identity, document, limit, obj)
        except ActionFailed as error:
            _ended(objects, hook, "Failed")
            await save()
            if _FAILED in hook.delete_policies and identity is not None:
                await _discard(objects, hook, identity, limit)
            raise ActionFailed(f"failed {event}: hook {hook.path}: {error}") from error
        _ended(objects, hook, "Succeeded")
        await save()
        done.append((hook, identity))
    # As in Helm, successful hooks stay until all of the event have succeeded.
    for hook, identity in done:
        if _SUCCEEDED in hook.delete_policies:
            await _discard(objects, hook, identity, limit)


async def _finish(
    objects: Objects, identity: ObjectId, document: Unstructured, limit: float, obj: HelmRelease
) -> None:
    """Wait for a hook that runs. Raises ActionFailed."""
    own = [check for check in obj.spec.health_check_exprs if check.kind != "Pod"]
    exprs = HealthExpressions([*own, _POD])
    runs = (identity.group, identity.kind) in {("batch", "Job"), ("", "Pod")}
    if not runs and not exprs.covers(identity):
        return
    ttl = (document.get("spec") or {}).get("ttlSecondsAfterFinished")
    vanishing = [identity] if ttl is not None else []
    healths = await wait(
        objects.client, [identity], limit, exprs, vanishing=vanishing, clock=objects.clock
    )
    if trouble := verdict(healths):
        reasons = "; ".join(filter(None, (health.message for health in healths)))
        raise ActionFailed(f"{trouble}: {reasons}" if reasons else trouble)


async def _delete(objects: Objects, hook: Hook, document: Unstructured, limit: float) -> None:
    if not document["metadata"].get("name"):
        return  # generateName: the one before has another name
    for identity in await objects.identify([document]):
        await _discard(objects, hook, identity, limit)


async def _discard(objects: Objects, hook: Hook, identity: ObjectId, limit: float) -> None:
    """Delete a hook's object and wait until it is gone; definitions are never deleted."""
    if hook.kind != "CustomResourceDefinition":
        await objects.discard([identity])
        await objects.wait_gone([identity], limit)


def _ended(objects: Objects, hook: Hook, phase: str) -> None:
    hook.last_run = LastRun(
        started_at=hook.last_run.started_at,
        completed_at=now_text(objects.clock.now()),
        phase=phase,
    )
