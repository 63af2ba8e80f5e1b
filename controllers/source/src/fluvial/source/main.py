"""The source-controller process: `source-controller`, or `python -m fluvial.source`."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from fluvial.apis.kinds import GIT_REPOSITORY, HELM_CHART
from fluvial.apis.source import GitRepository, HelmChart
from fluvial.source.conditions import OWNED
from fluvial.source.flags import SourceFlags
from fluvial.source.git.command import GitCommand
from fluvial.source.git.identities import GitIdentities
from fluvial.source.gitrepository.includes import INDEX, includers, indexed
from fluvial.source.gitrepository.reconciler import GitRepositoryReconciler
from fluvial.source.helmchart import source as chart_source
from fluvial.source.helmchart.reconciler import HelmChartReconciler
from fluvial.source.storage import Storage
from fluvial.toolkit import Controller, Manager, Watch, artifact_changed, logger
from fluvial.toolkit import main as run
from fluvial.toolkit.artifacts import Fetcher
from fluvial.toolkit.clouds import TokenCache
from fluvial.toolkit.extensions import SOURCES, installed, load
from fluvial.toolkit.workers import WorkerPool

__all__ = [
    "FINALIZER",
    "NAME",
    "git_identities",
    "git_repositories",
    "helm_charts",
    "main",
    "setup",
]

NAME: Final = "source-controller"
FINALIZER: Final = "finalizers.fluxcd.io"
"""Equal to the Go controller's, so that either cleans up after the other."""

_JOBS: Final = ["fluvial.source.jobs", "fluvial.source.helmchart.jobs"]


class Scratch(NamedTuple):
    """Folders and threads for what blocks: `home` stands in for git's home and stays empty."""

    home: Path
    mirrors: Path
    fetched: Path
    executor: ThreadPoolExecutor


async def setup(manager: Manager[SourceFlags]) -> None:
    """Add the controllers of all source kinds, and the artifact server. Raises FlagError."""
    flags = manager.flags
    storage = Storage(flags)
    await manager.enter(storage.opened())
    manager.add_task("artifacts", storage.serve)
    scratch = await manager.enter(_entered(_scratch(flags)))
    workers = await manager.enter(WorkerPool(preload=_JOBS))
    fetcher = await manager.enter(Fetcher(scratch.fetched, retries=0))
    reconciler = GitRepositoryReconciler(
        storage,
        scratch.mirrors,
        GitCommand(scratch.home, scratch.executor),
        scratch.executor,
        workers,
        identities=git_identities(manager),
    )
    manager.add(git_repositories(reconciler))
    manager.add(helm_charts(HelmChartReconciler(flags, storage, fetcher, workers)))
    await _extend(manager, storage)


def git_identities(manager: Manager[SourceFlags]) -> GitIdentities:
    """Return who the objects of a manager are in clouds."""
    flags = manager.flags
    cache = TokenCache(
        flags.token_cache_max_size,
        longest=flags.token_cache_max_duration,
        clock=manager.clock,
        metrics=manager.metrics,
    )
    return GitIdentities(
        manager.client, cache, manager.clock, default_account=flags.default_service_account
    )


async def _extend(manager: Manager[SourceFlags], storage: Storage) -> None:
    """Add what installed extensions bring; one that is broken is named, and costs no other."""
    for found in installed(SOURCES):
        try:
            await load(found)(manager, storage)
        except Exception as error:  # noqa: BLE001 - of whoever wrote it
            logger("setup").error("a source is left out", error=error, extension=found.name)


def git_repositories(reconciler: GitRepositoryReconciler) -> Controller[GitRepository]:
    """Return the controller of GitRepository; an included one's new artifact wakes the others."""
    return Controller(
        GIT_REPOSITORY,
        reconciler,
        watches=[Watch(GIT_REPOSITORY, includers, artifact_changed)],
        indexes={INDEX: indexed},
        finalizer=FINALIZER,
        owned=OWNED,
    )


def helm_charts(reconciler: HelmChartReconciler) -> Controller[HelmChart]:
    """Return the controller of HelmChart; a source's new artifact wakes the charts made from it."""
    return Controller(
        HELM_CHART,
        reconciler,
        watches=[Watch(GIT_REPOSITORY, chart_source.charts_of, artifact_changed)],
        indexes={chart_source.INDEX: chart_source.indexed},
        finalizer=FINALIZER,
        owned=OWNED,
    )


@asynccontextmanager
async def _entered(scratch: AbstractContextManager[Scratch]) -> AsyncIterator[Scratch]:
    with scratch as entered:
        yield entered


@contextmanager
def _scratch(flags: SourceFlags) -> Iterator[Scratch]:
    threads = 2 * flags.concurrent + 2
    with (
        tempfile.TemporaryDirectory(prefix="source-controller-") as folder,
        ThreadPoolExecutor(threads, thread_name_prefix="git") as executor,
    ):
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        mirrors = Path(flags.git_mirror_path or Path(folder) / "mirrors")
        mirrors.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield Scratch(home, mirrors, Path(folder) / "fetched", executor)


def main() -> int:
    """Run until SIGTERM; returns the exit status."""
    return run(NAME, setup, SourceFlags)
