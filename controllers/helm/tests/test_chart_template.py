"""The HelmChart that `spec.chart` describes."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.helm.chart_template import describe, is_current

SOURCE = {"kind": "GitRepository", "name": "charts"}


def described(raw):
    return describe(decode(HELM_RELEASE, raw), raw)


def test_it_is_named_after_the_release_and_takes_its_interval(helm_release):
    chart = described(helm_release())
    assert chart["metadata"] == {
        "name": "default-app",
        "namespace": "default",
        "labels": {
            "helm.toolkit.fluxcd.io/name": "app",
            "helm.toolkit.fluxcd.io/namespace": "default",
        },
    }
    assert chart["spec"] == {"chart": "./app", "interval": "10m", "sourceRef": SOURCE}


def test_everything_said_of_it_is_passed_on(helm_release):
    spec = {
        "chart": "app",
        "version": ">=1",
        "interval": "5m",
        "sourceRef": {**SOURCE, "namespace": "sources"},
        "reconcileStrategy": "Revision",
        "valuesFiles": ["a.yaml"],
        "ignoreMissingValuesFiles": True,
    }
    metadata = {"labels": {"team": "a"}, "annotations": {"note": "b"}}
    chart = described(helm_release(chart={"metadata": metadata, "spec": spec}))
    assert chart["metadata"]["namespace"] == "sources"
    assert chart["metadata"]["labels"]["team"] == "a"
    assert chart["metadata"]["annotations"] == {"note": "b"}
    assert chart["spec"] == {**spec, "sourceRef": SOURCE}


@pytest.mark.parametrize(
    ("change", "current", "reason"),
    [
        ({}, True, "the same"),
        ({"version": "*", "reconcileStrategy": "ChartVersion"}, True, "defaults of the server"),
        ({"version": "1.x"}, False, "another version"),
        ({"valuesFiles": ["a"]}, False, "a field that is no longer wanted"),
        ({"interval": "1m"}, False, "another interval"),
    ],
)
def test_whether_a_live_one_is_as_described(helm_release, change, current, reason):
    chart = described(helm_release())
    live = {**chart, "spec": {**chart["spec"], **change}}
    assert is_current(live, chart) is current, reason


def test_labels_of_others_do_not_matter_and_own_ones_do(helm_release):
    chart = described(helm_release())
    labels = chart["metadata"]["labels"]
    more = {**chart, "metadata": {**chart["metadata"], "labels": {**labels, "x": "y"}}}
    assert is_current(more, chart)
    assert not is_current({**chart, "metadata": {"labels": {}}}, chart)
