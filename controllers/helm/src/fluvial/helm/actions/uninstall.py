"""Uninstall: everything of a release goes, and its records unless they are to be kept."""

from typing import Final

from fluvial.apis import helm
from fluvial.helm import names
from fluvial.helm.actions import steps
from fluvial.helm.attempt import Release
from fluvial.helm.storage import Record, now_text
from fluvial.toolkit.client import Propagation

__all__ = ["uninstall"]

_PROPAGATION: Final[dict[str, Propagation]] = {
    "background": "Background",
    "foreground": "Foreground",
    "orphan": "Orphan",
}


async def uninstall(it: Release, action: str) -> Record | None:
    """Uninstall; returns the record as it was last, None when there was nothing to uninstall.

    `action` is `uninstall` or `uninstall-remediation`, for the history. Raises ActionFailed.
    """
    if not it.records:
        return None
    spec = it.obj.spec.uninstall or helm.Uninstall()
    record = it.records[0]
    if record.status != "uninstalled":
        await _remove(it, record, spec, action)
    if not spec.keep_history:
        for one in it.records:
            await it.storage.delete(one.version)
    it.obj.status.inventory = None
    return record


async def _remove(it: Release, record: Record, spec: helm.Uninstall, action: str) -> None:
    timeout = names.action_timeout(it.obj, spec.timeout)
    record.info.status = "uninstalling"
    record.info.description = "Deletion in progress (or silently failed)"
    record.info.deleted = now_text(it.ctx.now)
    await it.storage.update(record, it.ctx.now)
    it.observe(record, action)
    hooks = steps.hooks(it, record, timeout, disabled=spec.disable_hooks)
    await hooks("pre-delete")
    objects = await it.parse(record.manifest)
    gone = await it.objects.delete(
        objects, propagation=_PROPAGATION[spec.deletion_propagation or "background"]
    )
    if not spec.disable_wait:
        await it.objects.wait_gone(gone, timeout)
    await hooks("post-delete")
    record.info.status, record.info.description = "uninstalled", "Uninstallation complete"
    if spec.keep_history:
        for one in it.records[1:]:
            if one.status == "deployed":
                one.info.status = "superseded"
                await it.save(one)
    await it.save(record)
