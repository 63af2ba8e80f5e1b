"""The reconciler of HelmReleases: prerequisites, then the loop; and the way back."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from fluvial.apis.duration import parse_duration
from fluvial.apis.helm import HelmRelease
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.helm import names, snapshots
from fluvial.helm.attempt import Attempt, Release
from fluvial.helm.chart_template import reconcile_chart, remove_chart
from fluvial.helm.digests import config_digest
from fluvial.helm.engine.objects import MANAGER, Objects
from fluvial.helm.finalizing import finalize, remove_release
from fluvial.helm.flags import HelmFlags
from fluvial.helm.loop import release
from fluvial.helm.prerequisites import (
    check_dependencies,
    check_source,
    check_spec,
    observe_source,
)
from fluvial.helm.rendering import LoadedChart, Renderer
from fluvial.helm.requests import handle_requests
from fluvial.helm.state import Desired
from fluvial.helm.storage import Storage
from fluvial.helm.values import load_values
from fluvial.toolkit import Client, Context, ReconcileError, Result, Transient
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.dependencies import observe_dependencies
from fluvial.toolkit.identity import Identities, Identity
from fluvial.toolkit.remote import AccessMissing

__all__ = ["HelmReleaseReconciler"]

_RELEASES = resource_of_kind(HELM_RELEASE)


class HelmReleaseReconciler:
    """Installs and upgrades, with the identity and in the cluster that the spec names."""

    def __init__(self, renderer: Renderer, identities: Identities, flags: HelmFlags) -> None:
        self._renderer = renderer
        self._identities = identities
        self._flags = flags

    async def reconcile(self, ctx: Context[HelmRelease], obj: HelmRelease) -> Result:
        """Bring the release to the chart and values that are wanted."""
        forced, reset = handle_requests(obj)
        if problem := check_spec(obj, self._flags):
            raise problem
        await reconcile_chart(ctx, MANAGER)
        dependencies = await observe_dependencies(
            ctx.client, _RELEASES, obj.spec.depends_on, obj.metadata.namespace
        )
        if problem := check_dependencies(obj, ctx.raw, dependencies, self._flags):
            raise problem
        source = await observe_source(ctx.client, obj)
        ctx.revision = source.revision
        artifact = check_source(source)
        if isinstance(artifact, ReconcileError):
            raise artifact
        values = await load_values(ctx.client, obj)
        chart = await self._renderer.load(obj, artifact)
        async with self._acting(ctx) as identity:
            await self._release(ctx, identity.client, chart, values, forced=forced, reset=reset)
        return Result(interval=parse_duration(obj.spec.interval))

    async def _release(
        self,
        ctx: Context[HelmRelease],
        client: Client,
        chart: LoadedChart,
        values: dict[str, Any],
        *,
        forced: bool,
        reset: bool,
    ) -> None:
        """Release a chart with its values as `client`."""
        obj = ctx.obj
        desired = Desired(chart.name, chart.version, config_digest(values))
        if _moved(obj, chart):
            await remove_release(self._past(ctx, client))
        elif reset or _changed(obj, desired):
            obj.status.failures = obj.status.install_failures = obj.status.upgrade_failures = 0
        obj.status.storage_namespace = names.storage_namespace(obj)
        obj.status.last_attempted_generation = obj.metadata.generation
        obj.status.last_attempted_revision = desired.chart_version
        obj.status.last_attempted_config_digest = desired.config_digest
        obj.status.last_attempted_values_checksum = ""
        name, namespace = names.release_name(obj), names.release_namespace(obj)
        attempt = Attempt(
            ctx=ctx,
            flags=self._flags,
            storage=Storage(client, names.storage_namespace(obj), name, MANAGER),
            objects=Objects(client, name, namespace, ctx.clock, obj),
            renderer=self._renderer,
            chart=chart,
            values=values,
            desired=desired,
            forced=forced,
        )
        try:
            await release(attempt)
        except ReconcileError as error:
            error.metadata = error.metadata or attempt.metadata
            raise

    async def finalize(self, ctx: Context[HelmRelease], obj: HelmRelease) -> None:
        """Uninstall the release and delete the HelmChart, unless the object is suspended.

        A release in a remote cluster is left where the Secret that leads there is gone, as
        upstream does: nobody can reach it any more.
        """
        if obj.spec.suspend:
            return
        if obj.status.storage_namespace:
            try:
                async with self._acting(ctx) as identity:
                    await finalize(self._past(ctx, identity.client), identity)
            except Transient as error:
                if not isinstance(error.__cause__, AccessMissing):
                    raise
                title = f"{names.release_namespace(obj)}/{names.release_name(obj)}"
                message = f"release {title} is left: {error.message}"
                ctx.event("Warning", "UninstallFailed", message)
        await remove_chart(ctx)

    def _acting(self, ctx: Context[HelmRelease]) -> AbstractAsyncContextManager[Identity]:
        spec = ctx.obj.spec
        return self._identities.acting(ctx, spec.service_account_name, spec.kube_config)

    def _past(self, ctx: Context[HelmRelease], client: Client) -> Release:
        """Return the release as it was last made, which the spec may no longer describe."""
        obj = ctx.obj
        newest = snapshots.latest(obj)
        name = newest.name if newest else names.release_name(obj)
        namespace = newest.namespace if newest else names.release_namespace(obj)
        storage = obj.status.storage_namespace or names.storage_namespace(obj)
        return Release(
            ctx=ctx,
            flags=self._flags,
            storage=Storage(client, storage, name, MANAGER),
            objects=Objects(client, name, namespace, ctx.clock, obj),
            renderer=self._renderer,
        )


def _changed(obj: HelmRelease, desired: Desired) -> bool:
    """Whether there is something new to try, so that earlier failures no longer count."""
    status = obj.status
    return (
        obj.metadata.generation,
        desired.chart_version,
        desired.config_digest,
    ) != (
        status.last_attempted_generation,
        status.last_attempted_revision,
        status.last_attempted_config_digest,
    )


def _moved(obj: HelmRelease, chart: LoadedChart) -> bool:
    """Whether the spec now describes another release than the one that was made."""
    newest, storage = snapshots.latest(obj), obj.status.storage_namespace
    if storage and storage != names.storage_namespace(obj):
        return True
    if newest is None:
        return False
    upgrade = obj.spec.upgrade
    in_place = upgrade is not None and upgrade.chart_name_change_strategy == "InPlaceUpdate"
    return (
        newest.name != names.release_name(obj)
        or newest.namespace != names.release_namespace(obj)
        or (newest.chart_name != chart.name and not in_place)
    )
