"""The process: `python -m fluvial.kustomize`, or the command kustomize-controller."""

from typing import Final

from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.kustomize import Kustomization
from fluvial.kustomize.attempt import HEALTHY
from fluvial.kustomize.building import Builder
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.jobs import BUILD_JOB
from fluvial.kustomize.proofs import Proofs
from fluvial.kustomize.reconciler import MANAGER, KustomizationReconciler
from fluvial.kustomize.references import (
    CONFIGS,
    DEPENDENCIES,
    SOURCE_KINDS,
    SOURCES,
    applied,
    configs_of,
    source_of,
)
from fluvial.toolkit import Controller, Manager, Watch, artifact_changed
from fluvial.toolkit import main as run_manager
from fluvial.toolkit.identity import Identities, enter_identities
from fluvial.toolkit.references import config_watches, dependencies_of, users
from fluvial.toolkit.rendering import enter_rendering

__all__ = ["FINALIZER", "controller", "main", "setup", "watches"]

FINALIZER: Final = "finalizers.fluxcd.io"
"""Equal to the Go controller's, so that either cleans up after the other."""

_LONGEST: Final = 86400.0
"""Seconds of an attempt: health checks take as long as `spec.timeout` says, which may be hours."""


async def setup(manager: Manager[KustomizeFlags]) -> None:
    """Add the controller of Kustomizations to a manager, and what it holds on to."""
    flags = manager.flags
    fetcher, pool = await enter_rendering(manager, MANAGER, BUILD_JOB, flags.http_retry)
    identities = await enter_identities(manager, "ReconciliationFailed")
    proofs = Proofs(flags, watches(flags), MANAGER)
    manager.add_task("proofs", proofs.run)
    manager.add(controller(Builder(fetcher, pool, flags), identities, flags, proofs))


def controller(
    builder: Builder, identities: Identities, flags: KustomizeFlags, proofs: Proofs
) -> Controller[Kustomization]:
    """Make the controller: what it owns, and what wakes it; `proofs` is to be run beside it."""
    return Controller(
        KUSTOMIZATION,
        KustomizationReconciler(builder, identities, flags, proofs),
        finalizer=FINALIZER,
        owned=[HEALTHY],
        manager=f"gotk-{MANAGER}",
        watches=watches(flags),
        indexes={
            SOURCES: source_of,
            DEPENDENCIES: dependencies_of(KUSTOMIZATION),
            CONFIGS: configs_of,
        },
        timeout=_LONGEST,
    )


def watches(flags: KustomizeFlags) -> list[Watch]:
    """List what wakes Kustomizations besides themselves."""
    found = [
        Watch(kind, users(name, SOURCES), artifact_changed)
        for name, kind in SOURCE_KINDS.items()
        if name != "ExternalArtifact" or flags.enabled("ExternalArtifact")
    ]
    found.append(Watch(KUSTOMIZATION, users(KUSTOMIZATION.kind, DEPENDENCIES), applied))
    return found + config_watches(CONFIGS, flags)


def main() -> int:
    """Be the kustomize-controller; returns the exit status."""
    return run_manager(MANAGER, setup, KustomizeFlags)
