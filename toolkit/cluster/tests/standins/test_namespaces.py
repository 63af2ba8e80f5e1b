import datetime as dt

import pytest

from fluvial.cluster.standins.namespaces import remaining_conditions

NAMESPACES = "v1/namespaces"
NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)


async def make(cluster, name):
    await cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await cluster.settled()


async def test_a_namespace_gets_its_account_and_the_ca(cluster):
    await make(cluster, "shop")
    assert cluster.peek("v1/serviceaccounts", "default", "shop")
    assert cluster.peek("v1/configmaps", "kube-root-ca.crt", "shop")["data"] == {"ca.crt": "CA"}


@pytest.mark.parametrize(
    ("resource", "name"),
    [("v1/serviceaccounts", "default"), ("v1/configmaps", "kube-root-ca.crt")],
)
async def test_both_come_back_when_deleted(cluster, resource, name):
    first = cluster.peek(resource, name)["metadata"]["uid"]
    await cluster.api.delete(resource, "default", name)
    again = await cluster.until(lambda: cluster.peek(resource, name))
    assert again["metadata"]["uid"] != first


async def test_a_changed_ca_is_put_right(cluster):
    resource = "v1/configmaps"
    await cluster.patch(resource, "kube-root-ca.crt", {"data": {"ca.crt": "other"}})
    await cluster.until(
        lambda: cluster.peek(resource, "kube-root-ca.crt")["data"] == {"ca.crt": "CA"}
    )


async def test_it_goes_with_everything_in_it(cluster):
    await make(cluster, "shop")
    await cluster.create("Secret", "s", namespace="shop", api="v1")
    pod = {"containers": [{"name": "c", "image": "example.com/a"}]}
    await cluster.create("Pod", "p", pod, namespace="shop", api="v1")
    await cluster.settled()
    await cluster.api.delete(NAMESPACES, None, "shop")
    for _ in range(8):
        await cluster.advance(1)
    assert cluster.peek(NAMESPACES, "shop", None) is None
    assert cluster.api.every("v1/secrets", "shop") == []
    assert cluster.api.every("v1/pods", "shop") == []
    assert cluster.peek("v1/serviceaccounts", "default")


async def test_a_finalizer_holds_it_and_is_named(cluster):
    await make(cluster, "shop")
    meta = {"name": "s", "namespace": "shop", "finalizers": ["example.com/hold"]}
    await cluster.api.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta})
    await cluster.api.delete(NAMESPACES, None, "shop")
    for _ in range(4):
        await cluster.advance(1)
    held = cluster.peek(NAMESPACES, "shop", None)
    found = {each["type"]: each for each in held["status"]["conditions"]}
    assert held["status"]["phase"] == "Terminating"
    assert found["NamespaceContentRemaining"]["message"] == (
        "Some resources are remaining: secrets. has 1 resource instances"
    )
    assert found["NamespaceFinalizersRemaining"]["message"] == (
        "Some content in the namespace has finalizers remaining: "
        "example.com/hold in 1 resource instances"
    )
    await cluster.api.patch_merge("v1/secrets", "shop", "s", {"metadata": {"finalizers": None}})
    for _ in range(4):
        await cluster.advance(1)
    assert cluster.peek(NAMESPACES, "shop", None) is None


def test_conditions_of_an_empty_namespace():
    found = remaining_conditions([], {}, {}, now=NOW)
    assert {each["type"]: (each["status"], each["reason"]) for each in found} == {
        "NamespaceDeletionDiscoveryFailure": ("False", "ResourcesDiscovered"),
        "NamespaceDeletionGroupVersionParsingFailure": ("False", "ParsedGroupVersions"),
        "NamespaceDeletionContentFailure": ("False", "ContentDeleted"),
        "NamespaceContentRemaining": ("False", "ContentRemoved"),
        "NamespaceFinalizersRemaining": ("False", "ContentHasNoFinalizers"),
    }
