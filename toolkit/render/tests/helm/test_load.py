"""Charts from archives and folders: what is taken, what is refused."""

import gzip
import io
import tarfile

import pytest

from fluvial.render.helm import ChartError, load_chart
from fluvial.render.helm import _archive as archive
from fluvial.render.helm._archive import Budget, unpack
from fluvial.render.kustomize.tree import MemoryTree

CHART = "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: 1.10\n"


def test_an_archive_and_its_folder_are_the_same_chart(pack) -> None:
    files = {
        "Chart.yaml": CHART,
        "values.yaml": "\ufeffa: 1\n",
        "templates/a.yaml": "a",
        "README.md": "hi",
    }
    chart, folder = load_chart(pack(files)), load_chart(MemoryTree(files))
    assert chart.metadata == folder.metadata
    assert chart.values == folder.values == {"a": 1.0}
    assert [file.name for file in chart.templates] == ["templates/a.yaml"]
    assert [file.name for file in chart.files] == ["README.md"]


def test_unquoted_scalars_of_metadata_are_read_as_text() -> None:
    assert load_chart(MemoryTree({"Chart.yaml": CHART})).metadata["appVersion"] == "1.1"


@pytest.mark.parametrize(
    ("text", "problem", "reason"),
    [
        ("version: 1.0.0", "name is required", "no name"),
        ("name: a", "version is required", "no version"),
        ("name: a\nversion: one", 'version "one" is invalid', "no SemVer"),
        ("name: a/b\nversion: 1.0.0", 'name "a/b" is invalid', "a path as name"),
        ("name: a\nversion: 1.0.0\ntype: other", "application or library", "unknown type"),
        ("name: a\nversion: 1.0.0\nkeywords: x", "keywords must be a list", "wrong type"),
        ("name: [a]\nversion: 1.0.0", "name must be a string", "wrong type of a text"),
        ("name: a\nversion: 1.0.0\ndependencies: [x]", "list of mappings", "wrong entries"),
        ("- a", "must hold a mapping", "a list"),
        ("name: [", "Chart.yaml:2", "no YAML: file and line"),
    ],
)
def test_refused_metadata(text: str, problem: str, reason: str) -> None:
    with pytest.raises(ChartError, match=problem.replace(".", r"\.")) as raised:
        load_chart(MemoryTree({"Chart.yaml": text}))
    assert raised.value.file == "Chart.yaml", reason


def test_a_folder_without_chart_yaml_is_no_chart() -> None:
    with pytest.raises(ChartError, match=r"Chart\.yaml file is missing"):
        load_chart(MemoryTree({"values.yaml": ""}))


def test_values_of_several_documents_are_merged_in_order() -> None:
    text = "a: 1\nt: {x: 1}\n---\nt: {z: null}\n"
    chart = load_chart(MemoryTree({"Chart.yaml": CHART, "values.yaml": text}))
    assert chart.values == {"a": 1.0, "t": {"x": 1.0, "z": None}}


def test_subcharts_come_as_folders_and_as_archives(pack) -> None:
    inner = pack({"Chart.yaml": "name: packed\nversion: 0.1.0\n"}, top="packed/")
    chart = load_chart(
        MemoryTree(
            {
                "Chart.yaml": CHART,
                "charts/packed-0.1.0.tgz": inner,
                "charts/open/Chart.yaml": "name: open\nversion: 0.1.0\n",
                "charts/_not/Chart.yaml": "nonsense",
                "charts/.hidden/x": "",
                "charts/README.prov": "signature",
            }
        )
    )
    assert [(sub.name, sub.path) for sub in chart.subcharts] == [
        ("open", "web/charts/open"),
        ("packed", "web/charts/packed"),
    ]
    assert [file.name for file in chart.files] == ["charts/README.prov"]


def test_an_error_in_a_subchart_names_its_file() -> None:
    files = {"Chart.yaml": CHART, "charts/sub/Chart.yaml": "name: sub\nversion: x\n"}
    with pytest.raises(ChartError, match=r"\(charts/sub/Chart\.yaml\)"):
        load_chart(MemoryTree(files))


@pytest.mark.parametrize(
    ("name", "problem", "reason"),
    [
        ("/etc/passwd", "absolute", "absolute path"),
        ("web/../../etc/passwd", "parent directory", "path that leaves the chart"),
        ("..\\..\\x", "parent directory", "the same with backslashes"),
        ("web/c:/x", "parent directory", "a drive"),
        ("web/.", "outside the base directory", "the folder itself as file"),
        ("Chart.yaml", "not in base directory", "no top folder"),
    ],
)
def test_paths_in_archives(pack, name: str, problem: str, reason: str) -> None:
    with pytest.raises(ChartError, match=problem):
        load_chart(pack({name: "x"}, top=""))


def test_links_in_archives_are_refused() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        link = tarfile.TarInfo("web/values.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(ChartError, match="neither a file nor a folder"):
        load_chart(gzip.compress(out.getvalue()))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"PK\x03\x04", "no gzip"),
        (gzip.compress(b"x" * 600), "no tar"),
        (gzip.compress(b"\0" * 1024), "no files"),
        (gzip.compress(b"x" * 100_000)[:50], "no gzip"),
    ],
    # Of their own: the bytes hold the time, and ids must be the same in every test process.
    ids=["a zip", "no archive inside", "an empty archive", "cut off"],
)
def test_what_is_no_archive(data: bytes, problem: str) -> None:
    with pytest.raises(ChartError, match=problem):
        load_chart(data)


def test_a_bomb_is_stopped_before_it_is_unpacked(monkeypatch) -> None:
    monkeypatch.setattr(archive, "_MOST_FILES", 10)
    bomb = gzip.compress(b"\0" * 5_000_000)
    with pytest.raises(ChartError, match="larger than the maximum size 1000"):
        unpack(bomb, Budget(1000, 10))


def test_bounds_hold_over_nested_archives(pack, monkeypatch) -> None:
    inner = pack({"Chart.yaml": "name: a\nversion: 1.0.0\n", "big": b"x" * 900}, top="a/")
    outer = pack({"Chart.yaml": CHART, "charts/a.tgz": inner})
    monkeypatch.setattr("fluvial.render.helm._load.Budget", lambda: Budget(900 + len(inner)))
    with pytest.raises(ChartError, match="decompressed chart is larger"):
        load_chart(outer)


def test_a_large_file_is_refused_by_name(pack, monkeypatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_FILE", 10)
    with pytest.raises(ChartError, match=r"'values\.yaml' is larger") as raised:
        load_chart(pack({"values.yaml": "x" * 11}))
    assert raised.value.file == "values.yaml"


def test_too_many_files_are_refused(pack) -> None:
    with pytest.raises(ChartError, match="more than"):
        unpack(pack({"a": "", "b": "", "c": ""}), Budget(1000, 2))


IGNORED = {
    "*.bak": {"a.bak", "d/b.bak"},
    "/a.bak": {"a.bak"},
    "d/": {"d/b.bak", "d/c"},
    "d/?": {"d/c"},
    "[ab].bak": {"a.bak", "d/b.bak"},
    "[^a].bak": {"d/b.bak"},
    "# a.bak": set(),
    "a.bak/": set(),
    "!*.yaml": {"a.bak", "d/b.bak", "d/c", ".helmignore", "templates/.x"},
}


@pytest.mark.parametrize("rule", IGNORED)
def test_helmignore(rule: str) -> None:
    files = {"Chart.yaml": CHART, "a.bak": "", "d/b.bak": "", "d/c": "", "templates/.x": ""}
    chart = load_chart(MemoryTree({**files, ".helmignore": f"{rule}\n"}))
    kept = {file.name for file in chart.raw}
    assert {*files, ".helmignore"} - kept == IGNORED[rule] | {"templates/.x"}


def test_helmignore_has_no_double_star() -> None:
    with pytest.raises(ChartError, match=r"\.helmignore:2: double-star"):
        load_chart(MemoryTree({"Chart.yaml": CHART, ".helmignore": "a\n**/b\n"}))
