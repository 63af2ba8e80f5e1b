"""Which subcharts are rendered, under which name, and what they hand up."""

import pytest

LIB = {
    "charts/kid/Chart.yaml": "name: kid\nversion: 1.2.0\n",
    "charts/kid/values.yaml": "v: 1\nexports: {up: {shared: 1}}\n",
    "charts/kid/templates/a.yaml": "kind: A\nmetadata: {name: {{ .Chart.Name }}}\n",
}


def chart(*dependencies: str) -> dict[str, str]:
    entries = "".join(f"  - {{name: kid, {one}}}\n" for one in dependencies)
    text = f"apiVersion: v2\nname: web\nversion: 1.2.3\ndependencies:\n{entries}"
    return {"Chart.yaml": text, **LIB}


@pytest.mark.parametrize(
    ("dependencies", "values", "expected", "reason"),
    [
        (["version: 1.x"], {}, ["kid"], "in range"),
        (['version: ">=2"'], {}, ["kid"], "out of range: as if nobody had declared it"),
        (["version: 1.x, condition: kid.on"], {"kid": {"on": False}}, [], "condition says no"),
        (["version: 1.x, condition: kid.on"], {"kid": {"on": "no"}}, ["kid"], "no boolean"),
        (
            ['version: 1.x, condition: "x.y,kid.on"'],
            {"kid": {"on": False}},
            [],
            "the first path that exists decides",
        ),
        (["version: 1.x, tags: [t]"], {"tags": {"t": False}}, [], "its only tag is off"),
        (
            ["version: 1.x, tags: [t, u]"],
            {"tags": {"t": False, "u": True}},
            ["kid"],
            "one tag is on",
        ),
        (
            ["version: 1.x, tags: [t], condition: kid.on"],
            {"tags": {"t": False}, "kid": {"on": True}},
            ["kid"],
            "a condition beats tags",
        ),
        (
            ["version: 1.x, alias: a", "version: 1.x, alias: b"],
            {},
            ["a", "b"],
            "one chart under two names",
        ),
        (
            ["version: 1.x, alias: a, condition: a.on", "version: 1.x, alias: b"],
            {"a": {"on": False}},
            ["b"],
            "conditions name the alias",
        ),
    ],
)
def test_enabled(rendered, dependencies, values, expected, reason) -> None:
    done = rendered(chart(*dependencies), values)
    assert [one.name for one in done.manifests] == expected, reason


def test_metadata_keeps_the_enabled_only(rendered) -> None:
    done = rendered(
        chart("version: 1.x, alias: a, condition: a.on", "version: 1.x, alias: b"),
        {"a": {"on": False}},
    )
    (kept,) = done.chart.metadata["dependencies"]
    assert (kept["name"], kept["enabled"]) == ("b", True)


def test_a_declared_chart_that_is_not_there_is_passed_over(rendered) -> None:
    text = "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: x, version: 1.0.0}]\n"
    assert rendered({"Chart.yaml": text}).manifests == []


@pytest.mark.parametrize(
    ("imports", "own", "expected"),
    [
        ("[up]", "", {"shared": 1.0}),
        ("[up]", "shared: 2", {"shared": 2.0}),
        ("[{child: exports.up, parent: deep.er}]", "", {"deep": {"er": {"shared": 1.0}}}),
        ("[{child: nowhere, parent: .}]", "", {}),
    ],
)
def test_import_values(rendered, imports: str, own: str, expected) -> None:
    files = chart(f"version: 1.x, import-values: {imports}") | {"values.yaml": own}
    values = rendered(files).chart.values
    assert {key: values[key] for key in values if key != "kid"} == expected


def test_the_chart_that_was_loaded_stays_as_it_was(rendered) -> None:
    files = chart("version: 1.x, alias: a, import-values: [up]")
    assert rendered(files).chart.subcharts[0].name == "a"
    assert rendered(files).manifest == rendered(files).manifest
