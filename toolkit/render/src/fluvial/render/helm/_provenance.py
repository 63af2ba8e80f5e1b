"""From a rendered field back to the template that wrote it and the values that fed it.

    done = render(chart, values, release, provenance=True)
    layers = ValueLayers()
    layers.add_chart(done.chart)
    layers.add_file("my.yaml", text, "-f")
    for manifest in done.manifests:
        print(explain(done, manifest, layers.origins)["/spec/replicas"])
        # web/templates/deployment.yaml:9:13, .Values.replicas of my.yaml:3:1 (-f)

Whoever composed the values says where they were written, in a ValueLayers. `explain` answers for
every field; `blame` is the same in the form that both engines have in common.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fluvial.render.gotemplate import LineOrigin, Place
from fluvial.render.helm._layers import Path, ValueOrigins, keys_of
from fluvial.render.helm._manifests import split_documents
from fluvial.render.helm._model import Hook, Manifest, RenderedChart
from fluvial.render.objects import Origin
from fluvial.render.yaml import load_documents

__all__ = ["FieldOrigin", "ValueSource", "blame", "explain"]

_GLOBAL = "global"


class ValueSource(NamedTuple):
    """A value that a template read: its path in the values of the root chart, and where it is set.

    `origin` is None for one that nothing sets, such as a switch that is only asked for.
    """

    path: Path
    origin: Origin | None

    @property
    def name(self) -> str:
        """Return the path as a template of the root chart would write it."""
        return ".Values" + "".join(map(_step, self.path))

    def __str__(self) -> str:
        """Print the name and the origin."""
        if self.origin is None:
            return f"{self.name} (not set)"
        # What has no line is named after what gave it.
        return f"{self.name} of {self.origin if self.origin.line else self.origin.file}"


class FieldOrigin(NamedTuple):
    """Where a field of a manifest comes from.

    `place` is the action or text of the chart's template file that wrote it, `through` the places
    in included templates that took part (those of a text given to `tpl` are in `gotpl`). `values`
    are the values that were read to write it, `conditions` those that `if`, `with` and `range`
    around it asked.
    """

    place: Place
    values: tuple[ValueSource, ...] = ()
    through: tuple[Place, ...] = ()
    conditions: tuple[ValueSource, ...] = ()

    def __str__(self) -> str:
        """Print all on one line."""
        parts = [
            *map(str, self.values),
            *(f"through {place}" for place in self.through),
            *(f"if {source}" for source in self.conditions),
        ]
        return ", ".join([str(self.place), *parts])


def explain(
    done: RenderedChart, document: Manifest | Hook, values: ValueOrigins
) -> dict[str, FieldOrigin]:
    """Return the origin of each field of a document, by RFC 6901 pointer, parents before children.

    The result is empty for a chart that was not rendered with provenance, and for a document that
    a post-renderer has rewritten. Raises YamlError for a document that is no YAML.
    """
    traced = done.traces.get(document.path)
    first = None if traced is None else _first_line(traced.text, document.text)
    if traced is None or first is None:
        return {}
    sources = _Sources(done, values)
    origins: dict[str, FieldOrigin] = {}
    for parsed in load_documents(document.text, file=document.path, positions=True)[:1]:
        places = [
            (pointer, first + place.line - 1) for pointer, place in (parsed.positions or {}).items()
        ]
        ends = [
            *(number for _, number in places[1:]),
            first + document.text.rstrip().count("\n") + 1,
        ]
        for (pointer, number), end in zip(places, ends, strict=True):
            lines = traced.lines[number : max(end, number + 1)]
            if lines:
                origins[pointer] = _origin(lines, keys_of(pointer), sources)
    return origins


def blame(
    done: RenderedChart, document: Manifest | Hook, values: ValueOrigins
) -> dict[str, Origin]:
    """Return the origins that `explain` gives as those of `Rendered.provenance`.

    Only pointers at which an origin starts are there. `by` names the values that were read, each
    with its own origin, and the included templates that took part.
    """
    origins: dict[str, Origin] = {}
    for pointer, found in explain(done, document, values).items():
        parts = [*map(str, found.values), *(f"through {place}" for place in found.through)]
        place = found.place
        origin = Origin(place.file, place.line, place.column, ", ".join(parts) or "template")
        if not pointer or origins.get(pointer.rpartition("/")[0]) != origin:
            origins[pointer] = origin
    return origins


class _Sources:
    """Where values are set, seen from any chart of a rendering: globals belong to the root."""

    def __init__(self, done: RenderedChart, values: ValueOrigins) -> None:
        self._values = values
        self._parents = {path[:-1] for path in values}
        self._charts = set(_prefixes(done))

    def find(self, read: Path, keys: Path) -> ValueSource:
        """Find the value that was read for a field.

        Of a map that was printed whole it is the entry with the field's name, by the end of the
        field's pointer.
        """
        for start in range(len(keys) + 1):
            for path in self._places((*read, *keys[start:])):
                if path in self._values:
                    return ValueSource(path, self._values[path])
        for path in self._places(read):
            above = next((up for up in _above(path) if up in self._values), ())
            # Where the places of what a map holds are known, and this is none of them, nothing
            # sets it; what comes out of a merge key of YAML has the place of that.
            if above and above not in self._parents:
                return ValueSource(path, self._values[above])
        return ValueSource(read, None)

    def _places(self, path: Path) -> list[Path]:
        """Return the paths at which a value may be set: a global of any chart above comes first."""
        for size, key in enumerate(path):
            if key == _GLOBAL and path[:size] in self._charts:
                return [
                    (*path[:above], *path[size:])
                    for above in range(size + 1)
                    if path[:above] in self._charts
                ]
        return [path]


def _above(path: Path) -> Iterator[Path]:
    """Yield the paths of what holds a value, the nearest first."""
    return (path[:size] for size in range(len(path) - 1, 0, -1))


def _prefixes(done: RenderedChart) -> list[Path]:
    found: list[Path] = []
    pending: list[tuple[Any, Path]] = [(done.chart, ())]
    while pending:
        chart, path = pending.pop()
        found.append(path)
        pending.extend((sub, (*path, sub.name)) for sub in chart.subcharts)
    return found


def _first_line(text: str, document: str) -> int | None:
    """Return at which line of a template's output, from 0, one of its documents starts."""
    position = 0
    for part in split_documents(text):
        position = text.find(part, position)
        if part.strip() == document.strip():
            return text.count("\n", 0, position)
        position += len(part)
    return None


def _origin(lines: list[LineOrigin], keys: Path, sources: _Sources) -> FieldOrigin:
    """Join the origins of the lines of one field: the first is where it starts."""

    def found(reads: list[Path], keys: Path) -> tuple[ValueSource, ...]:
        return tuple(dict.fromkeys(sources.find(read, keys) for read in reads))

    return FieldOrigin(
        lines[0].place,
        found([read for line in lines for read in line.reads], keys),
        tuple(dict.fromkeys(place for line in lines for place in line.through)),
        found([read for line in lines for read in line.under], ()),
    )


def _step(key: str) -> str:
    if key.isdigit():
        return f"[{key}]"
    return f".{key}" if key.replace("_", "").isalnum() else f'."{key}"'
