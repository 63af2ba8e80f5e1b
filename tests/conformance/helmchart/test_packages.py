"""Packaged charts against the real helm: it loads them, and finds in them what it would pack."""

import os
import pathlib
import subprocess
import tarfile
import tempfile

import pytest

from fluvial.source.helmchart.jobs import (
    InspectChart,
    PackageChart,
    inspect_chart,
    package_chart,
)

ORACLE = pathlib.Path(__file__).parents[3] / ".venv" / "oracles" / "helm"

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.2.3\ndescription: an app\n",
    "values.yaml": "color: blue\nport: 8080\n",
    "templates/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
        "data:\n  color: {{ .Values.color | quote }}\n  port: {{ .Values.port | quote }}\n"
        "  chart: {{ .Chart.Name }}-{{ .Chart.Version }}\n"
        '  file: {{ .Files.Get "files/a.txt" | quote }}\n'
    ),
    "templates/_helpers.tpl": '{{ define "x" }}x{{ end }}\n',
    "templates/NOTES.txt": "done\n",
    "templates/.hidden.yaml": "never: [",
    "files/a.txt": "\ufeffhello\n",
    "crds/things.yaml": "kind: CustomResourceDefinition\n",
    "README.md": "read me\n",
}
LIBRARY = {
    "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\n",
    "charts/lib/templates/lib.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: lib}\n",
}
IGNORED = "# comments and blanks\n\n*.md\n/docs\nfiles/*.bak\ntmp/\n[ab]?.txt\n"
LITTER = {
    "docs/a": "1",
    "sub/docs/a": "2",
    "files/x.bak": "3",
    "files/deep/x.bak": "4",
    "tmp/a": "5",
    "sub/tmp/b": "6",
    "files/tmp": "7",
    "ab.txt": "8",
    "sub/b1.txt": "9",
    "c1.txt": "10",
}


def helm(folder, *arguments):
    if not ORACLE.exists():
        pytest.skip(f"{ORACLE.name} is missing from .venv/oracles")
    done = subprocess.run(
        [str(ORACLE), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def package(tmp_path):
    """Package a chart of these files, as a source that holds it at charts/app would have it."""

    def package(files, path="charts/app", **options):
        chart = tmp_path / "tree" / "charts" / "app"
        for name, content in files.items():
            file = chart / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return pack(tmp_path, path, **options), chart

    return package


def pack(tmp_path, path, version=None, values_files=()):
    tree = tmp_path / "tree"
    room = pathlib.Path(tempfile.mkdtemp(dir=tmp_path))
    found = inspect_chart(InspectChart(str(tree), path, str(room)))
    destination = room / "packaged.tgz"
    request = PackageChart(
        tree=str(tree),
        path=path,
        room=str(room),
        destination=str(destination),
        version=version or found.version,
        values_files=list(values_files),
    )
    package_chart(request)
    return destination


def members(archive):
    with tarfile.open(archive) as found:
        return {m.name: found.extractfile(m).read() for m in found if m.isfile()}


def test_helm_renders_the_package_as_it_renders_the_folder(package, tmp_path):
    packaged, chart = package({**CHART, **LIBRARY})
    shown = helm(tmp_path, "show", "chart", str(packaged))
    assert "name: app\n" in shown
    rendered = helm(tmp_path, "template", "demo", str(packaged))
    assert rendered == helm(tmp_path, "template", "demo", str(chart))
    assert 'file: "hello\\n"' in rendered
    assert "name: lib" in rendered


@pytest.mark.parametrize(
    "ignored",
    [
        pytest.param(None, id="no .helmignore"),
        pytest.param(IGNORED, id="patterns"),
        pytest.param("!*.*\n", id="negated: all that does not match is out"),
        pytest.param("!*\n/files\n", id="negated: what matches goes on to the next"),
        pytest.param("tmp\n", id="a name at any depth"),
    ],
)
def test_the_files_are_those_that_helm_packs(package, tmp_path, ignored):
    files = {**CHART, **LIBRARY, **LITTER}
    if ignored is not None:
        files[".helmignore"] = ignored
    packaged, chart = package(files)
    helm(tmp_path, "package", str(chart), "--destination", str(tmp_path / "helm"))
    theirs = members(tmp_path / "helm" / "app-1.2.3.tgz")
    ours = members(packaged)
    # Helm writes the metadata anew, with the same content.
    assert {n: d for n, d in ours.items() if not n.endswith("Chart.yaml")} == {
        n: d for n, d in theirs.items() if not n.endswith("Chart.yaml")
    }
    assert set(ours) == set(theirs)


def test_another_version_and_other_values(package, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "prod.yaml").write_text("port: 9090\n")
    packaged, _ = package(
        CHART, version="1.2.3+7", values_files=["charts/app/values.yaml", "prod.yaml"]
    )
    rendered = helm(tmp_path, "template", "demo", str(packaged))
    assert 'color: "blue"' in rendered
    assert 'port: "9090"' in rendered
    assert "chart: app-1.2.3+7" in rendered
    assert "port: 9090" in helm(tmp_path, "show", "values", str(packaged))


def test_a_chart_that_helm_packed(package, tmp_path):
    _, chart = package(CHART)
    helm(tmp_path, "package", str(chart), "--destination", str(tmp_path / "tree"))
    theirs = tmp_path / "tree" / "app-1.2.3.tgz"
    assert pack(tmp_path, "app-1.2.3.tgz").read_bytes() == theirs.read_bytes()
    again = pack(tmp_path, "app-1.2.3.tgz", version="1.2.3+abc")
    assert "version: 1.2.3+abc" in helm(tmp_path, "show", "chart", str(again))
