"""The collector over an API: what goes, what stays, and in which order."""

import pytest

CONFIG = "v1/configmaps"
SECRETS = "v1/secrets"


def reference(owner, *, kind="ConfigMap", uid=None, blocks=True):
    return {
        "apiVersion": "v1",
        "kind": kind,
        "name": owner["metadata"]["name"],
        "uid": uid or owner["metadata"]["uid"],
        "blockOwnerDeletion": blocks,
    }


async def make(cluster, name, *owners, kind="ConfigMap", finalizers=None):
    meta = {"name": name, "namespace": "default"}
    if owners:
        meta["ownerReferences"] = list(owners)
    if finalizers:
        meta["finalizers"] = finalizers
    return await cluster.api.create({"apiVersion": "v1", "kind": kind, "metadata": meta})


async def chain(cluster):
    top = await make(cluster, "top")
    middle = await make(cluster, "middle", reference(top))
    await make(cluster, "leaf", reference(middle), kind="Secret")
    await cluster.settled()


def names(cluster):
    every = [*cluster.api.every(CONFIG, "default"), *cluster.api.every(SECRETS, "default")]
    return {each["metadata"]["name"] for each in every} - {"kube-root-ca.crt"}


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
async def test_a_whole_tree_goes(cluster, policy):
    await chain(cluster)
    await cluster.api.delete(CONFIG, "default", "top", policy)
    await cluster.until(lambda: not names(cluster))


async def test_in_the_foreground_the_owner_goes_last(cluster):
    await chain(cluster)
    before = len(cluster.api.writes)
    await cluster.api.delete(CONFIG, "default", "top", "Foreground")
    await cluster.until(lambda: not names(cluster))
    ended = [name for what, _, name in cluster.api.writes[before:] if what != "create"]
    assert ended[-1] == "top"
    assert ended.index("leaf") < len(ended) - 1 - ended[::-1].index("middle")


async def test_orphaned_dependents_stay_without_their_owner(cluster):
    await chain(cluster)
    await cluster.api.delete(CONFIG, "default", "top", "Orphan")
    await cluster.until(lambda: cluster.peek(CONFIG, "top") is None)
    await cluster.settled()
    assert names(cluster) == {"middle", "leaf"}
    assert not cluster.peek(CONFIG, "middle")["metadata"].get("ownerReferences")


async def test_a_dependent_that_a_finalizer_holds_keeps_its_owner(cluster):
    top = await make(cluster, "top")
    await make(cluster, "held", reference(top), finalizers=["example.com/hold"])
    await cluster.settled()
    await cluster.api.delete(CONFIG, "default", "top", "Foreground")
    await cluster.settled()
    assert names(cluster) == {"top", "held"}
    assert cluster.peek(CONFIG, "held")["metadata"]["deletionTimestamp"]
    await cluster.patch(CONFIG, "held", {"metadata": {"finalizers": None}})
    await cluster.until(lambda: not names(cluster))


async def test_an_owner_waits_only_for_dependents_that_block_it(cluster):
    top = await make(cluster, "top")
    await make(cluster, "free", reference(top, blocks=False), finalizers=["example.com/hold"])
    await cluster.settled()
    await cluster.api.delete(CONFIG, "default", "top", "Foreground")
    await cluster.until(lambda: names(cluster) == {"free"})


async def test_an_owner_that_never_was_is_absent(cluster):
    top = await make(cluster, "top")
    await make(cluster, "stale", reference(top, uid="another"))
    await cluster.until(lambda: names(cluster) == {"top"})


async def test_a_second_owner_keeps_it(cluster):
    one, two = await make(cluster, "one"), await make(cluster, "two")
    await make(cluster, "shared", reference(one), reference(two))
    await cluster.settled()
    await cluster.api.delete(CONFIG, "default", "one", "Background")
    await cluster.settled()
    kept = cluster.peek(CONFIG, "shared")["metadata"]["ownerReferences"]
    assert [each["name"] for each in kept] == ["two"]


async def test_an_owner_of_an_unknown_kind_is_not_judged(cluster):
    top = await make(cluster, "top")
    await make(cluster, "strange", reference(top, kind="Unknown"))
    await cluster.settled()
    assert "strange" in names(cluster)
