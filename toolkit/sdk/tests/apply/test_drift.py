"""What is drift, what may be shown of it, and who did it."""

import pytest

from fluvial.toolkit.apply import MISSING, FieldChange
from fluvial.toolkit.apply.drift import differences, drifted, mask, rivals


def obj(kind="ConfigMap", spec=None, labels=None, annotations=None, status=None, **metadata):
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "x", "labels": labels, "annotations": annotations, **metadata},
        "spec": spec or {},
        "status": status,
    }


@pytest.mark.parametrize(
    ("live", "answer", "expected", "reason"),
    [
        (obj(), obj(), False, "equal"),
        (obj(spec={"a": 1}), obj(spec={"a": 2}), True, "a field"),
        (obj(spec={"a": 1}), obj(), True, "a field that goes"),
        (obj(), obj(spec={"a": None}), True, "null is not missing"),
        (obj(spec={"a": True}), obj(spec={"a": 1}), True, "true is not 1"),
        (obj(spec={"a": [1, 2]}), obj(spec={"a": [1]}), True, "a list"),
        (obj(labels={"a": "b"}), obj(labels={"a": "c"}), True, "a label"),
        (obj(annotations={"a": "b"}), obj(), True, "an annotation"),
        (obj(labels={}), obj(labels=None), False, "no labels either way"),
        (obj(status={"a": 1}), obj(status={"a": 2}), False, "not status"),
        (obj(generation=1), obj(generation=2), False, "not generation"),
        (obj(finalizers=["a"]), obj(), False, "not finalizers"),
        (obj(ownerReferences=[{}]), obj(), False, "not owner references"),
        (obj(managedFields=[{}]), obj(), False, "not managed fields"),
        (
            obj("HorizontalPodAutoscaler", {"metrics": [{"a": 1}]}),
            obj("HorizontalPodAutoscaler", {"metrics": [{"a": 1}, {"a": 1}]}),
            False,
            "an old server repeats the metrics of an HPA",
        ),
        (
            obj("Other", {"metrics": [{"a": 1}]}),
            obj("Other", {"metrics": [{"a": 1}, {"a": 1}]}),
            True,
            "but only there",
        ),
    ],
)
def test_drifted(live, answer, expected, reason):
    assert drifted(live, answer) is expected, reason


def test_differences_go_down_to_the_field():
    live = obj(spec={"a": {"b": [1, {"c": 2}]}, "gone": 1})
    answer = obj(spec={"a": {"b": [1, {"c": 3}, 4]}, "new/": 1})
    assert mask(answer, differences(live, answer)) == [
        FieldChange("/spec/a/b/1/c", 2, 3),
        FieldChange("/spec/a/b/2", MISSING, 4),
        FieldChange("/spec/gone", 1, MISSING),
        FieldChange("/spec/new~1", MISSING, 1),
    ]


def secret(**fields):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, **fields}


@pytest.mark.parametrize(
    ("live", "answer", "expected", "reason"),
    [
        (
            secret(data={"k": "b2xk"}),
            secret(data={"k": "bmV3"}),
            [FieldChange("/data/k", "*** (before)", "*** (after)")],
            "changed",
        ),
        (
            secret(),
            secret(data={"k": "bmV3"}),
            [FieldChange("/data", MISSING, {"k": "***"})],
            "all of it is new: the keys may be seen",
        ),
        (
            secret(type="Opaque"),
            secret(type="x"),
            [FieldChange("/type", "Opaque", "x")],
            "what is no data is no secret",
        ),
    ],
)
def test_secrets_are_masked(live, answer, expected, reason):
    assert mask(answer, differences(live, answer)) == expected, reason


def test_rivals_are_those_who_own_what_differs():
    live = obj(
        spec={"replicas": 5, "image": "x"},
        managedFields=[
            {"manager": "us", "operation": "Apply", "fieldsV1": {"f:spec": {"f:image": {}}}},
            {"manager": "hpa", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "other", "operation": "Update", "fieldsV1": {"f:spec": {"f:x": {}}}},
            {
                "manager": "kube-controller-manager",
                "operation": "Update",
                "subresource": "scale",
                "fieldsV1": {"f:spec": {"f:replicas": {}}},
            },
            {
                "manager": "status",
                "operation": "Update",
                "subresource": "status",
                "fieldsV1": {"f:spec": {"f:replicas": {}}},
            },
        ],
    )
    found = differences(live, obj(spec={"replicas": 2, "image": "y"}))
    assert rivals(live, "us", found) == ("hpa", "kube-controller-manager")
