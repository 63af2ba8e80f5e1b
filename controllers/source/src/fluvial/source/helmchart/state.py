"""What one attempt at a HelmChart found, and what follows from it. Pure: no I/O."""

import posixpath
from typing import NamedTuple, TypeAlias

from fluvial.apis.source import HelmChart
from fluvial.source.git.reference import normalize_revision
from fluvial.source.helmchart.errors import MetadataPatchError
from fluvial.source.helmchart.jobs import FoundChart
from fluvial.source.semver import coerce_version

__all__ = [
    "Action",
    "Build",
    "Keep",
    "State",
    "Wanted",
    "decide",
    "summary",
    "values_files",
    "wanted",
]

_HASH_LENGTH = 12
"""Upstream's; a version ends up in labels, which hold 63 characters."""


class Wanted(NamedTuple):
    """The chart as it is to be offered; `packaged` unless its file is copied unchanged."""

    name: str
    version: str
    packaged: bool

    @property
    def reason(self) -> str:
        """The reason of Ready and ArtifactInStorage, and of the event."""
        return "ChartPackageSucceeded" if self.packaged else "ChartPullSucceeded"


class State(NamedTuple):
    """What is stored, and what should be.

    `stored` is the name and version of a chart whose file was found good, or None; `edited` says
    that the spec changed since the last result.
    """

    stored: tuple[str, str] | None
    wanted: Wanted
    edited: bool


class Keep(NamedTuple):
    """The stored chart is the wanted one."""

    wanted: Wanted


class Build(NamedTuple):
    """A chart has to be packaged; `outdated` says that another one is stored."""

    wanted: Wanted
    outdated: bool


Action: TypeAlias = Keep | Build


def decide(state: State) -> Action:
    """Choose the action for a state."""
    same = state.stored == (state.wanted.name, state.wanted.version)
    if same and not state.edited:
        return Keep(state.wanted)
    return Build(state.wanted, outdated=state.stored is not None and not same)


def wanted(obj: HelmChart, found: FoundChart, revision: str) -> Wanted:
    """Say what the spec makes of the chart that was found at a revision of the source.

    Raises MetadataPatchError.
    """
    suffix = _suffix(obj, revision)
    if not suffix:
        return Wanted(found.name, found.version, found.is_folder)
    version = coerce_version(found.version)
    if version is None:
        raise MetadataPatchError(f"version '{found.version}' is no semantic version")
    return Wanted(found.name, str(version.replace(build=suffix)), packaged=True)


def values_files(obj: HelmChart) -> list[str]:
    """Return the values files to merge; the chart's own values alone are no merge."""
    files = obj.spec.values_files
    return [] if [posixpath.normpath(file) for file in files] == ["values.yaml"] else files


def summary(chart: Wanted, merged: list[str]) -> str:
    """Describe a chart for people, in upstream's words."""
    done = "packaged" if chart.packaged else "pulled"
    text = f"{done} '{chart.name}' chart with version '{chart.version}'"
    return f"{text} and merged values files [{' '.join(merged)}]" if merged else text


def _suffix(obj: HelmChart, revision: str) -> str:
    """Return the build metadata that makes consumers see a change which the version hides."""
    parts = []
    if obj.spec.reconcile_strategy == "Revision":
        parts.append(normalize_revision(revision).rpartition(":")[2][:_HASH_LENGTH])
    if values_files(obj):
        parts.append(str(obj.metadata.generation))
    return ".".join(parts)
