"""Where values are written that were put over each other, as the layers of a release are.

    layers = ValueLayers()
    layers.add_chart(done.chart)                   # defaults, the lowest layer
    layers.add_file("my.yaml", text, "-f")
    layers.add_values({"image": {"tag": "v2"}}, "--set")
    layers.origins[("image", "tag")]               # Origin("--set image.tag", 0, 0, "--set")

Paths are tuples of keys, as text; an item of a list has its index.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fluvial.render.helm._dependencies import imports_of
from fluvial.render.helm._model import Chart
from fluvial.render.objects import Origin
from fluvial.render.yaml import Document, load_documents

__all__ = ["Path", "ValueLayers", "ValueOrigins", "keys_of"]

Path = tuple[str, ...]
ValueOrigins = Mapping[Path, Origin]


class ValueLayers:
    """Origins of values by path; what is added later wins, as values do."""

    def __init__(self) -> None:
        self.origins: dict[Path, Origin] = {}
        self.replaced: set[Path] = set()
        """Paths of values that replace whatever a lower layer has there."""

    def add_chart(self, chart: Chart, prefix: Path = ()) -> None:
        """Add the defaults of a chart and of those below it: `chart` of a RenderedChart.

        A chart's own defaults win over what it imports from a subchart, and that over the
        subchart's. Origins have `defaults` for `by`.
        """
        for sub in chart.subcharts:
            self.add_chart(sub, (*prefix, sub.name))
        own: set[Path] = set()
        for file in chart.raw:
            if file.name == "values.yaml":
                text = file.data.decode("utf-8", "replace")
                own |= self.add_file(f"{chart.path}/values.yaml", text, "defaults", prefix)
        for declared in chart.metadata.get("dependencies", []):
            for child, parent in imports_of(declared):
                source = (*prefix, declared["name"], *child.split("."))
                target = prefix if parent == "." else (*prefix, *parent.split("."))
                for path, origin in list(self.origins.items()):
                    copy = (*target, *path[len(source) :])
                    if path[: len(source)] == source and path != source and copy not in own:
                        own.add(copy)
                        self.origins[copy] = origin

    def add_file(self, name: str, text: str, by: str, prefix: Path = ()) -> set[Path]:
        """Add a values file, or the text under a key of a ConfigMap or Secret; return its paths.

        `name` is what its origins call the file, `by` says how it was given: `-f`, `valuesFrom`.
        Raises YamlError.
        """
        added: set[Path] = set()
        for document in load_documents(text, file=name, positions=True):
            added |= self.add_document(name, document, by, prefix)
        return added

    def add_document(
        self, name: str, document: Document, by: str, prefix: Path = (), *, inside: Path = ()
    ) -> set[Path]:
        """Add one document of the file `name`, read with positions; return its paths.

        `inside` is the path of the values in a document that holds them, such as a HelmRelease.
        """
        value, skipped = document.value, len(inside)
        for key in inside:
            value = value[int(key) if isinstance(value, list) else key]
        self._cover(
            # a list of a file replaces the one below it, whatever that held
            {(*prefix, *path) for path, item in _walk(value) if not isinstance(item, dict)}
        )
        added: set[Path] = set()
        for pointer, place in (document.positions or {}).items():
            path = keys_of(pointer)
            if len(path) > skipped and path[:skipped] == inside:
                added.add((*prefix, *path[skipped:]))
                self.origins[(*prefix, *path[skipped:])] = Origin(
                    name, place.line, place.column, by
                )
        return added

    def add_values(self, values: Mapping[str, Any], by: str, source: str = "") -> None:
        """Add values that have no file; origins name `by` and the path, and no text of the value.

        `by` is a flag such as `--set`, or an object such as `HelmRelease apps/web`; `source` stands
        before the path in its place. A null in a list stands for an item that was not given.
        """
        given = {
            path: value
            for path, value in _walk(values)
            # Maps and lists are entered: a flag sets single items of what is below it.
            if path and not (value and isinstance(value, dict | list))
            if not (value is None and path[-1].isdigit())
        }
        # An empty map is merged, too: what is below it stays.
        self._cover({path for path, value in given.items() if not isinstance(value, dict)})
        for path in given:
            self.origins[path] = Origin(f"{source or by} {'.'.join(path)}", 0, 0, by)

    def under(self, above: "ValueLayers") -> ValueOrigins:
        """Return the origins with those of `above` on top, as if they had been added here."""
        self._cover(above.replaced)
        return self.origins | above.origins

    def _cover(self, replaced: set[Path]) -> None:
        """Forget what stood below values that are replaced as a whole."""
        self.replaced |= replaced
        self.origins = {
            path: origin
            for path, origin in self.origins.items()
            if not any(path[:size] in replaced for size in range(1, len(path)))
        }


def keys_of(pointer: str) -> Path:
    """Split an RFC 6901 pointer."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield a value and all that it holds, with their paths."""
    pending = [(path, value)]
    while pending:
        path, item = pending.pop()
        yield path, item
        if isinstance(item, dict):
            pending.extend(((*path, str(key)), below) for key, below in item.items())
        elif isinstance(item, list):
            pending.extend(((*path, str(index)), below) for index, below in enumerate(item))
