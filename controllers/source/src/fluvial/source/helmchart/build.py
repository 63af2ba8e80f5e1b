"""The action for a chart that is not stored yet: package, store, advertise."""

from pathlib import Path

from fluvial.apis.source import HelmChart
from fluvial.source.conditions import (
    ARTIFACT_OUTDATED,
    STORAGE_OPERATION_FAILED,
    advertise,
)
from fluvial.source.helmchart.files import Sizes
from fluvial.source.helmchart.jobs import PackageChart, PackagedChart
from fluvial.source.helmchart.state import Build, summary, values_files
from fluvial.source.helmchart.work import run
from fluvial.source.storage import Storage
from fluvial.toolkit import Context, Transient
from fluvial.toolkit.workers import WorkerPool

__all__ = ["LATEST", "Builder"]

LATEST = "latest.tar.gz"
"""The link to the newest chart; the name is upstream's."""


class Builder:
    """Packages in `workers`, and puts the result into `storage`."""

    def __init__(self, storage: Storage, workers: WorkerPool, sizes: Sizes) -> None:
        self._storage = storage
        self._workers = workers
        self._sizes = sizes

    async def build(
        self, ctx: Context[HelmChart], action: Build, tree: Path, room: Path, *, recovered: bool
    ) -> None:
        """Package the chart that was found in `tree`, store it, and advertise it.

        `room` is the attempt's own folder; `recovered` says that the last attempt failed: then
        people hear that all is well again. Raises ChartError, or Transient with
        StorageOperationFailed set.
        """
        obj, chart = ctx.obj, action.wanted
        before = obj.status.artifact
        if action.outdated or before is None:
            await self._announce(ctx, action)
        content = room / "packaged.tgz"
        request = PackageChart(
            tree=str(tree),
            path=obj.spec.chart,
            room=str(room),
            destination=str(content),
            version=chart.version,
            values_files=values_files(obj),
            ignore_missing=obj.spec.ignore_missing_values_files,
            sizes=self._sizes,
        )
        packaged = await run(self._workers, ctx, "package_chart", request, PackagedChart)
        file = f"{chart.name}-{chart.version}.tgz"
        try:
            artifact = await self._storage.put(obj, file, chart.version, content)
        except Transient as error:
            ctx.mark(STORAGE_OPERATION_FAILED, "True", error.reason, error.message)
            raise
        status = obj.status
        status.artifact = artifact
        status.observed_chart_name = chart.name
        merged = packaged.values_files
        status.observed_values_files = merged if obj.spec.ignore_missing_values_files else []
        status.url = await self._storage.link(obj, artifact, LATEST) or status.url
        message = summary(chart, merged)
        advertise(ctx, chart.reason, message)
        if before is None or before.digest != artifact.digest or recovered:
            facts = {"revision": artifact.revision, "digest": artifact.digest}
            ctx.event("Normal", chart.reason, message, facts)

    async def _announce(self, ctx: Context[HelmChart], action: Build) -> None:
        chart = action.wanted
        message = f"new '{chart.name}' chart with version '{chart.version}'"
        if action.outdated:
            ctx.mark(ARTIFACT_OUTDATED, "True", "NewChart", message)
        await ctx.progress(f"building artifact: {message}")
