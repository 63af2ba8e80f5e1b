"""Steps that several actions have: rendering into a record, hooks, and how a record ends."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from fluvial.apis.ids import Unstructured
from fluvial.helm import names
from fluvial.helm.attempt import Attempt, Release
from fluvial.helm.engine.definitions import apply_definitions
from fluvial.helm.engine.hooks import run_hooks
from fluvial.helm.errors import ActionFailed
from fluvial.helm.jobs import RenderReply
from fluvial.helm.rendering import capabilities_of
from fluvial.helm.storage import Info, Record, now_text
from fluvial.render.helm.flux import release_of
from fluvial.toolkit.apply import Inventory

__all__ = ["conclude", "define", "hooks", "list_objects", "new_record", "render", "stamp"]


async def render(
    it: Attempt, revision: int, values: dict[str, Any], *, upgrade: bool
) -> RenderReply:
    """Render the wanted chart. Raises ChartUnusable; nothing was written then."""
    facts = release_of(it.obj, revision, upgrade=upgrade)
    capabilities = await capabilities_of(it.objects.client)
    return await it.renderer.render(it.obj, it.chart, values, facts, capabilities)


def new_record(
    it: Attempt, reply: RenderReply, revision: int, values: dict[str, Any], info: Info
) -> Record:
    """Make the record of what was rendered."""
    return Record(
        name=names.release_name(it.obj),
        namespace=names.release_namespace(it.obj),
        version=revision,
        info=msgspec.structs.replace(info, notes=reply.notes),
        chart=msgspec.json.decode(reply.chart),
        config=values or None,
        manifest=reply.manifest,
        hooks=reply.hooks,
        apply_method="ssa",
    )


async def list_objects(it: Release, *parts: list[Unstructured]) -> None:
    """Put everything that may exist from now on into the inventory; written with the record."""
    before = Inventory.from_status(it.obj.status.inventory)
    inventory = await it.objects.inventory(obj for part in parts for obj in part)
    it.obj.status.inventory = before.union(inventory).to_status()


async def conclude(it: Release, *parts: list[Unstructured]) -> None:
    """Let the inventory list exactly what the release has now."""
    inventory = await it.objects.inventory(obj for part in parts for obj in part)
    it.obj.status.inventory = inventory.to_status()


async def define(it: Attempt, reply: RenderReply, policy: str) -> None:
    """Apply the chart's definitions. Raises ActionFailed."""
    for path in reply.skipped:
        it.ctx.log.info("not a CustomResourceDefinition, skipped", file=path)
    await apply_definitions(it.objects, reply.definitions, policy, it.obj)


def hooks(
    it: Release, record: Record, timeout: float, *, disabled: bool
) -> Callable[[str], Awaitable[None]]:
    """Return what runs the hooks of an event, or nothing where they are disabled."""

    async def parse(manifest: str) -> Unstructured:
        found = await it.parse(manifest)
        if len(found) != 1:
            raise ActionFailed("a hook must be one object")
        return found[0]

    async def run(event: str) -> None:
        if not disabled:
            await run_hooks(
                it.objects,
                record,
                event,
                timeout,
                parse=parse,
                save=lambda: it.save(record),
                obj=it.obj,
            )

    return run


def stamp(it: Release, first: str = "") -> Info:
    """Return the times of a record that is made now."""
    now = now_text(it.ctx.now)
    return Info(first_deployed=first or now, last_deployed=now)
