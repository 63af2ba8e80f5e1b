import pytest

from fluvial.source.helmchart.dependencies import add_missing
from fluvial.source.helmchart.errors import DependencyBuildError
from fluvial.source.helmchart.files import ChartFiles, Sizes

LIB = "apiVersion: v2\nname: lib\nversion: 1.5.0\n"
LOCAL = "{name: lib, version: 1.x, repository: 'file://../lib'}"
REMOTE = "{name: redis, version: 1.x, repository: 'https://charts.example.com'}"


def metadata(*dependencies, api="v2"):
    listed = f"dependencies: [{', '.join(dependencies)}]\n" if dependencies else ""
    return f"apiVersion: {api}\nname: app\nversion: 1.0.0\n{listed}"


@pytest.fixture
def build(write):
    """Add what is missing to a chart at charts/app; returns the names that were added."""

    def build(files, beside=None):
        root = write({"charts/app/x": "", **(beside or {})})
        chart = ChartFiles(
            {
                name: content if isinstance(content, bytes) else content.encode()
                for name, content in files.items()
            }
        )
        before = set(chart.files)
        add_missing(chart, root, "charts/app", Sizes())
        return set(chart.files) - before

    return build


def test_none_are_needed(build):
    assert build({"Chart.yaml": metadata(), "charts/broken/Chart.yaml": "["}) == set()


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("charts/redis/Chart.yaml", "a folder"),
        ("charts/other/Chart.yaml", "of whatever name"),
        ("charts/redis-1.0.0.tgz", "an archive"),
    ],
)
def test_what_is_vendored_stays(build, archive, place, reason):
    content = "apiVersion: v2\nname: redis\nversion: 1.0.0\n"
    if place.endswith(".tgz"):
        content = archive({"redis/Chart.yaml": content})
    assert build({"Chart.yaml": metadata(REMOTE), place: content}) == set(), reason


@pytest.mark.parametrize(
    "place", ["charts/_redis/Chart.yaml", "charts/.redis/Chart.yaml", "charts/a/b/Chart.yaml"]
)
def test_what_helm_does_not_look_at_does_not_count(build, place):
    content = "apiVersion: v2\nname: redis\nversion: 1.0.0\n"
    with pytest.raises(DependencyBuildError, match="not in charts/"):
        build({"Chart.yaml": metadata(REMOTE), place: content})


def test_a_chart_of_the_same_source(build):
    beside = {
        "charts/lib/Chart.yaml": LIB,
        "charts/lib/templates/a.yaml": "a",
        "charts/lib/.helmignore": "*.md",
        "charts/lib/README.md": "",
    }
    assert build({"Chart.yaml": metadata(LOCAL)}, beside) == {
        "charts/lib/Chart.yaml",
        "charts/lib/templates/a.yaml",
        "charts/lib/.helmignore",
    }


def test_the_lock_says_what_is_needed(build):
    lock = "dependencies: [{name: lib, version: 1.5.0, repository: 'file://../lib'}]"
    files = {"Chart.yaml": metadata(REMOTE), "Chart.lock": lock}
    assert build(files, {"charts/lib/Chart.yaml": LIB}) == {"charts/lib/Chart.yaml"}


def test_the_first_api_has_files_of_its_own(build):
    files = {"Chart.yaml": metadata(api="v1"), "requirements.yaml": f"dependencies: [{LOCAL}]"}
    assert build(files, {"charts/lib/Chart.yaml": LIB}) == {"charts/lib/Chart.yaml"}


@pytest.mark.parametrize(
    ("dependency", "message"),
    [
        (REMOTE, "repository 'https://charts.example.com' is not in charts/"),
        ("{name: redis, repository: '@stable'}", "repository '@stable' is not in charts/"),
        ("{name: redis}", "no repository is not in charts/"),
        ("{name: lib, repository: 'file://../gone'}", "no chart found at 'charts/gone'"),
        ("{name: lib, repository: 'file://../../../../gone'}", "no chart found at 'gone'"),
        (LOCAL.replace("1.x", "2.x"), "version '1.5.0' at 'charts/lib' is not in the range '2.x'"),
        (LOCAL.replace("1.x", "latest"), "improper constraint"),
        (LOCAL.replace("lib'", "empty'"), "Chart.yaml is missing"),
    ],
)
def test_what_cannot_be_had(build, dependency, message):
    beside = {"charts/lib/Chart.yaml": LIB, "charts/empty/x": ""}
    with pytest.raises(DependencyBuildError) as caught:
        build({"Chart.yaml": metadata(dependency)}, beside)
    assert message in str(caught.value)


def test_a_vendored_archive_that_is_none(build):
    with pytest.raises(DependencyBuildError, match=r"charts/redis\.tgz"):
        build({"Chart.yaml": metadata(REMOTE), "charts/redis.tgz": b"x"})
