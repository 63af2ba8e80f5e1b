"""The inventory in upstream's form, and its arithmetic."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis import meta
from fluvial.apis.ids import ObjectId
from fluvial.toolkit.apply import Entry, Inventory

NAMES = st.from_regex(r"[a-z]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
ROLES = st.lists(NAMES, min_size=1, max_size=3).map(":".join)
GROUPS = st.just("") | st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True)
KINDS = st.text(string.ascii_letters, min_size=1, max_size=12)
IDS = st.builds(ObjectId, GROUPS, KINDS, st.just("") | NAMES, NAMES | ROLES)
ENTRIES = st.builds(Entry, IDS, st.sampled_from(["v1", "v1beta1", "v2"]))
INVENTORIES = st.lists(ENTRIES, max_size=8).map(Inventory)


@pytest.mark.parametrize(
    ("id", "version", "written", "reason"),
    [
        (ObjectId("apps", "Deployment", "ns", "web"), "v1", "ns_web_apps_Deployment", "plain"),
        (ObjectId("", "Service", "ns", "web"), "v1", "ns_web__Service", "core group"),
        (ObjectId("", "Namespace", "", "ns"), "v1", "_ns__Namespace", "cluster-scoped"),
        (
            ObjectId("rbac.authorization.k8s.io", "ClusterRole", "", "system:x:y"),
            "v1",
            "_system__x__y_rbac.authorization.k8s.io_ClusterRole",
            "colons of RBAC names",
        ),
    ],
)
def test_form(id, version, written, reason):
    inventory = Inventory([Entry(id, version)])
    assert inventory.to_status().entries == [meta.InventoryEntry(id=written, v=version)], reason
    assert Inventory.from_status(inventory.to_status()) == inventory


@pytest.mark.parametrize("broken", ["", "a", "a_b", "a_b_c", "_", "____"])
def test_entries_of_no_form_are_dropped(broken):
    status = meta.Inventory(
        entries=[meta.InventoryEntry(id=broken, v="v1"), meta.InventoryEntry(id="n_a__Pod", v="v1")]
    )
    assert Inventory.from_status(status).ids == [ObjectId("", "Pod", "n", "a")]


def test_no_status_is_an_empty_inventory():
    assert Inventory.from_status(None) == Inventory()


def test_of_objects():
    objects = [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}]
    assert Inventory.of(objects) == Inventory(
        [Entry(ObjectId("apps", "Deployment", "", "a"), "v1")]
    )
    with pytest.raises(ValueError, match=r"no metadata\.name"):
        Inventory.of([{"apiVersion": "v1", "kind": "Pod"}])


def test_a_new_version_of_the_same_object_is_not_stale():
    one = ObjectId("apps", "Deployment", "ns", "web")
    old, new = Inventory([Entry(one, "v1beta1")]), Inventory([Entry(one, "v1")])
    assert not len(old.difference(new))
    assert old.union(new).version(one) == "v1"


@given(INVENTORIES)
def test_a_status_brings_back_the_same(inventory):
    assert Inventory.from_status(inventory.to_status()) == inventory


@given(INVENTORIES, INVENTORIES)
def test_nothing_is_lost_between_two_runs(old, new):
    """What a run leaves behind is either wanted or known to be stale."""
    stale = old.difference(new)
    both = old.union(new)
    assert set(both.ids) == set(stale.ids) | set(new.ids)
    assert not set(stale.ids) & set(new.ids)
    assert set(both.difference(new).ids) == set(stale.ids)
    assert len(both) == len(set(both.ids))
