"""What one attempt at a GitRepository found, and what follows from it. Pure: no I/O."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from fluvial.apis.meta import Artifact
from fluvial.apis.source import GitRepository
from fluvial.source.git.reference import normalize_revision

__all__ = ["Action", "Build", "Keep", "State", "decide", "differences"]


class State(NamedTuple):
    """What is stored, and what should be.

    `stored` is the revision of an artifact whose file was found good, or None; `offered` the one
    that the reference stands for now; `differences` names the fields of the spec in which the
    stored artifact is not what is wanted.
    """

    stored: str | None
    offered: str
    differences: tuple[str, ...] = ()


class Keep(NamedTuple):
    """The stored artifact is the wanted one."""

    revision: str


class Build(NamedTuple):
    """An artifact has to be made.

    `outdated` is the reason of the ArtifactOutdated condition, or None when there is no artifact
    that could be; `message` says why, in that condition and while the work goes on.
    """

    revision: str
    outdated: str | None
    message: str


Action: TypeAlias = Keep | Build


def decide(state: State) -> Action:
    """Choose the action for a state."""
    if state.stored is None:
        return Build(state.offered, None, f"new upstream revision '{state.offered}'")
    if normalize_revision(state.stored) != state.offered:
        message = f"new upstream revision '{state.offered}'"
        return Build(state.offered, "NewRevision", message)
    if "include" in state.differences:
        return Build(state.offered, "IncludeChange", "included artifacts differ from last observed")
    if state.differences:
        return Build(state.offered, None, f"{', '.join(state.differences)} changed")
    return Keep(state.offered)


def differences(obj: GitRepository, included: Sequence[Artifact]) -> tuple[str, ...]:
    """Name the fields of the spec in which the stored artifact is not what is wanted."""
    spec, status = obj.spec, obj.status
    found = []
    if spec.ignore != status.observed_ignore:
        found.append("ignore")
    if spec.recurse_submodules != status.observed_recurse_submodules:
        found.append("recurseSubmodules")
    if spec.sparse_checkout != status.observed_sparse_checkout:
        found.append("sparseCheckout")
    if spec.include != status.observed_include or _known(included) != _known(
        status.included_artifacts
    ):
        found.append("include")
    return tuple(found)


def _known(artifacts: Sequence[Artifact]) -> list[tuple[str, str]]:
    return [(artifact.revision, artifact.digest) for artifact in artifacts]
