"""A chart by whatever names it, with the dependencies that it needs.

What is on the disk is read here; the modules that ask servers are imported only where one is.
"""

import sys
from pathlib import Path
from typing import Final, NamedTuple

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.settings import ChartSettings
from fluvial.cli.build.charts.verifying import verify
from fluvial.render.helm import Chart, HelmVersion, load_chart, missing_dependencies
from fluvial.render.kustomize import DiskTree

__all__ = ["Loaded", "load", "tell_deprecated", "with_dependencies"]

_LARGEST_PACKAGE: Final = 100 << 20


class Loaded(NamedTuple):
    """A chart, and its folder unless it was a package."""

    chart: Chart
    """The chart."""
    folder: Path | None = None
    """Where it lies."""


def load(place: str, settings: ChartSettings, rules: HelmVersion) -> Loaded:
    """Load what is on the disk at `place`, else what helm would fetch by this name.

    Raises ChartUnavailable and ChartError.
    """
    settings.check()
    place = place.strip()
    if not settings.repo:
        path = Path(place)
        if place and path.exists():
            return _load_path(path.resolve(), settings, rules)
        if path.is_absolute() or place.startswith("."):
            raise ChartUnavailable(f'path "{place}" not found')
    from fluvial.cli.build.charts.locating import fetch_chart  # noqa: PLC0415  (see above)

    return Loaded(load_chart(fetch_chart(place, settings), rules))


def _load_path(path: Path, settings: ChartSettings, rules: HelmVersion) -> Loaded:
    if path.is_dir():
        if settings.verify:
            raise ChartUnavailable("unpacked charts cannot be verified")
        return Loaded(load_chart(DiskTree(path), rules), path)
    if path.stat().st_size > _LARGEST_PACKAGE:
        raise ChartUnavailable(f"the chart archive is larger than {_LARGEST_PACKAGE} bytes")
    package = path.read_bytes()
    if settings.verify:
        proof = path.with_name(f"{path.name}.prov")
        if path.suffix.lower() != ".tgz":
            raise ChartUnavailable("chart must be a tgz file")
        if not proof.exists():
            raise ChartUnavailable(
                f"could not load provenance file {proof}: stat {proof}: no such file or directory"
            )
        verify(package, proof.read_bytes(), path.name, settings)
    return Loaded(load_chart(package, rules))


def with_dependencies(
    loaded: Loaded, settings: ChartSettings, rules: HelmVersion, *, update: bool, build: bool
) -> Chart:
    """Return the chart, with charts/ filled before if `update` or `build` say so.

    `update` chooses versions, as `helm template --dependency-update` does, and only when something
    is missing; `build` always takes what the lock file names. Raises ChartUnavailable, ChartError.
    """
    chart, folder = loaded
    if chart.is_library or not (build or (update and missing_dependencies(chart))):
        return chart
    if folder is None:
        raise ChartUnavailable("only unpacked charts can be updated")
    from fluvial.cli.build.charts.dependencies import (  # noqa: PLC0415  (see above)
        build_dependencies,
        update_dependencies,
    )

    if build:
        build_dependencies(folder, chart, settings, lambda text: sys.stderr.write(f"{text}\n"))
    else:
        update_dependencies(folder, chart, settings, lambda text: sys.stdout.write(f"{text}\n"))
    return load_chart(DiskTree(folder), rules)


def tell_deprecated(chart: Chart) -> None:
    """Warn of a chart whose authors have given it up, as helm does."""
    if chart.metadata.get("deprecated") and not chart.is_library:
        sys.stderr.write('level=WARN msg="this chart is deprecated"\n')
