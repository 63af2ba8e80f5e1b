"""The way back: a release goes with its HelmRelease, or when the spec describes another one."""

from fluvial.helm import snapshots
from fluvial.helm.actions.uninstall import uninstall
from fluvial.helm.attempt import RELEASED, Release
from fluvial.helm.errors import HelmReleaseError
from fluvial.toolkit import ApiError, Transient, TransportError
from fluvial.toolkit.identity import Identity

__all__ = ["finalize", "remove_release"]


async def finalize(it: Release, identity: Identity) -> None:
    """Uninstall; raising keeps the finalizer.

    When the account that the release belongs to is gone, nothing is uninstalled with any other
    right: an event says what is left.
    """
    if await identity.is_gone():
        it.ctx.event(
            "Warning",
            "UninstallFailed",
            f"release {it.title} is left: ServiceAccount '{identity.account}' is gone",
        )
        return
    await remove_release(it)


async def remove_release(it: Release) -> None:
    """Uninstall a release and forget it. Raises Transient (UninstallFailed)."""
    status = it.obj.status
    newest = snapshots.latest(it.obj)
    text = snapshots.text_of(newest) if newest else f"release {it.title}"
    try:
        it.records = await it.storage.records()
        removed = await uninstall(it, "uninstall")
    except (HelmReleaseError, ApiError, TransportError) as error:
        message = f"Helm uninstall failed for {text}: {error}"
        it.ctx.mark(RELEASED, "False", "UninstallFailed", message)
        await it.ctx.patch_status()
        it.ctx.event("Warning", "UninstallFailed", message)
        failed = Transient("UninstallFailed", message)
        failed.told = True
        raise failed from error
    if removed is not None:
        message = f"Helm uninstall succeeded for {text}"
        it.ctx.mark(RELEASED, "False", "UninstallSucceeded", message)
        it.ctx.event("Normal", "UninstallSucceeded", message)
    status.history = []
    status.failures = status.install_failures = status.upgrade_failures = 0
    status.storage_namespace = ""
    status.inventory = None
