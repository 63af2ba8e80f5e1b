import pytest

from fluvial.apis.source import HelmChart, HelmChartSourceReference, HelmChartSpec
from fluvial.source.helmchart.errors import MetadataPatchError
from fluvial.source.helmchart.jobs import FoundChart
from fluvial.source.helmchart.state import (
    Build,
    Keep,
    State,
    Wanted,
    decide,
    summary,
    values_files,
    wanted,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REVISION = f"main@sha1:{COMMIT}"
APP = Wanted("app", "1.0.0", packaged=True)


def chart(generation=3, **spec):
    obj = HelmChart(
        spec=HelmChartSpec(
            chart="charts/app",
            interval="1m",
            source_ref=HelmChartSourceReference(kind="GitRepository", name="apps"),
            **spec,
        )
    )
    obj.metadata.generation = generation
    return obj


@pytest.mark.parametrize(
    ("stored", "edited", "action", "reason"),
    [
        (None, False, Build(APP, outdated=False), "nothing is there that could be outdated"),
        (None, True, Build(APP, outdated=False), "nor with a new spec"),
        (("app", "1.0.0"), False, Keep(APP), "the wanted one is stored"),
        (("app", "1.0.0"), True, Build(APP, outdated=False), "an edit may change the content"),
        (("app", "0.9.0"), False, Build(APP, outdated=True), "another version"),
        (("old", "1.0.0"), False, Build(APP, outdated=True), "another chart"),
    ],
)
def test_decide(stored, edited, action, reason):
    assert decide(State(stored, APP, edited)) == action, reason


REVISED = {"reconcile_strategy": "Revision"}
VALUES = {"values_files": ["prod.yaml"]}


@pytest.mark.parametrize(
    ("spec", "version", "expected", "reason"),
    [
        ({}, "1.2.3", "1.2.3", "as the chart has it"),
        ({}, "v1.2", "v1.2", "even where it is no full version"),
        (REVISED, "1.2.3", "1.2.3+0123456789ab", "twelve digits of the commit"),
        (VALUES, "1.2.3", "1.2.3+3", "the generation"),
        (REVISED | VALUES, "1.2.3", "1.2.3+0123456789ab.3", "both"),
        (VALUES, "1.2.3-rc.1+abc", "1.2.3-rc.1+3", "metadata of the chart's own goes"),
        (VALUES, "v1.2", "1.2.0+3", "a version that takes metadata is a full one"),
        ({"values_files": ["./values.yaml"]}, "1.2.3", "1.2.3", "the chart's own values"),
        ({"values_files": ["values.yaml", "b"]}, "1.2.3", "1.2.3+3", "more than its own"),
    ],
)
def test_the_version_that_is_offered(spec, version, expected, reason):
    found = FoundChart("app", version, is_folder=True)
    assert wanted(chart(**spec), found, REVISION).version == expected, reason


@pytest.mark.parametrize("revision", [REVISION, f"sha1:{COMMIT}", f"feature/x/{COMMIT}"])
def test_every_form_of_a_revision_gives_the_same_metadata(revision):
    found = FoundChart("app", "1.0.0", is_folder=True)
    assert wanted(chart(**REVISED), found, revision).version == "1.0.0+0123456789ab"


def test_a_version_that_takes_no_metadata():
    with pytest.raises(MetadataPatchError, match="latest"):
        wanted(chart(**VALUES), FoundChart("app", "latest", is_folder=True), REVISION)


@pytest.mark.parametrize(
    ("spec", "is_folder", "reason"),
    [
        ({}, False, "ChartPullSucceeded"),
        ({}, True, "ChartPackageSucceeded"),
        (VALUES, False, "ChartPackageSucceeded"),
        (REVISED, False, "ChartPackageSucceeded"),
    ],
)
def test_only_what_is_copied_was_pulled(spec, is_folder, reason):
    found = FoundChart("app", "1.0.0", is_folder=is_folder)
    assert wanted(chart(**spec), found, REVISION).reason == reason


def test_the_summary():
    assert summary(APP, []) == "packaged 'app' chart with version '1.0.0'"
    pulled = APP._replace(packaged=False)
    assert summary(pulled, ["a", "b/c"]) == (
        "pulled 'app' chart with version '1.0.0' and merged values files [a b/c]"
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], []),
        (["values.yaml"], []),
        (["x/../values.yaml"], []),
        (["a/values.yaml"], ["a/values.yaml"]),
        (["values.yaml", "values.yaml"], ["values.yaml", "values.yaml"]),
    ],
)
def test_the_values_files_that_are_merged(files, expected):
    assert values_files(chart(values_files=files)) == expected
