"""Normalisation: what is sent is not always what is written."""

import base64
import copy

import pytest

from fluvial.toolkit.apply import Owner, expand, normalize


def obj(api_version="v1", kind="ConfigMap", metadata=None, **rest):
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", **(metadata or {})},
        **rest,
    }


POD = {
    "initContainers": [{"name": "i", "ports": [{"containerPort": 1}]}],
    "containers": [{"name": "c", "ports": [{"containerPort": 80}, {"protocol": "UDP"}]}],
}
POD_AFTER = {
    "initContainers": [{"name": "i", "ports": [{"containerPort": 1}]}],
    "containers": [
        {"name": "c", "ports": [{"containerPort": 80, "protocol": "TCP"}, {"protocol": "UDP"}]}
    ],
}
BUNDLE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----").decode()


def conversion(**config):
    return {"conversion": {"webhook": {"clientConfig": config}}}


CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (obj(status={"a": 1}), obj(), "status is the controller's"),
        (obj(*CRD, status={"a": 1}), obj(*CRD, status={"a": 1}), "a definition keeps it"),
        (obj(metadata={"creationTimestamp": None}), obj(), "Go writes it null"),
        (obj(metadata={"managedFields": []}), obj(), "an apply must not have them"),
        (obj(metadata={"labels": None}), obj(), "null would remove them"),
        (obj(metadata={"annotations": {}}), obj(), "nothing to say"),
        (
            obj(kind="Secret", data={"a": "eA=="}, stringData={"a": "é", "b": ""}),
            obj(kind="Secret", data={"a": "w6k=", "b": ""}),
            "stringData wins over data",
        ),
        (
            obj("example.com/v1", "Secret", stringData={"a": "x"}),
            obj("example.com/v1", "Secret", stringData={"a": "x"}),
            "only the real Secret",
        ),
        (
            obj(kind="Service", spec={"ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]}),
            obj(
                kind="Service",
                spec={"ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
            ),
            "ports of a Service",
        ),
        (obj(kind="Pod", spec=POD), obj(kind="Pod", spec=POD_AFTER), "containers, not init ones"),
        (
            obj("apps/v1", "Deployment", spec={"template": {"spec": POD}}),
            obj("apps/v1", "Deployment", spec={"template": {"spec": POD_AFTER}}),
            "containers of a workload",
        ),
        (
            obj("batch/v1", "CronJob", spec={"jobTemplate": {"spec": {"template": {"spec": POD}}}}),
            obj(
                "batch/v1",
                "CronJob",
                spec={"jobTemplate": {"spec": {"template": {"spec": POD_AFTER}}}},
            ),
            "containers of a CronJob",
        ),
        (
            obj("example.com/v1", "Deployment", spec={"template": {"spec": POD}}),
            obj("example.com/v1", "Deployment", spec={"template": {"spec": POD}}),
            "not of kinds that only look like it",
        ),
        (
            obj("apps/v1", "Deployment", spec={"template": {"spec": {"containers": "?"}}}),
            obj("apps/v1", "Deployment", spec={"template": {"spec": {"containers": "?"}}}),
            "nonsense is for the server to refuse",
        ),
        (
            obj(*CRD, spec=conversion(caBundle=BUNDLE)),
            obj(*CRD, spec=conversion(caBundle=BUNDLE)),
            "a sound bundle stays",
        ),
        (
            obj(*CRD, spec=conversion(caBundle="Cg==", url="x")),
            obj(*CRD, spec=conversion(url="x")),
            "a placeholder that the server would refuse goes",
        ),
        (
            obj(*CRD, spec=conversion(caBundle="not base64!")),
            obj(*CRD, spec=conversion()),
            "so does what does not decode",
        ),
    ],
)
def test_normalize(before, after, reason):
    original = copy.deepcopy(before)
    assert normalize(before) == after, reason
    assert before == original, "the caller's object is not touched"


def test_owner_labels_then_common_metadata():
    labelled = normalize(
        obj(metadata={"labels": {"app": "x", "team": "a"}}),
        Owner("g", "n", "ns"),
        {"team": "b", "g/name": "other"},
        {"note": "y"},
    )
    assert labelled["metadata"]["labels"] == {
        "app": "x",
        "team": "b",
        "g/name": "other",
        "g/namespace": "ns",
    }
    assert labelled["metadata"]["annotations"] == {"note": "y"}


@pytest.mark.parametrize(
    ("documents", "names", "reason"),
    [
        ([obj()], ["x"], "an object"),
        ([obj(kind="ConfigMapList", items=[obj(), obj()])], ["x", "x"], "a typed list"),
        ([obj(kind="List", items=[obj(kind="List", items=[obj()])])], ["x"], "a list of lists"),
        ([obj(kind="AllowList")], ["x"], "a kind that only ends so"),
        ([{"kind": "ConfigMap", "metadata": {"name": "x"}}], [], "no apiVersion"),
        ([{"apiVersion": "v1", "metadata": {"name": "x"}}], [], "no kind"),
        ([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": None}], [], "no name"),
        ([obj("kustomize.config.k8s.io/v1beta1", "Kustomization")], [], "kustomize's own"),
        ([obj("kustomize.toolkit.fluxcd.io/v1", "Kustomization")], ["x"], "not kustomize's own"),
    ],
)
def test_expand(documents, names, reason):
    assert [one["metadata"]["name"] for one in expand(documents)] == names, reason
