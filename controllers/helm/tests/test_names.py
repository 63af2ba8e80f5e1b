"""Names and namespaces that a spec leaves open."""

import pytest

from fluvial.helm import names


@pytest.mark.parametrize(
    ("spec", "expected", "reason"),
    [
        ({}, "app", "the object's own name"),
        ({"targetNamespace": "prod"}, "prod-app", "with the target namespace before it"),
        ({"targetNamespace": "prod", "releaseName": "r"}, "r", "unless it is given"),
    ],
)
def test_release_name(model, spec, expected, reason):
    assert names.release_name(model(**spec)) == expected, reason


def test_a_long_name_is_cut_and_told_apart():
    assert names.shorten("a" * 53) == "a" * 53
    # The suffix is what sha256sum prints for the whole name.
    assert names.shorten("a" * 54) == "a" * 40 + "-a3f01b693925"
    one, other = names.shorten("a" * 60), names.shorten("a" * 61)
    assert len(one) == len(other) == 53
    assert one != other


def test_places(model):
    obj = model(targetNamespace="prod", storageNamespace="store")
    assert names.release_namespace(obj) == "prod"
    assert names.storage_namespace(obj) == "store"
    assert names.storage_namespace(model()) == names.release_namespace(model()) == "default"


def test_the_helm_chart_is_made_where_its_source_is(model):
    source = {"kind": "GitRepository", "name": "charts", "namespace": "sources"}
    obj = model(chart={"spec": {"chart": "app", "sourceRef": source}})
    assert names.chart_name(obj) == ("sources", "default-app")
    assert names.chart_name(model(chartRef={"kind": "HelmChart", "name": "c"})) == ("default", "c")


def test_timeouts_and_history(model):
    assert names.action_timeout(model()) == 300
    assert names.action_timeout(model(timeout="1m")) == 60
    assert names.action_timeout(model(timeout="1m"), "10s") == 10
    assert names.max_history(model()) == 5
    assert names.max_history(model(maxHistory=0)) == 0
