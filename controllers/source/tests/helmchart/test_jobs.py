import tarfile

import pytest

from fluvial.source.helmchart.files import Sizes
from fluvial.source.helmchart.jobs import (
    FoundChart,
    InspectChart,
    PackageChart,
    inspect_chart,
    package_chart,
)
from fluvial.toolkit.workers import JobError

CHART = "# kept\napiVersion: v2\nname: app\nversion: 1.2.3\n"
APP = {
    "app/Chart.yaml": CHART,
    "app/values.yaml": "a: 1\n",
    "app/templates/x.yaml": "x",
    "prod.yaml": "b: 2\n",
}


@pytest.fixture
def work(tmp_path, write):
    """Inspect and package a chart of a source with these files."""

    class Work:
        def __init__(self, files=APP, path="app", **sizes):
            self.folder = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
            self.folder.mkdir()
            self.room = self.folder / "room"
            self.room.mkdir()
            self.tree = write(files, f"{self.folder.name}/tree")
            self.path = path
            self.sizes = Sizes(**sizes)
            self.destination = self.folder / "packaged.tgz"

        def inspect(self):
            return inspect_chart(
                InspectChart(str(self.tree), self.path, str(self.room), self.sizes)
            )

        def package(self, version="1.2.3", **options):
            self.inspect()
            request = PackageChart(
                tree=str(self.tree),
                path=self.path,
                room=str(self.room),
                destination=str(self.destination),
                version=version,
                sizes=self.sizes,
                **options,
            )
            self.merged = package_chart(request).values_files
            with tarfile.open(self.destination) as found:
                return {m.name: found.extractfile(m).read().decode() for m in found if m.isfile()}

    return Work


@pytest.mark.parametrize("path", ["app", "./app/", "/app", "../../app", "x/../app"])
def test_a_folder_is_found(work, path):
    assert work(path=path).inspect() == FoundChart("app", "1.2.3", is_folder=True)


def test_a_chart_at_the_root(work):
    assert work({"Chart.yaml": CHART}, ".").package() == {"app/Chart.yaml": CHART}


def test_a_packaged_chart_is_copied_as_it_is(work, archive):
    packaged = archive({"whatever/Chart.yaml": CHART, "whatever/.helmignore": "*\n"})
    found = work({"charts/app.tgz": packaged}, "charts/app.tgz")
    assert found.inspect() == FoundChart("app", "1.2.3", is_folder=False)
    again = work({"charts/app.tgz": packaged}, "charts/app.tgz")
    again.package()
    assert again.destination.read_bytes() == packaged


def test_a_packaged_chart_with_other_values(work, archive):
    packaged = archive({"old/Chart.yaml": CHART, "old/values.yaml": "a: 1", "old/.helmignore": "*"})
    files = work({"app.tgz": packaged, "prod.yaml": "b: 2"}, "app.tgz").package(
        "1.2.3+7", values_files=["prod.yaml"]
    )
    assert files["app/values.yaml"] == "b: 2\n"
    assert "version: 1.2.3+7\n" in files["app/Chart.yaml"]
    assert set(files) == {"app/Chart.yaml", "app/values.yaml", "app/.helmignore"}


def test_metadata_is_kept_by_the_byte_unless_the_version_changes(work):
    assert work().package()["app/Chart.yaml"] == CHART
    assert work().package("1.2.3+7")["app/Chart.yaml"] == (
        "apiVersion: v2\nname: app\nversion: 1.2.3+7\n"
    )


def test_the_values_are_replaced(work):
    found = work()
    assert found.package("1.2.3+7", values_files=["prod.yaml"])["app/values.yaml"] == "b: 2\n"
    assert found.merged == ["prod.yaml"]


def test_a_chart_without_values_gets_them(work):
    files = {"app/Chart.yaml": CHART, "prod.yaml": "b: 2"}
    assert work(files).package(values_files=["prod.yaml"])["app/values.yaml"] == "b: 2\n"


def test_the_same_tree_gives_the_same_bytes(work):
    first, second = work(), work(dict(reversed(APP.items())))
    first.package()
    second.package()
    assert first.destination.read_bytes() == second.destination.read_bytes()


BROKEN = [
    ({}, {"path": "gone"}, "InvalidChartReference", "no chart found at path 'gone'"),
    ({}, {"path": "prod.yaml"}, "InvalidChartReference", "chart at 'prod.yaml'"),
    ({"app/Chart.yaml": "a: ["}, {}, "InvalidChartReference", "chart at 'app'"),
    ({"app/.helmignore": "**"}, {}, "ChartPackageError", "double-star"),
    ({"app/.helmignore": "Chart.yaml"}, {}, "ChartPackageError", "Chart.yaml is missing"),
    ({"app/big": "x" * 200}, {"file": 100}, "ChartPackageError", "big"),
    ({"app/big": "x" * 200}, {"chart": 150}, "ChartPackageError", "exceeds 150 bytes"),
]


@pytest.mark.parametrize(("files", "options", "kind", "message"), BROKEN)
def test_what_cannot_be_packaged(work, files, options, kind, message):
    with pytest.raises(JobError) as caught:
        work(APP | files, **options).package()
    assert caught.value.type == kind
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a/Chart.yaml": CHART, "b/x": ""}, "one folder and nothing beside it"),
        ({"Chart.yaml": CHART}, "one folder and nothing beside it"),
        ({"a/values.yaml": ""}, "Chart.yaml is missing"),
        ({"a/Chart.yaml": CHART, "a/big": "x" * 6_000_000}, "exceeds limit"),
    ],
)
def test_archives_that_are_no_charts(work, archive, content, message):
    with pytest.raises(JobError) as caught:
        work({"app.tgz": archive(content)}, "app.tgz").inspect()
    assert caught.value.type == "InvalidChartReference"
    assert message in caught.value.message


def test_a_large_archive_is_not_unpacked(work, archive):
    packaged = archive({"a/Chart.yaml": CHART})
    with pytest.raises(JobError, match="exceeds 50 bytes limit"):
        work({"app.tgz": packaged}, "app.tgz", chart=50).inspect()
