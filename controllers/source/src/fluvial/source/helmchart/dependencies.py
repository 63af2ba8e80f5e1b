"""Dependencies of a chart that are not in its `charts/` folder.

What is in `charts/` stays as it is. Of the rest, those that name a path (`file://../lib`) are taken
from the source; those of repositories are not fetched.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fluvial.source.helmchart.errors import DependencyBuildError, InvalidChartReference
from fluvial.source.helmchart.files import ChartFiles, ChartUnreadable, Sizes, inside
from fluvial.source.helmchart.metadata import ChartMetadata, Dependency, Lock, read_yaml
from fluvial.source.semver import Constraint, ConstraintInvalid, coerce_version

__all__ = ["add_missing"]

_LOCAL = "file://"
_FOLDER = "charts/"


def add_missing(chart: ChartFiles, root: Path, path: str, sizes: Sizes) -> None:
    """Put the dependencies that are missing into a chart at `path` of the source `root`.

    A lock file says what is needed, or else the chart's metadata. Raises DependencyBuildError.
    """
    needed = _needed(chart)
    if not needed:
        return
    present = {name.partition("/")[0] for name in chart.files if name.startswith(_FOLDER)}
    names = set(_vendored(chart, sizes)) if present else set()
    for dependency in needed:
        if dependency.name not in names:
            _add(chart, dependency, root, path, sizes)


def _needed(chart: ChartFiles) -> list[Dependency]:
    try:
        metadata = ChartMetadata.of(chart.files)
        name = "Chart.lock" if metadata.api_version == "v2" else "requirements.lock"
        lock = read_yaml(chart.files[name], name, Lock) if name in chart.files else metadata
    except InvalidChartReference as error:
        raise DependencyBuildError(str(error)) from error
    return lock.dependencies or []


def _vendored(chart: ChartFiles, sizes: Sizes) -> Iterator[str]:
    """Name the charts in `charts/`; Helm does not look at what starts with `_` or a dot."""
    for path, data in chart.files.items():
        parts = path.split("/")
        if parts[0] != "charts" or len(parts) < 2 or parts[1][0] in "._":
            continue
        try:
            if len(parts) == 2 and path.endswith(".tgz"):
                yield _packaged(data, sizes).name
            elif len(parts) == 3 and parts[2] == "Chart.yaml":
                yield read_yaml(data, path, ChartMetadata).name
        except (ChartUnreadable, InvalidChartReference) as error:
            raise DependencyBuildError(f"cannot load {path}: {error}") from error


def _packaged(data: bytes, sizes: Sizes) -> ChartMetadata:
    with tempfile.TemporaryDirectory(prefix="dependency-") as folder:
        archive = Path(folder) / "chart.tgz"
        archive.write_bytes(data)
        return ChartMetadata.of(
            ChartFiles.from_archive(archive, Path(folder) / "unpacked", sizes).files
        )


def _add(chart: ChartFiles, dependency: Dependency, root: Path, path: str, sizes: Sizes) -> None:
    name, repository = dependency.name, dependency.repository
    if not repository.startswith(_LOCAL):
        origin = f"repository '{repository}'" if repository else "no repository"
        raise DependencyBuildError(
            f"dependency '{name}' with {origin} is not in charts/, and dependencies are not "
            "fetched yet: commit what `helm dependency build` puts there"
        )
    place = inside(root, f"{path}/{repository.removeprefix(_LOCAL)}")
    shown = PurePosixPath(place.relative_to(root))
    if not place.is_dir():
        raise DependencyBuildError(f"dependency '{name}': no chart found at '{shown}'")
    try:
        found = ChartFiles.from_folder(place, sizes)
        metadata = ChartMetadata.of(found.files)
        constraint = Constraint.parse(dependency.version or "*")
    except (ChartUnreadable, InvalidChartReference, ConstraintInvalid) as error:
        raise DependencyBuildError(f"dependency '{name}' at '{shown}': {error}") from error
    version = coerce_version(metadata.version)
    if version is None or not constraint.check(version):
        raise DependencyBuildError(
            f"dependency '{name}': version '{metadata.version}' at '{shown}' is not in the range "
            f"'{dependency.version}'"
        )
    for file, data in found.files.items():
        chart.files[f"{_FOLDER}{metadata.name}/{file}"] = data
