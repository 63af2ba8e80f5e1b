"""Stages, and the order within them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.ids import GroupKind, ObjectId
from fluvial.toolkit.apply import Stage, order, stage, stages


@pytest.mark.parametrize(
    ("kind", "expected", "reason"),
    [
        (GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"), 1, "definitions first"),
        (GroupKind("", "Namespace"), 1, "spaces for the rest"),
        (GroupKind("rbac.authorization.k8s.io", "ClusterRole"), 1, "roles are aggregated"),
        (GroupKind("other.io", "Namespace"), 4, "the group counts"),
        (GroupKind("storage.k8s.io", "StorageClass"), 2, "a class"),
        (GroupKind("cluster.x-k8s.io", "ClusterClass"), 2, "anything named so is a class"),
        (GroupKind("example.com", "Early"), 3, "asked for by flag"),
        (GroupKind("rbac.authorization.k8s.io", "ClusterRoleBinding"), 4, "the rest"),
        (GroupKind("apps", "Deployment"), 4, "the rest"),
    ],
)
def test_stage(kind, expected, reason):
    assert stage(kind, {GroupKind("example.com", "Early")}) is Stage(expected), reason


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (("", "Namespace", "", "z"), ("", "ConfigMap", "a", "a"), "the list of kinds"),
        (("", "ServiceAccount", "n", "z"), ("", "Secret", "n", "a"), "the list of kinds"),
        (
            ("policy", "PodDisruptionBudget", "n", "a"),
            ("", "Pod", "n", "a"),
            "listed before others",
        ),
        (
            ("example.com", "Zebra", "n", "z"),
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "", "a"),
            "webhooks last: they would judge the others",
        ),
        (("a.io", "Zebra", "n", "z"), ("b.io", "Ant", "n", "a"), "then the group"),
        (("a.io", "Ant", "z", "z"), ("a.io", "Bee", "a", "a"), "then the kind"),
        (("a.io", "Ant", "a", "z"), ("a.io", "Ant", "b", "a"), "then the namespace"),
        (("a.io", "Ant", "a", "a"), ("a.io", "Ant", "a", "b"), "then the name"),
    ],
)
def test_order(first, second, reason):
    one, two = ObjectId(*first), ObjectId(*second)
    assert order([two, one]) == [one, two], reason
    assert order([one, two], reverse=True) == [two, one], reason


KINDS = ["Namespace", "ConfigMap", "Deployment", "StorageClass", "Zebra", "ClusterRole"]
IDS = st.builds(
    ObjectId,
    st.sampled_from(["", "apps", "rbac.authorization.k8s.io"]),
    st.sampled_from(KINDS),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["x", "y", "z"]),
)


@given(st.lists(IDS, unique=True), st.randoms())
def test_the_order_does_not_depend_on_the_input(ids, random):
    shuffled = list(ids)
    random.shuffle(shuffled)
    assert order(shuffled) == order(ids)
    assert order(ids, reverse=True) == order(ids)[::-1]


@given(st.lists(IDS, unique=True))
def test_stages_hold_every_object_once_in_order(ids):
    objects = [
        {
            "apiVersion": f"{one.group}/v1" if one.group else "v1",
            "kind": one.kind,
            "metadata": {"name": one.name, "namespace": one.namespace},
        }
        for one in ids
    ]
    split = stages(objects)
    assert [which for which, _ in split] == sorted({which for which, _ in split})
    flat = [ObjectId.from_object(obj) for _, members in split for obj in members]
    assert sorted(flat) == sorted(ids)
    for which, members in split:
        inside = [ObjectId.from_object(obj) for obj in members]
        assert inside == order(inside)
        assert {stage(one.group_kind) for one in inside} == {which}
