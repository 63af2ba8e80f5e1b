"""Decoding is as tolerant as Go's, and says clearly what it cannot read."""

import copy

import msgspec
import pytest

from fluvial.apis import DecodeError, decode, decode_list, encode
from fluvial.apis.kinds import CANARY, GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION


def git(**spec):
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"namespace": "flux-system", "name": "apps"},
        "spec": {"url": "https://example.com/a.git", "interval": "1m", **spec},
    }


def canary(**analysis):
    return {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "service": {"port": 80},
            "analysis": analysis,
        },
    }


@pytest.mark.parametrize(
    ("spec", "attribute", "value", "reason"),
    [
        ({}, "timeout", "60s", "a default as the API server fills it in"),
        ({"timeout": "1m"}, "timeout", "1m", "a value is kept"),
        ({"timeout": None}, "timeout", "60s", "null is absence"),
        ({"suspend": None}, "suspend", False, "for scalars"),
        ({"include": None}, "include", [], "for lists"),
        ({"ref": None}, "ref", None, "for objects"),
        ({"sparseCheckout": ["a", None, "b"]}, "sparse_checkout", ["a", "b"], "inside a list"),
        ({"novelty": {"a": 1}}, "suspend", False, "unknown fields are ignored"),
        ({"interval": "soon"}, "interval", "soon", "patterns are the API server's concern"),
        ({"provider": "moon"}, "provider", "moon", "so are enums"),
        ({"ignore": ""}, "ignore", "", "empty differs from absent where Go has a pointer"),
    ],
)
def test_tolerated(spec, attribute, value, reason):
    assert getattr(decode(GIT_REPOSITORY, git(**spec)).spec, attribute) == value, reason


@pytest.mark.parametrize(
    ("field", "attribute", "raw", "value", "reason"),
    [
        ("threshold", "threshold", 5, 5, "whole numbers as they are"),
        ("threshold", "threshold", 5.0, 5, "whole in fact"),
        ("threshold", "threshold", 5.4, 5, "rounded down"),
        ("threshold", "threshold", 5.6, 6, "rounded up"),
        ("threshold", "threshold", 2.5, 2, "halves to even"),
        ("stepWeights", "step_weights", [1.2, 5, 10.9], [1, 5, 11], "inside a list"),
        ("maxWeight", "max_weight", 49.9, 50, "every number of the analysis"),
    ],
)
def test_fractions_are_rounded(field, attribute, raw, value, reason):
    assert getattr(decode(CANARY, canary(**{field: raw})).spec.analysis, attribute) == value, reason


def test_thresholds_keep_their_fractions():
    metrics = [{"name": "errors", "thresholdRange": {"max": 0.5}, "threshold": 99.5}]
    metric = decode(CANARY, canary(metrics=metrics)).spec.analysis.metrics[0]
    assert (metric.threshold_range.max, metric.threshold) == (0.5, 99.5)


@pytest.mark.parametrize(
    ("obj", "message", "reason"),
    [
        (
            {"metadata": {"name": "a", "namespace": "b"}},
            "GitRepository b/a: object: Object missing required field `spec`",
            "names the object",
        ),
        ({"metadata": {"name": "a"}}, "GitRepository a: object", "also without a namespace"),
        ({}, "GitRepository: object", "or a name"),
        (git(url=1), "GitRepository flux-system/apps: spec.url: Expected `str`", "the field"),
        (git(url=1.5), "spec.url: Expected `str`, got `float`", "a fraction is no text"),
        (git(url=None), "spec: Object missing required field `url`", "required and null"),
        (git(suspend="true"), "spec.suspend: Expected `bool`", "text is no boolean"),
        (git(include=[{"repository": {"name": 1}}]), "spec.include[0].repository.name", "a place"),
        (git(ref=[]), "spec.ref: Expected `object", "a list is no object"),
        ({"metadata": "a"}, "GitRepository: metadata: Expected `object`", "nameless objects too"),
        (["a"], "GitRepository: object: Expected `object`", "what is no object at all"),
    ],
)
def test_refused(obj, message, reason):
    with pytest.raises(DecodeError) as caught:
        decode(GIT_REPOSITORY, obj)
    assert message in str(caught.value), reason


def test_the_error_carries_its_parts():
    with pytest.raises(DecodeError) as caught:
        decode(GIT_REPOSITORY, git(suspend="true"))
    error = caught.value
    assert error.name == "GitRepository flux-system/apps"
    assert error.path == "spec.suspend"
    assert error.expected == "Expected `bool`, got `str`"


def test_the_object_is_not_changed():
    obj = git(timeout=None, sparseCheckout=[None, "a"])
    before = copy.deepcopy(obj)
    decode(GIT_REPOSITORY, obj)
    assert obj == before


def test_one_broken_object_does_not_hide_the_others():
    models, errors = decode_list(GIT_REPOSITORY, [git(), git(suspend=3), git(suspend=True)])
    assert [model.spec.suspend for model in models] == [False, True]
    assert [error.path for error in errors] == ["spec.suspend"]


def test_many_odd_values_cost_as_much_as_one(monkeypatch):
    calls = []
    convert = msgspec.convert

    def counted(obj, type):
        calls.append(type)
        return convert(obj, type)

    monkeypatch.setattr(msgspec, "convert", counted)
    hooks = [{"name": "a", "url": "http://a", "retries": 1.5} for _ in range(500)]
    decoded = decode(CANARY, canary(webhooks=hooks, stepWeights=[1.5] * 500))
    assert {hook.retries for hook in decoded.spec.analysis.webhooks} == {2}
    assert len(calls) == 3, "one try, and one after each of the two fields"


def test_nulls_in_helm_values_are_values():
    obj = {
        "metadata": {"name": "a"},
        "spec": {"interval": "1m", "suspend": None, "values": {"image": None, "list": [None, 1.5]}},
    }
    assert decode(HELM_RELEASE, obj).spec.values == {"image": None, "list": [None, 1.5]}


def test_a_null_in_a_map_is_absent():
    obj = {
        "metadata": {"name": "a", "labels": {"x": None, "y": "1"}},
        "spec": {"interval": "1m", "prune": True, "sourceRef": {"kind": "Bucket", "name": "b"}},
    }
    assert decode(KUSTOMIZATION, obj).metadata.labels == {"y": "1"}


def test_an_undefaulted_object_is_encoded_as_a_defaulted_one():
    assert encode(decode(GIT_REPOSITORY, git())) == {
        **git(timeout="60s"),
        "status": {"observedGeneration": -1},
    }


@pytest.mark.parametrize("port", [8080, "http"])
def test_a_target_port_is_a_number_or_a_name(port):
    obj = canary()
    obj["spec"]["service"]["targetPort"] = port
    assert decode(CANARY, obj).spec.service.target_port == port


def test_a_canary_status_always_says_where_it_stands():
    assert encode(decode(CANARY, canary()))["status"] == {
        "phase": "",
        "failedChecks": 0,
        "canaryWeight": 0,
        "iterations": 0,
    }
