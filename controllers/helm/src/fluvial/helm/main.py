"""The process: `python -m fluvial.helm`, or the command helm-controller."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fluvial.apis.helm import HelmRelease
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.helm.attempt import RELEASED, REMEDIATED
from fluvial.helm.engine.objects import MANAGER
from fluvial.helm.flags import HelmFlags
from fluvial.helm.jobs import RENDER_JOB
from fluvial.helm.reconciler import HelmReleaseReconciler
from fluvial.helm.references import (
    CHART_KINDS,
    CHARTS,
    CONFIGS,
    DEPENDENCIES,
    chart_of,
    configs_of,
    dependencies_of,
    users,
)
from fluvial.helm.rendering import Renderer
from fluvial.helm.values import CONFIG_MAP, SECRET
from fluvial.toolkit import (
    Controller,
    Manager,
    Watch,
    artifact_changed,
    either,
    ready_changed,
)
from fluvial.toolkit import main as run_manager
from fluvial.toolkit.artifacts import Fetcher
from fluvial.toolkit.workers import WorkerPool

__all__ = ["FINALIZER", "controller", "main", "setup"]

FINALIZER: Final = "finalizers.fluxcd.io"
"""Equal to the Go controller's, so that either cleans up after the other."""

_LONGEST: Final = 86400.0
"""Seconds of an attempt: each operation takes as long as the spec's timeouts say."""


async def setup(manager: Manager[HelmFlags]) -> None:
    """Add the controller of HelmReleases to a manager, and what it holds on to."""
    flags = manager.flags
    cache = await manager.enter(_directory())
    fetcher = await manager.enter(Fetcher(cache / "artifacts", retries=flags.http_retry))
    pool = await manager.enter(WorkerPool(preload=[RENDER_JOB.partition(":")[0]]))
    manager.add(controller(Renderer(fetcher, pool, flags), flags))


def controller(renderer: Renderer, flags: HelmFlags) -> Controller[HelmRelease]:
    """Make the controller: what it owns, and what wakes it."""
    return Controller(
        HELM_RELEASE,
        HelmReleaseReconciler(renderer, flags),
        finalizer=FINALIZER,
        owned=[RELEASED, REMEDIATED],
        watches=_watches(flags),
        indexes={CHARTS: chart_of, DEPENDENCIES: dependencies_of, CONFIGS: configs_of},
        timeout=_LONGEST,
    )


def _watches(flags: HelmFlags) -> list[Watch]:
    found = [
        Watch(kind, users(name, CHARTS), either(artifact_changed, ready_changed))
        for name, kind in CHART_KINDS.items()
        if name != "ExternalArtifact" or flags.enabled("ExternalArtifact")
    ]
    found.append(Watch(HELM_RELEASE, users(HELM_RELEASE.kind, DEPENDENCIES), ready_changed))
    if not flags.enabled("DisableConfigWatchers"):
        found += [
            Watch(
                resource,
                users(resource.kind, CONFIGS),
                label_selector=flags.watch_configs_label_selector,
                metadata_only=True,
            )
            for resource in (CONFIG_MAP, SECRET)
        ]
    return found


@asynccontextmanager
async def _directory() -> AsyncIterator[Path]:
    """Provide a private folder that goes with the process."""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix=f"{MANAGER}-")
    try:
        yield Path(folder.name)
    finally:
        await asyncio.to_thread(folder.cleanup)


def main() -> int:
    """Be the helm-controller; returns the exit status."""
    return run_manager(MANAGER, setup, HelmFlags)
