"""Server-side apply and update tracking, rule by rule."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster import fields
from fluvial.cluster.fields.managed import Managers

T1, T2 = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"
CONFIG_MAP = fields.schema_for_builtin("", "v1", "ConfigMap")


def config_map(data=None, **metadata):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}
    return body if data is None else {**body, "data": data}


def apply(live, patch, manager="alpha", *, force=False, now=T1, schema=CONFIG_MAP, sub=""):
    return fields.apply(
        live,
        patch,
        manager=manager,
        subresource=sub,
        schema=schema,
        force=force,
        now=now,
        version=patch["apiVersion"],
    )


def update(old, new, manager="editor", *, now=T1, schema=CONFIG_MAP, sub=""):
    return fields.track_update(
        old, new, manager=manager, subresource=sub, schema=schema, now=now, version="v1"
    )


def owners(obj):
    return {
        (entry["manager"], entry["operation"]): entry["fieldsV1"]
        for entry in obj["metadata"].get("managedFields", ())
    }


def stored(obj):
    """Return an object as the server keeps it, with a uid."""
    obj = deepcopy(obj)
    obj["metadata"]["uid"] = "u1"
    return obj


def test_nothing_that_is_passed_in_changes():
    live = stored(apply(None, config_map({"k": "1", "l": "1"})))
    patch = config_map({"k": "2"})
    before = deepcopy((live, patch))
    apply(live, patch, now=T2)
    assert (live, patch) == before


def test_a_field_that_is_no_longer_applied_goes():
    live = apply(None, config_map({"k": "1", "l": "1"}))
    assert apply(live, config_map({"k": "1"}))["data"] == {"k": "1"}


def test_a_field_that_somebody_else_owns_stays():
    live = apply(None, config_map({"k": "1", "l": "1"}))
    live = apply(live, config_map({"l": "1"}), "beta")
    live = apply(live, config_map({"k": "1"}))
    assert live["data"] == {"k": "1", "l": "1"}
    assert owners(live)["alpha", "Apply"] == {"f:data": {"f:k": {}}}


def test_a_conflict_names_manager_and_field():
    live = apply(None, config_map({"k": "1"}))
    with pytest.raises(fields.ApplyConflict) as caught:
        apply(live, config_map({"k": "2"}), "beta")
    assert str(caught.value) == 'Apply failed with 1 conflict: conflict with "alpha": .data.k'
    assert [(c.message, c.field) for c in caught.value.causes] == [
        ('conflict with "alpha"', ".data.k")
    ]


def test_a_conflict_with_an_update_names_its_version():
    live = stored(update(None, config_map({"k": "1"})))
    with pytest.raises(fields.ApplyConflict, match=r'conflict with "editor" using v1: \.data\.k'):
        apply(live, config_map({"k": "2"}))


def test_force_takes_a_field_from_its_owner():
    live = apply(None, config_map({"k": "1"}))
    live = apply(live, config_map({"k": "2"}), "beta", force=True)
    assert owners(live) == {("beta", "Apply"): {"f:data": {"f:k": {}}}}


def test_the_same_value_is_shared():
    live = apply(None, config_map({"k": "1"}))
    live = apply(live, config_map({"k": "1"}), "beta")
    assert set(owners(live)) == {("alpha", "Apply"), ("beta", "Apply")}


def test_nothing_changed_gives_the_live_object_with_its_times():
    live = stored(apply(None, config_map({"k": "1"})))
    again = {**config_map({"k": "1"})}
    assert apply(live, again, now=T2) == live


def test_identity_is_never_owned():
    live = apply(None, config_map(None, namespace="n", uid="u", labels={"a": "1"}))
    assert owners(live)["alpha", "Apply"] == {"f:metadata": {"f:labels": {"f:a": {}}}}


def test_an_applier_is_the_same_in_all_subresources_but_its_own():
    schema = fields.schema_for_builtin("apps", "v1", "Deployment")
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    live = apply(None, {**body, "spec": {"replicas": 2}}, schema=schema)
    live = apply(
        live,
        {**body, "spec": {"replicas": 9}, "status": {"replicas": 1}},
        schema=schema,
        sub="status",
    )
    entries = {e.get("subresource", ""): e["fieldsV1"] for e in live["metadata"]["managedFields"]}
    assert entries[""] == {"f:spec": {"f:replicas": {}}}
    assert entries["status"] == {"f:status": {"f:replicas": {}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"apiVersion": "v2"}, "invalid object type: /v2, Kind=ConfigMap"),
        ({"kind": "Secret"}, "invalid object type: /v1, Kind=Secret"),
        ({"metadata": {"name": "a", "managedFields": []}}, "metadata.managedFields must be nil"),
    ],
)
def test_what_is_no_applied_object(change, message):
    with pytest.raises(fields.BadPatch) as caught:
        fields.apply(
            None,
            {**config_map({"k": "1"}), **change},
            manager="m",
            schema=CONFIG_MAP,
            force=False,
            now=T1,
            version="v1",
        )
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("patch", "detail"),
    [
        ({"data": {"k": 1}}, ".data.k: expected string, got &value.valueUnstructured{Value:1}"),
        ({"data": ["x"]}, ".data: expected map, got &{[x]}"),
        ({"nope": 1}, ".nope: field not declared in schema"),
        ({"immutable": "yes"}, ".immutable: expected boolean, got &{yes}"),
        (
            {"nope": 1, "data": []},
            "errors:\n  .data: expected map, got &{[]}\n  .nope: field not declared in schema",
        ),
        (
            {"metadata": {"name": "a", "finalizers": ["x", "x"]}},
            '.metadata.finalizers: duplicate entries for key [="x"]',
        ),
    ],
)
def test_what_does_not_fit_the_schema(patch, detail):
    with pytest.raises(fields.TypedObjectError) as caught:
        apply(None, {**config_map(), **patch})
    prefix = "failed to create typed patch object (/a; /v1, Kind=ConfigMap): "
    assert str(caught.value) == prefix + detail


def test_items_of_keyed_lists_are_owned_one_by_one():
    schema = fields.schema_for_builtin("apps", "v1", "Deployment")

    def deployment(*containers):
        spec = {"template": {"spec": {"containers": list(containers)}}}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d"},
            "spec": spec,
        }

    live = apply(None, deployment({"name": "a", "image": "x"}), schema=schema)
    live = apply(live, deployment({"name": "b", "image": "y"}), "beta", schema=schema)
    live = apply(live, deployment(), schema=schema)
    assert live["spec"]["template"]["spec"]["containers"] == [{"name": "b", "image": "y"}]


@pytest.mark.parametrize(
    ("live", "applied", "merged", "reason"),
    [
        ("abc", "cd", "abcd", "new items follow"),
        ("abc", "ca", "bca", "applied items keep their order among themselves"),
        ("ab", "xb", "axb", "a new item stands where the applied list has it"),
        ("", "ab", "ab", "an empty list takes all"),
    ],
)
def test_the_order_of_merged_sets(live, applied, merged, reason):
    base = stored(update(None, config_map(None, finalizers=list(live)), "other"))
    got = apply(base, config_map(None, finalizers=list(applied)))
    assert got["metadata"]["finalizers"] == list(merged), reason


def test_an_untracked_object_is_attributed_before_its_first_apply():
    live = stored(config_map({"k": "1", "l": "1"}))
    live = apply(live, config_map({"k": "1"}))
    assert owners(live) == {
        ("alpha", "Apply"): {"f:data": {"f:k": {}}},
        ("before-first-apply", "Update"): {"f:data": {".": {}, "f:k": {}, "f:l": {}}},
    }


def test_an_update_owns_what_it_changes_and_takes_it_from_others():
    live = stored(apply(None, config_map({"k": "1", "l": "1"})))
    new = deepcopy(live)
    new["data"]["k"] = "2"
    live = update(live, new, now=T2)
    assert owners(live) == {
        ("alpha", "Apply"): {"f:data": {"f:l": {}}},
        ("editor", "Update"): {"f:data": {"f:k": {}}},
    }


def test_an_update_that_changes_nothing_moves_no_time():
    live = stored(update(None, config_map({"k": "1"})))
    assert update(live, deepcopy(live), now=T2) == live


@pytest.mark.parametrize("cleared", [[], [{}]])
def test_clearing_stops_the_tracking_of_updates(cleared):
    live = stored(update(None, config_map({"k": "1"})))
    new = deepcopy(live)
    new["metadata"]["managedFields"] = cleared
    live = update(live, new)
    assert "managedFields" not in live["metadata"]
    assert "managedFields" not in update(live, {**live, "data": {"k": "2"}})["metadata"]


def test_a_client_that_sends_no_managed_fields_keeps_them():
    live = stored(update(None, config_map({"k": "1"})))
    new = deepcopy(live)
    del new["metadata"]["managedFields"]
    assert update(live, new) == live


def test_managed_fields_cannot_be_set_through_a_subresource():
    live = stored(update(None, config_map({"k": "1"})))
    new = deepcopy(live)
    new["metadata"]["managedFields"] = [{}]
    assert update(live, new, sub="status") == live


def test_broken_managed_fields_count_as_none():
    live = stored(config_map({"k": "1"}))
    live["metadata"]["managedFields"] = [{"manager": "x", "operation": "Eat"}]
    assert set(owners(apply(live, config_map({"k": "1"})))) == {
        ("alpha", "Apply"),
        ("before-first-apply", "Update"),
    }


def test_old_updates_are_put_together_when_there_are_too_many():
    live = stored(update(None, config_map({"k0": "1"}), "m0"))
    for index in range(1, 12):
        new = deepcopy(live)
        new["data"][f"k{index}"] = "1"
        live = update(live, new, f"m{index}", now=f"2026-01-01T00:00:{index + 10}Z")
    entries = live["metadata"]["managedFields"]
    assert len(entries) == 10
    ancient = next(e for e in entries if e["manager"] == "ancient-changes")
    assert set(ancient["fieldsV1"]["f:data"]) == {".", "f:k0", "f:k1", "f:k2"}
    assert ancient["time"] == "2026-01-01T00:00:12Z"


def test_entries_are_sorted_by_operation_time_and_manager():
    live = stored(update(None, config_map({"k": "1"}), "zed"))
    live = apply(live, config_map({"l": "1"}), "beta", now=T2)
    live = apply(live, config_map({"m": "1"}), "alpha", now=T2)
    live = apply(live, config_map({"n": "1"}), "omega", now=T1)
    assert [e["manager"] for e in live["metadata"]["managedFields"]] == [
        "omega", "alpha", "beta", "zed",
    ]  # fmt: skip


def test_kubectl_takes_over_what_it_applied_client_side():
    last = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1"}}\n'
    note = {"kubectl.kubernetes.io/last-applied-configuration": last}
    live = stored(
        update(None, config_map({"k": "1"}, annotations=note), "kubectl-client-side-apply")
    )
    live = apply(live, config_map({"k": "2"}), "kubectl")
    assert live["data"] == {"k": "2"}
    text = live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert '"data":{"k":"2"}' in text
    assert text.endswith("\n")


def test_what_became_atomic_is_owned_as_a_whole():
    def widgets(map_type):
        node = {"type": "object", "additionalProperties": {"type": "string"}}
        node["x-kubernetes-map-type"] = map_type
        return fields.schema_from_crd({"type": "object", "properties": {"m": node}})

    body = {"apiVersion": "x.y/v1", "kind": "W", "metadata": {"name": "w"}}
    live = stored(apply(None, {**body, "m": {"a": "1"}}, schema=widgets("granular")))
    with pytest.raises(fields.ApplyConflict, match=r'conflict with "alpha": \.m'):
        apply(live, {**body, "m": {"a": "1", "b": "1"}}, "beta", schema=widgets("atomic"))


DATA = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"), max_size=4)
WRITES = st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), DATA), max_size=6)


def _after(writes):
    live = None
    for manager, data in writes:
        live = stored(apply(live, config_map(data), manager, force=True))
    return live


@given(WRITES, st.sampled_from(["one", "two"]), DATA)
def test_applying_twice_is_applying_once(writes, manager, data):
    once = stored(apply(_after(writes), config_map(data), manager, force=True, now=T1))
    assert apply(once, config_map(data), manager, force=False, now=T2) == once


@given(WRITES.filter(bool))
def test_every_field_of_the_data_has_an_owner_and_owners_own_only_what_is_there(writes):
    live = _after(writes)
    managers = Managers.decode(live["metadata"].get("managedFields"))
    owned = {path for path in managers.owned() if path[:1] == ("f:data",) and len(path) == 2}
    assert owned == {("f:data", f"f:{key}") for key in live.get("data") or ()}


@given(WRITES.filter(bool), st.dictionaries(st.sampled_from("abcd"), st.sampled_from("34")))
def test_what_an_update_changes_belongs_to_it_alone(writes, data):
    live = _after(writes)
    new = deepcopy(live)
    new["data"] = {**(live.get("data") or {}), **data}
    after = Managers.decode(update(live, new)["metadata"].get("managedFields"))
    changed = {("f:data", f"f:{key}") for key in data}
    for key, entry in after.entries.items():
        assert (changed <= entry.fields) if key.manager == "editor" else not changed & entry.fields
