import pytest

from fluvial.source.helmchart.errors import InvalidChartReference
from fluvial.source.helmchart.metadata import ChartMetadata

GOOD = "apiVersion: v2\nname: app\nversion: 1.2.3\n"


def read(chart, **files):
    found = {"Chart.yaml": chart.encode()}
    return ChartMetadata.of(
        found | {name.replace("_", "."): text.encode() for name, text in files.items()}
    )


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        (GOOD, "what is required"),
        (GOOD + "type: library\n", "a library"),
        (GOOD + "icon: x\nunknown: [1]\n", "fields that are not ours"),
        (GOOD.replace("1.2.3", "v1.2"), "a version that Helm completes"),
        (GOOD.replace("name: app", "name: App_1.x"), "a name beyond lower case"),
        (GOOD + "dependencies: [{name: a}, {name: a, alias: b}]\n", "one chart under two names"),
    ],
)
def test_what_helm_accepts(chart, reason):
    assert read(chart).version, reason


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        ("", "apiVersion is required"),
        ("name: app\nversion: 1.2.3\n", "apiVersion is required"),
        ("apiVersion: v2\nversion: 1.2.3\n", "name is required"),
        ("apiVersion: v2\nname: app\n", "version is required"),
        (GOOD.replace("v2", "v3"), "'v3' is neither v1 nor v2"),
        (GOOD.replace("1.2.3", "latest"), "'latest' is invalid"),
        (GOOD.replace("1.2.3", "1.2.3-01"), "'1.2.3-01' is invalid"),
        (GOOD.replace("app", "a/b"), "'a/b' is invalid"),
        (GOOD.replace("app", ".."), "'..' is invalid"),
        (GOOD.replace("app", r"'a\b'"), "is invalid"),
        (GOOD.replace("app", "x" * 251), "is invalid"),
        (GOOD + "type: plugin\n", "type must be application or library"),
        (GOOD + "dependencies: [{name: a, alias: 'b c'}]\n", "disallowed characters"),
        (GOOD + "dependencies: [{name: a}, {name: b, alias: a}]\n", "more than one dependency"),
        (GOOD.replace("1.2.3", "[1]"), "cannot load Chart.yaml"),
        ("- a\n", "cannot load Chart.yaml"),
        ("a: [\n", "cannot load Chart.yaml"),
    ],
)
def test_what_helm_refuses(chart, message):
    with pytest.raises(InvalidChartReference) as caught:
        read(chart)
    assert message in str(caught.value)


def test_no_chart():
    with pytest.raises(InvalidChartReference, match=r"Chart\.yaml is missing"):
        ChartMetadata.of({"values.yaml": b""})


@pytest.mark.parametrize(("version", "expected"), [("v1", ["redis"]), ("v2", [])])
def test_dependencies_of_the_first_api_are_in_a_file_of_their_own(version, expected):
    found = read(GOOD.replace("v2", version), requirements_yaml="dependencies: [{name: redis}]")
    assert [dependency.name for dependency in found.dependencies or ()] == expected
