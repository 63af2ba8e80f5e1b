"""What runs in worker processes: finding a chart in a source's tree, and packaging it.

A JobError has the reason of a `ChartError` as its type.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from fluvial.render.yaml import dump, load
from fluvial.source.helmchart.dependencies import add_missing
from fluvial.source.helmchart.errors import (
    ChartError,
    ChartPackageError,
    ChartPullError,
    InvalidChartReference,
)
from fluvial.source.helmchart.files import ChartFiles, ChartUnreadable, Sizes, inside
from fluvial.source.helmchart.metadata import CHART_FILE, ChartMetadata
from fluvial.source.helmchart.values import merge_files
from fluvial.toolkit.artifacts import ArchiveRejected, Entry, pack_file
from fluvial.toolkit.workers import JobError

__all__ = [
    "FoundChart",
    "InspectChart",
    "PackageChart",
    "PackagedChart",
    "inspect_chart",
    "package_chart",
]

_INSPECTED, _UNPACKED = "inspected", "unpacked"


class InspectChart(msgspec.Struct, frozen=True):
    """Look for a chart in the unpacked artifact `tree` of a source.

    `path` is its place there: a folder, or a packaged chart, which is unpacked into the folder
    `room`.
    """

    tree: str
    path: str
    room: str
    sizes: Sizes = Sizes()


class FoundChart(msgspec.Struct, frozen=True):
    """The chart's name and version as its metadata has them, and whether it is a folder."""

    name: str
    version: str
    is_folder: bool


class PackageChart(msgspec.Struct, frozen=True):
    """Package the chart that was inspected, as `version`, into the new file `destination`.

    With `values_files` their merge replaces values.yaml. Without them, a packaged chart of this
    very version is copied as it is.
    """

    tree: str
    path: str
    room: str
    destination: str
    version: str
    values_files: list[str] = []
    ignore_missing: bool = False
    sizes: Sizes = Sizes()


class PackagedChart(msgspec.Struct, frozen=True):
    """The values files that were merged."""

    values_files: list[str]


def inspect_chart(request: InspectChart) -> FoundChart:
    """Find the chart and read its metadata."""
    with _told():
        place = inside(Path(request.tree), request.path)
        if place.is_dir():
            # The metadata alone: whether all can be loaded is a question of packaging.
            names = (CHART_FILE, "requirements.yaml")
            files = {
                name: (place / name).read_bytes() for name in names if (place / name).is_file()
            }
        elif place.is_file():
            try:
                files = ChartFiles.from_archive(
                    place, Path(request.room) / _INSPECTED, request.sizes
                ).files
            except ChartUnreadable as error:
                raise InvalidChartReference(f"chart at '{request.path}': {error}") from error
        else:
            raise InvalidChartReference(f"no chart found at path '{request.path}' of the source")
        try:
            metadata = ChartMetadata.of(files)
        except InvalidChartReference as error:
            raise InvalidChartReference(f"chart at '{request.path}': {error}") from error
    return FoundChart(metadata.name, metadata.version, place.is_dir())


def package_chart(request: PackageChart) -> PackagedChart:
    """Package it, or copy it where nothing is to be changed."""
    root = Path(request.tree)
    place = inside(root, request.path)
    with _told():
        if place.is_dir():
            chart = _loaded(lambda: ChartFiles.from_folder(place, request.sizes))
        else:
            room = Path(request.room) / _UNPACKED
            chart = _loaded(lambda: ChartFiles.from_archive(place, room, request.sizes))
            if not request.values_files and _metadata(chart).version == request.version:
                _copy(place, Path(request.destination))
                return PackagedChart([])
        merged: list[str] = []
        if request.values_files:
            text, merged = merge_files(
                root, request.values_files, ignore_missing=request.ignore_missing
            )
            chart.files["values.yaml"] = text
        metadata = _metadata(chart)
        if metadata.version != request.version:
            written = {**load(chart.files[CHART_FILE]), "version": request.version}
            chart.files[CHART_FILE] = dump(written).encode()
        if place.is_dir():
            add_missing(chart, root, request.path, request.sizes)
        _pack(chart, metadata.name, Path(request.destination))
    return PackagedChart(merged)


def _metadata(chart: ChartFiles) -> ChartMetadata:
    try:
        return ChartMetadata.of(chart.files)
    except InvalidChartReference as error:
        raise ChartPackageError(str(error)) from error


def _loaded(read: Callable[[], ChartFiles]) -> ChartFiles:
    try:
        return read()
    except ChartUnreadable as error:
        raise ChartPackageError(str(error)) from error


def _copy(source: Path, destination: Path) -> None:
    try:
        shutil.copyfile(source, destination)
    except OSError as error:
        raise ChartPullError(str(error)) from error


def _pack(chart: ChartFiles, name: str, destination: Path) -> None:
    """Write files only, as Helm does, below a folder of the chart's name."""
    paths = sorted(chart.files, key=lambda path: path.encode(errors="surrogateescape").split(b"/"))
    try:
        pack_file((Entry.file(f"{name}/{path}", chart.files[path]) for path in paths), destination)
    except (ArchiveRejected, OSError) as error:
        raise ChartPackageError(str(error)) from error


@contextmanager
def _told() -> Iterator[None]:
    """Send a ChartError to the controller under its own name."""
    try:
        yield
    except ChartError as error:
        raise JobError(type(error).__name__, str(error)) from error
