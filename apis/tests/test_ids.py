"""Identities in the forms that statuses and inventories use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.ids import GroupKind, GroupVersionKind, ObjectId, split_api_version

DEPLOYMENT = ObjectId("apps", "Deployment", "shop", "web")
ROLE = ObjectId("rbac.authorization.k8s.io", "ClusterRole", "", "system:node")


@pytest.mark.parametrize(
    ("identity", "text", "reason"),
    [
        (DEPLOYMENT, "shop_web_apps_Deployment", "the common case"),
        (ObjectId("", "Service", "shop", "web"), "shop_web__Service", "the core group is empty"),
        (ObjectId("", "Namespace", "", "shop"), "_shop__Namespace", "cluster scope too"),
        (ROLE, "_system__node_rbac.authorization.k8s.io_ClusterRole", "a colon is doubled"),
    ],
)
def test_inventory_form(identity, text, reason):
    assert identity.inventory_id == text, reason
    assert ObjectId.parse(text) == identity, reason


@pytest.mark.parametrize("text", ["", "a_b", "a_b_c", "ns__group_Kind", "ns_name_group_"])
def test_not_an_inventory_id(text):
    with pytest.raises(ValueError, match="not an inventory id"):
        ObjectId.parse(text)


LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)


@given(
    group=st.just("") | LABEL,
    kind=st.from_regex(r"[A-Z][A-Za-z]{0,8}", fullmatch=True),
    namespace=st.just("") | LABEL,
    name=st.lists(LABEL, min_size=1, max_size=3).map(":".join),
)
def test_inventory_form_loses_nothing(group, kind, namespace, name):
    identity = ObjectId(group, kind, namespace, name)
    assert ObjectId.parse(identity.inventory_id) == identity


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({"kind": "A", "metadata": {"name": "a"}}, "apiVersion"),
        ({"apiVersion": "v1", "metadata": {"name": "a"}}, "kind"),
        ({"apiVersion": "v1", "kind": "A"}, "metadata.name"),
        ({"apiVersion": "v1", "kind": "A", "metadata": "a"}, "metadata.name"),
        ({"apiVersion": "v1", "kind": "A", "metadata": {"name": 1}}, "metadata.name"),
    ],
)
def test_object_without_identity(obj, message):
    with pytest.raises(ValueError, match=f"no {message}"):
        ObjectId.from_object(obj)


def test_identity_of_an_object():
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
    }
    assert ObjectId.from_object(obj) == DEPLOYMENT


def test_versions():
    assert split_api_version("apps/v1") == ("apps", "v1")
    assert split_api_version("v1") == ("", "v1")
    assert GroupVersionKind.of("v1", "Pod").api_version == "v1"
    assert GroupVersionKind.of("apps/v1", "Deployment").group_kind == GroupKind(
        "apps", "Deployment"
    )


def test_printed_forms():
    assert str(GroupKind("apps", "Deployment")) == "Deployment.apps"
    assert str(GroupKind("", "Service")) == "Service"
    assert str(DEPLOYMENT) == "Deployment/shop/web"
    assert str(ROLE) == "ClusterRole/system:node"
