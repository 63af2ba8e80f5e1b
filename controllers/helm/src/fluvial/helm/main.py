"""The process: `python -m fluvial.helm`, or the command helm-controller."""

import asyncio
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
)
from fluvial.helm.rendering import Renderer
from fluvial.helm.template_cache import template_folder
from fluvial.toolkit import (
    Controller,
    Manager,
    Watch,
    artifact_changed,
    either,
    ready_changed,
)
from fluvial.toolkit import main as run_manager
from fluvial.toolkit.identity import Identities, enter_identities
from fluvial.toolkit.references import config_watches, dependencies_of, users
from fluvial.toolkit.rendering import enter_rendering

__all__ = ["FINALIZER", "controller", "main", "setup"]

FINALIZER: Final = "finalizers.fluxcd.io"
"""Equal to the Go controller's, so that either cleans up after the other."""

_LONGEST: Final = 86400.0
"""Seconds of an attempt: each operation takes as long as the spec's timeouts say."""


async def setup(manager: Manager[HelmFlags]) -> None:
    """Add the controller of HelmReleases to a manager, and what it holds on to."""
    flags = manager.flags
    fetcher, pool = await enter_rendering(manager, MANAGER, RENDER_JOB, flags.http_retry)
    identities = await enter_identities(manager, "RESTClientError")
    templates = await asyncio.to_thread(template_folder, flags.template_cache)
    renderer = Renderer(fetcher, pool, flags, templates)
    manager.add(controller(renderer, identities, flags))


def controller(
    renderer: Renderer, identities: Identities, flags: HelmFlags
) -> Controller[HelmRelease]:
    """Make the controller: what it owns, and what wakes it."""
    return Controller(
        HELM_RELEASE,
        HelmReleaseReconciler(renderer, identities, flags),
        finalizer=FINALIZER,
        owned=[RELEASED, REMEDIATED],
        watches=_watches(flags),
        indexes={
            CHARTS: chart_of,
            DEPENDENCIES: dependencies_of(HELM_RELEASE),
            CONFIGS: configs_of,
        },
        timeout=_LONGEST,
    )


def _watches(flags: HelmFlags) -> list[Watch]:
    found = [
        Watch(kind, users(name, CHARTS), either(artifact_changed, ready_changed))
        for name, kind in CHART_KINDS.items()
        if name != "ExternalArtifact" or flags.enabled("ExternalArtifact")
    ]
    found.append(Watch(HELM_RELEASE, users(HELM_RELEASE.kind, DEPENDENCIES), ready_changed))
    return found + config_watches(CONFIGS, flags)


def main() -> int:
    """Be the helm-controller; returns the exit status."""
    return run_manager(MANAGER, setup, HelmFlags)
