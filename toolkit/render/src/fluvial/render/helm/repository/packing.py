"""A chart as a package: a .tgz, the same bytes for the same chart."""

import gzip
import io
import tarfile
from collections.abc import Iterator

from fluvial.render.helm._model import Chart
from fluvial.render.yaml import dump

__all__ = ["package_chart", "package_name"]


def package_name(chart: Chart) -> str:
    """Return the file name of a chart's package."""
    return f"{chart.name}-{chart.version}.tgz"


def package_chart(chart: Chart) -> bytes:
    """Pack a chart that was loaded, with its subcharts, as `helm package` does.

    What helm knows of Chart.yaml and the lock is written anew, everything else as it came. Times
    are those of no file, so that a chart that did not change has a package that did not either.
    """
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in _files(chart, chart.name):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(content.getvalue(), mtime=0)


def _files(chart: Chart, folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield paths and contents, subcharts last."""
    v1 = chart.metadata["apiVersion"] == "v1"
    metadata = dict(chart.metadata)
    if v1:
        metadata.pop("dependencies", None)  # they are in requirements.yaml, which is a file
    yield f"{folder}/Chart.yaml", dump(metadata).encode()
    if chart.lock is not None and not v1:
        yield f"{folder}/Chart.lock", dump(chart.lock).encode()
    raw = {file.name: file.data for file in chart.raw}
    for name in ("values.yaml", "values.schema.json"):
        if name in raw:
            yield f"{folder}/{name}", raw[name]
    for file in [*chart.templates, *chart.files]:
        yield f"{folder}/{file.name}", file.data
    for sub in chart.subcharts:
        yield from _files(sub, f"{folder}/charts/{sub.name}")
