"""Charts that were loaded before: found by their bytes, owned by who asks, within a budget."""

import pytest

from fluvial.render.helm import HELM_4_2, ChartError, LoadedCharts, Release, _loaded, render

FILES = {
    "Chart.yaml": "{apiVersion: v2, name: web, version: 1.0.0}",
    "values.yaml": "a: {b: 1}\n",
    "templates/a.yaml": "kind: A\nb: {{ .Values.a.b }}{{ $_ := set .Values.a `b` 2 }}\n",
}


@pytest.fixture
def loads(monkeypatch):
    """List what was really loaded."""
    seen = []
    load = _loaded.load_chart

    def spy(archive, helm_version):
        seen.append(archive)
        return load(archive, helm_version)

    monkeypatch.setattr(_loaded, "load_chart", spy)
    return seen


def test_the_same_archive_is_loaded_once(pack, loads):
    charts = LoadedCharts()
    for _ in range(3):
        done = render(charts.load(pack(FILES)), {}, Release(name="r"))
        assert "b: 1" in done.manifest  # whatever templates set in the values
    assert len(loads) == 1
    charts.load(pack({**FILES, "values.yaml": "a: {b: 2}"}))
    charts.load(pack(FILES), HELM_4_2)
    assert len(loads) == 3


def test_what_one_changes_the_next_does_not_see(pack):
    charts = LoadedCharts()
    charts.load(pack(FILES)).metadata["version"] = "2.0.0"
    assert charts.load(pack(FILES)).version == "1.0.0"


def test_the_budget_holds(pack, loads):
    size = sum(len(text) for text in FILES.values()) + 100
    charts = LoadedCharts(budget=2 * size)
    archives = [pack({**FILES, "x": f"{number:099}"}) for number in range(3)]
    for index in (0, 1, 0, 2, 0, 1):
        charts.load(archives[index])
    assert [archives.index(archive) for archive in loads] == [0, 1, 2, 1]
    charts.load(pack({**FILES, "x": "x" * 2 * size}))
    charts.load(archives[1])
    assert len(loads) == 5, "a chart beyond the budget throws nothing out"


def test_a_faulty_archive_is_an_error_each_time(loads):
    charts = LoadedCharts()
    for _ in range(2):
        with pytest.raises(ChartError, match="no gzip"):
            charts.load(b"no archive")
    assert len(loads) == 2
