"""From a rendered field back to the template that wrote it and the values that fed it.

    done = render(chart, values, release, provenance=True)
    origins = chart_origins(done.chart) | values_origins("my.yaml", text, "-f")
    for manifest in done.manifests:
        blame(done, manifest, origins)["/spec/replicas"]
        # web/templates/deployment.yaml:9:13 (.Values.replicas of my.yaml:3:1)

Whoever composed the values says where they were written: a `ValueOrigins` maps paths of values, as
tuples of keys, to an Origin. A path without an entry has that of its nearest parent.
"""

from collections.abc import Mapping
from typing import Any

from fluvial.render.gotemplate import LineOrigin, Place
from fluvial.render.helm._model import Chart, Hook, Manifest, RenderedChart
from fluvial.render.objects import Origin
from fluvial.render.yaml import load_documents

__all__ = ["ValueOrigins", "blame", "chart_origins", "set_origins", "values_origins"]

Path = tuple[str, ...]
ValueOrigins = Mapping[Path, Origin]


def values_origins(file: str, text: str, by: str, prefix: Path = ()) -> dict[Path, Origin]:
    """Say where each value of a values file is written. Raises YamlError."""
    origins: dict[Path, Origin] = {}
    for document in load_documents(text, file=file, positions=True):
        for pointer, place in (document.positions or {}).items():
            origins[(*prefix, *_keys(pointer))] = Origin(file, place.line, place.column, by)
    return origins


def set_origins(value: Any, by: str) -> dict[Path, Origin]:
    """Say that values come from no file, but from a flag or another object, `by` its name."""
    origins: dict[Path, Origin] = {}
    pending: list[tuple[Any, Path]] = [(value, ())]
    while pending:
        item, path = pending.pop()
        if path:
            origins[path] = Origin(by, 0, 0, "values")
        if isinstance(item, dict):
            pending.extend((below, (*path, str(key))) for key, below in item.items())
        elif isinstance(item, list):
            pending.extend((below, (*path, str(key))) for key, below in enumerate(item))
    return origins


def chart_origins(chart: Chart, prefix: Path = ()) -> dict[Path, Origin]:
    """Say where the defaults of a chart and those below it are written; a parent's win."""
    origins: dict[Path, Origin] = {}
    for sub in chart.subcharts:
        origins |= chart_origins(sub, (*prefix, sub.name))
    for file in chart.raw:
        if file.name == "values.yaml":
            text = file.data.decode("utf-8", "replace")
            origins |= values_origins(f"{chart.path}/values.yaml", text, "values", prefix)
    return origins


def blame(
    done: RenderedChart, document: Manifest | Hook, values: ValueOrigins
) -> dict[str, Origin]:
    """Return the origin of each field of a document, by RFC 6901 pointer.

    Only pointers at which an origin starts are there, as `Rendered.provenance` has them; the result
    is empty for a chart that was not rendered with provenance. `by` names the values that were
    read, each with its own origin, and the included templates that took part.
    """
    traced = done.traces.get(document.path)
    if traced is None:
        return {}
    first = traced.text.count("\n", 0, max(0, traced.text.find(document.text)))
    origins: dict[str, Origin] = {}
    for parsed in load_documents(document.text, file=document.path, positions=True)[:1]:
        for pointer, place in (parsed.positions or {}).items():
            number = first + place.line - 1
            if number >= len(traced.lines):
                continue
            origin = _origin(traced.lines[number], _keys(pointer), values)
            parent = pointer.rpartition("/")[0]
            if not pointer or origins.get(parent) != origin:
                origins[pointer] = origin
    return origins


def _origin(line: LineOrigin, keys: Path, values: ValueOrigins) -> Origin:
    facts = []
    for read in line.reads:
        path = _precise(read, keys, values)
        found = _nearest(path, values)
        name = ".Values" + "".join(f".{key}" for key in path)
        facts.append(f"{name} of {_where(found)}" if found else name)
    facts.extend(f"through {_spot(place)}" for place in line.through)
    place = line.place
    return Origin(place.file, place.line, place.column, ", ".join(facts) or "template")


def _precise(read: Path, keys: Path, values: ValueOrigins) -> Path:
    """Find the value within a map that was printed whole, by the end of the field's pointer."""
    for start in range(len(keys)):
        path = (*read, *keys[start:])
        if path in values:
            return path
    return read


def _nearest(path: Path, values: ValueOrigins) -> Origin | None:
    while path:
        found = values.get(path)
        if found is not None:
            return found
        path = path[:-1]
    return None


def _where(origin: Origin) -> str:
    return f"{origin.file}:{origin.line}:{origin.column}" if origin.line else origin.file


def _spot(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"


def _keys(pointer: str) -> Path:
    """Split an RFC 6901 pointer."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
