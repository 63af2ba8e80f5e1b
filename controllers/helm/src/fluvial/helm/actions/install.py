"""Install: the first revision of a release."""

from fluvial.apis import helm
from fluvial.apis.ids import Unstructured
from fluvial.helm import names
from fluvial.helm.actions import steps
from fluvial.helm.attempt import Attempt
from fluvial.helm.engine.objects import MANAGER
from fluvial.helm.errors import ActionFailed
from fluvial.helm.jobs import RenderReply
from fluvial.helm.storage import Record
from fluvial.toolkit import ApiError, Resource, TransportError

__all__ = ["install"]

_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)


async def install(it: Attempt) -> None:
    """Install the wanted chart. Raises ActionFailed, and ChartUnusable before anything is written.

    A record that an uninstall has kept stays in the way unless `install.replace` is set.
    """
    spec = it.obj.spec.install or helm.Install()
    last = it.records[0] if it.records else None
    if last is not None and not spec.replace:
        raise ActionFailed("cannot reuse a name that is still in use; set install.replace")
    revision = last.version + 1 if last else 1
    it.obj.status.history = []
    reply = await steps.render(it, revision, it.values, upgrade=False)
    await steps.define(it, reply, spec.crds)
    if spec.create_namespace and it.obj.spec.target_namespace:
        await _create_namespace(it)
    info = steps.stamp(it)
    info.status, info.description = "pending-install", "Initial install underway"
    record = steps.new_record(it, reply, revision, it.values, info)
    await steps.list_objects(it, reply.objects, reply.definitions)
    await it.create(record, "install", prune=False)
    try:
        await _deploy(it, record, reply, spec)
    except (ActionFailed, ApiError, TransportError) as error:
        record.info.status = "failed"
        record.info.description = f'Release "{record.name}" failed: {error}'
        await it.save(record)
        raise ActionFailed(str(error)) from error
    if last is not None:
        last.info.status, last.info.description = "superseded", "superseded by new release"
        await it.storage.update(last, it.ctx.now)
    record.info.status, record.info.description = "deployed", "Install complete"
    await it.save(record)
    await steps.conclude(it, reply.objects, reply.definitions)


async def _deploy(it: Attempt, record: Record, reply: RenderReply, spec: helm.Install) -> None:
    timeout = names.action_timeout(it.obj, spec.timeout)
    hooks = steps.hooks(it, record, timeout, disabled=spec.disable_hooks)
    await hooks("pre-install")
    await it.objects.apply(reply.objects, adopt=not spec.disable_take_ownership)
    if not spec.disable_wait:
        jobs = not spec.disable_wait_for_jobs
        await it.objects.wait_ready(reply.objects, timeout, jobs=jobs)
    await hooks("post-install")


async def _create_namespace(it: Attempt) -> None:
    name = it.obj.spec.target_namespace
    namespace: Unstructured = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"name": name}},
    }
    try:
        await it.objects.client.patch(
            _NAMESPACES, name, namespace, type="apply", field_manager=MANAGER, force=True
        )
    except (ApiError, TransportError) as error:
        raise ActionFailed(f"failed to create namespace {name}: {error}") from error
