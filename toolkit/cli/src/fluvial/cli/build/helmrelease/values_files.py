"""The values files of `spec.chart`, which replace the chart's own values."""

from typing import Any

from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.cli.build.helmrelease.sources import ChartPlace
from fluvial.render.helm import Chart, HelmVersion, ValueLayers, merge_files, read_values
from fluvial.render.yaml import YamlError, dump, load_documents

__all__ = ["replace_values"]

_OWN = "values.yaml"


def replace_values(
    chart: Chart, place: ChartPlace, rules: HelmVersion, layers: ValueLayers | None
) -> None:
    """Give `chart` the merged values of the files that `place` names, as its source packs them.

    Later files win, lists are replaced as a whole, and of a file the first document counts.
    `layers` are told where each value is written. Raises ReleaseRefused.
    """
    if not place.values_files:
        return
    merged: dict[str, Any] = {}
    for path in place.values_files:
        content = _content(chart, place, path)
        if content is None:
            if place.ignore_missing:
                continue
            raise ReleaseRefused(
                f"no values file found at path {path!r} of the source: mend spec.chart.spec."
                "valuesFiles, or name the source's folder with --source"
            )
        try:
            documents = load_documents(content, file=path, positions=True)[:1]
        except YamlError as error:
            problem = str(error).partition("\n")[0]
            raise ReleaseRefused(f"reading values from {path!r} failed: {problem}") from None
        for document in documents:
            if not isinstance(document.value, dict):
                raise ReleaseRefused(f"reading values from {path!r} failed: it is not a mapping")
            merged = merge_files(merged, document.value)
            if layers is not None:
                layers.add_document(path, document, "valuesFiles")
    chart.values = read_values(dump(merged).encode(), _OWN, rules) if merged else {}
    chart.raw = [file for file in chart.raw if file.name != _OWN]


def _content(chart: Chart, place: ChartPlace, path: str) -> bytes | None:
    """Return a file of the source's folder, or else of the chart; None when it is not there."""
    if place.root is None:
        wanted = path.removeprefix("./").lstrip("/")
        return next((file.data for file in chart.raw if file.name == wanted), None)
    file = (place.root / path.lstrip("/")).resolve()
    if not file.is_relative_to(place.root):
        raise ReleaseRefused(f"the values file {path!r} leaves its source")
    return file.read_bytes() if file.is_file() else None
