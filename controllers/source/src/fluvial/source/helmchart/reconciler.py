"""The reconciler of HelmChart."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fluvial.apis.duration import parse_duration
from fluvial.apis.meta import Artifact
from fluvial.apis.source import HelmChart
from fluvial.source.conditions import (
    BUILD_FAILED,
    FETCH_FAILED,
    STORAGE_OPERATION_FAILED,
    failed_before,
)
from fluvial.source.flags import SourceFlags
from fluvial.source.helmchart.build import LATEST, Builder
from fluvial.source.helmchart.errors import ChartError
from fluvial.source.helmchart.files import Sizes
from fluvial.source.helmchart.jobs import FoundChart, InspectChart
from fluvial.source.helmchart.keep import keep
from fluvial.source.helmchart.source import artifact_of, tree_of
from fluvial.source.helmchart.state import Action, Build, Keep, State, decide, wanted
from fluvial.source.helmchart.work import run
from fluvial.source.storage import Storage, prefix
from fluvial.toolkit import Context, Key, ReconcileError, Result, Stalled, Transient, conditions
from fluvial.toolkit.artifacts import Fetcher
from fluvial.toolkit.workers import WorkerPool

__all__ = ["HelmChartReconciler"]


class HelmChartReconciler:
    """Turns a chart of a source into an artifact that Helm can load.

    `fetcher` unpacks artifacts, each once; `workers` read and package charts.
    """

    def __init__(
        self, flags: SourceFlags, storage: Storage, fetcher: Fetcher, workers: WorkerPool
    ) -> None:
        self._storage = storage
        self._fetcher = fetcher
        self._workers = workers
        self._sizes = Sizes(flags.helm_chart_max_size, flags.helm_chart_file_max_size)
        self._builder = Builder(storage, workers, self._sizes)
        self._found: dict[Key, tuple[str, str, FoundChart]] = {}

    async def reconcile(self, ctx: Context[HelmChart], obj: HelmChart) -> Result:
        """Observe, decide, act."""
        await self._storage.check(ctx, obj)
        obj.status.url = self._latest(obj)
        try:
            await self._reconcile(ctx, obj)
        except ChartError as error:
            raise _failed(ctx, error) from error
        except ReconcileError as error:
            # What was stored badly has its own condition; all else is about getting at the chart.
            if not conditions.is_true(obj, STORAGE_OPERATION_FAILED):
                conditions.delete(obj, BUILD_FAILED)
                ctx.mark(FETCH_FAILED, "True", error.reason, error.message)
            raise
        return Result(interval=parse_duration(obj.spec.interval))

    async def finalize(self, ctx: Context[HelmChart], obj: HelmChart) -> None:
        """Remove the artifacts."""
        await self._storage.remove(obj)
        self._found.pop(ctx.key, None)
        ctx.log.info("removed artifacts of a deleted object")

    async def _reconcile(self, ctx: Context[HelmChart], obj: HelmChart) -> None:
        recovered = failed_before(obj)
        conditions.delete(obj, STORAGE_OPERATION_FAILED)
        source = await artifact_of(ctx)
        obj.status.observed_source_artifact_revision = source.revision
        found = self._remembered(ctx, source)
        if found is not None:
            action = _decide(obj, found, source)
            if isinstance(action, Keep):
                keep(ctx, action, recovered=recovered)
                return
        async with (
            tree_of(obj, source, self._storage, self._fetcher) as tree,
            _folder() as room,
        ):
            found = await self._inspect(ctx, tree, room)
            match _decide(obj, found, source):
                case Keep() as action:
                    keep(ctx, action, recovered=recovered)
                case Build() as action:
                    await self._builder.build(ctx, action, tree, room, recovered=recovered)
        self._found[ctx.key] = (source.digest, obj.spec.chart, found)

    def _remembered(self, ctx: Context[HelmChart], source: Artifact) -> FoundChart | None:
        """Return what these very bytes were found to hold: an interval need not look again."""
        digest, path, found = self._found.get(ctx.key, ("", "", None))
        return found if (digest, path) == (source.digest, ctx.obj.spec.chart) else None

    async def _inspect(self, ctx: Context[HelmChart], tree: Path, room: Path) -> FoundChart:
        request = InspectChart(
            tree=str(tree), path=ctx.obj.spec.chart, room=str(room), sizes=self._sizes
        )
        return await run(self._workers, ctx, "inspect_chart", request, FoundChart)

    def _latest(self, obj: HelmChart) -> str:
        """Return the present address of the link to the newest chart, if there is one."""
        if obj.status.artifact is None or not obj.status.url:
            return ""
        return self._storage.url(f"{prefix(obj)}/{LATEST}")


def _decide(obj: HelmChart, found: FoundChart, source: Artifact) -> Action:
    stored = obj.status.artifact
    return decide(
        State(
            stored=(obj.status.observed_chart_name, stored.revision) if stored else None,
            wanted=wanted(obj, found, source.revision),
            edited=obj.metadata.generation != obj.status.observed_generation,
        )
    )


def _failed(ctx: Context[HelmChart], error: ChartError) -> ReconcileError:
    """Set the condition of an error, and give it its retry policy."""
    reason = type(error).__name__
    conditions.delete(ctx.obj, FETCH_FAILED, BUILD_FAILED)
    ctx.mark(error.condition, "True", reason, error.message)
    return (Stalled if error.persistent else Transient)(reason, error.message)


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    """Provide a folder for one attempt, removed off the loop."""
    folder = tempfile.TemporaryDirectory(prefix="chart-", ignore_cleanup_errors=True)
    try:
        yield Path(folder.name)
    finally:
        await asyncio.to_thread(folder.cleanup)
