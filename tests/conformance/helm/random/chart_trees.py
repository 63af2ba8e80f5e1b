"""Random charts: their files, subcharts with every way to be switched on, and values over them."""

import json
import pathlib
from typing import Any

from chart_flags import Flag, flags
from chart_templates import partials, template
from chart_values import layer, trees, values
from hypothesis import strategies as st

from fluvial.render.yaml import dump

Files = dict[str, str]


@st.composite
def chart(draw: st.DrawFn, name: str, depth: int) -> tuple[Files, dict[str, Any]]:
    """Make the files of a chart and its values."""
    own: dict[str, Any] = draw(values())
    own["switch"] = draw(st.booleans())
    files: Files = {}
    dependencies = []
    for index in range(draw(st.integers(0, 2)) if depth else 0):
        sub = f"sub{index}"
        inner, below = draw(chart(sub, depth - 1))
        alias = draw(st.sampled_from(["", "", f"other{index}"]))
        files |= {f"charts/{sub}/{path}": text for path, text in inner.items()}
        dependencies.append(draw(dependency(sub, alias)))
        over = draw(layer(below, 1))
        if over:
            own[alias or sub] = over
    if depth and draw(st.booleans()):
        own["global"] = draw(st.dictionaries(st.sampled_from(["zone", "name"]), trees(1)))
    if depth and draw(st.integers(0, 2)) == 0:
        own["tags"] = {"front": draw(st.booleans()), "back": draw(st.booleans())}
    if draw(st.integers(0, 2)) == 0:
        own["exports"] = {"shared": {"fromChild": draw(trees(1)), "name": name}}
    metadata: dict[str, Any] = {
        "apiVersion": "v2",
        "name": name,
        "version": draw(st.sampled_from(["1.0.0", "0.1.2", "2.3.4-rc.1"])),
        "appVersion": draw(st.sampled_from(["1.2.3", "latest", "7"])),
    }
    if dependencies:
        metadata["dependencies"] = dependencies
    files["Chart.yaml"] = dump(metadata)
    files["values.yaml"] = dump(own)
    files["templates/_helpers.tpl"] = draw(partials(own, name))
    for index in range(draw(st.integers(1, 2))):
        files[f"templates/t{index}.yaml"] = draw(template(own, root=bool(depth)))
    return files, own


@st.composite
def dependency(draw: st.DrawFn, name: str, alias: str) -> dict[str, Any]:
    """Make the entry of a subchart in Chart.yaml."""
    entry: dict[str, Any] = {"name": name, "version": "*", "repository": ""}
    entry["version"] = draw(st.sampled_from([">=0-0", ">=0-0", "1.x", "*"]))
    if alias:
        entry["alias"] = alias
    if draw(st.integers(0, 2)) == 0:
        entry["condition"] = draw(
            st.sampled_from(["switch", f"{alias or name}.on", f"missing.path,{alias or name}.on"])
        )
    if draw(st.integers(0, 2)) == 0:
        entry["tags"] = draw(st.sampled_from([["front"], ["front", "back"], ["other"]]))
    if draw(st.integers(0, 2)) == 0:
        entry["import-values"] = draw(
            st.sampled_from(
                [["shared"], [{"child": "table", "parent": "imported"}],
                 [{"child": "table", "parent": "table"}], ["missing", "shared"]]
            )
        )  # fmt: skip
    return entry


class Example:
    """A chart, the values files and flags given for it, and whether it is an upgrade."""

    def __init__(
        self,
        files: Files,
        layers: list[dict[str, Any]],
        given: list[Flag] | None = None,
        *,
        upgrade: bool,
    ) -> None:
        self.files, self.layers, self.upgrade = files, layers, upgrade
        self.given = given or []

    def __repr__(self) -> str:
        parts = [f"# {name}\n{text}" for name, text in sorted(self.files.items())]
        layers = [f"# values {json.dumps(layer)}" for layer in self.layers]
        given = [f"# --{name} {text!r}" for name, text in self.given]
        return "\n".join([*parts, *layers, *given, f"# upgrade: {self.upgrade}"])

    def write(self, folder: pathlib.Path) -> list[pathlib.Path]:
        """Write the chart to `folder`/chart; return the paths of the values files."""
        for name, text in self.files.items():
            path = folder / "chart" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        written = []
        for index, content in enumerate(self.layers):
            path = folder / f"values{index}.yaml"
            path.write_bytes(dump(content).encode())
            written.append(path)
        return written


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Make a chart with up to two values files and some values on the command line."""
    files, own = draw(chart("root", 1))
    layers = [draw(layer(own)) for _ in range(draw(st.integers(0, 2)))]
    return Example(files, layers, draw(flags(own)), upgrade=draw(st.booleans()))
