"""The in-process interface goes through everything that HTTP requests go through."""

import asyncio

import pytest

from fluvial.cluster.api import StatusError

CONFIGMAPS = "v1/configmaps"
PODS = "v1/pods"
DEPLOYMENTS = "apps/v1/deployments"


def configmap(name="a", namespace="default", **more):
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, **more}


def deployment(name="web"):
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def pod(name="p", **spec):
    meta = {"name": name, "namespace": "default"}
    full = {"containers": [{"name": "c", "image": "nginx"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": full}


async def refused(call, code, reason=None):
    with pytest.raises(StatusError) as caught:
        await call
    assert caught.value.code == code
    if reason is not None:
        assert caught.value.reason == reason
    return caught.value


async def test_a_created_object_has_what_the_server_sets(api):
    made = await api.create(deployment())
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"]
    assert made["spec"]["replicas"] == 1
    assert made["metadata"]["managedFields"][0]["manager"] == "tester"


async def test_what_comes_out_is_the_callers_own(api):
    await api.create(configmap(data={"k": "v"}))
    (await api.get(CONFIGMAPS, "default", "a"))["data"]["k"] = "changed"
    assert (await api.get(CONFIGMAPS, "default", "a"))["data"] == {"k": "v"}


async def test_a_name_is_taken_once(api):
    await api.create(configmap())
    await refused(api.create(configmap()), 409, "AlreadyExists")


async def test_a_stale_version_is_a_conflict(api):
    old = await api.create(configmap(data={"k": "1"}))
    await api.patch_merge(CONFIGMAPS, "default", "a", {"data": {"k": "2"}})
    await refused(api.update(old), 409, "Conflict")


async def test_a_write_that_changes_nothing_is_not_done(api):
    made = await api.create(configmap(data={"k": "v"}))
    again = await api.patch_merge(CONFIGMAPS, "default", "a", {"data": {"k": "v"}})
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_status_and_spec_are_written_apart(api):
    made = await api.create(deployment())
    made["spec"]["replicas"] = 5
    made["status"] = {"replicas": 1}
    after = await api.update_status(made)
    assert after["spec"]["replicas"] == 1
    assert after["status"] == {"replicas": 1}
    assert after["metadata"]["generation"] == 1
    after["spec"]["replicas"] = 5
    after["status"] = {}
    last = await api.update(after)
    assert last["spec"]["replicas"] == 5
    assert last["status"] == {"replicas": 1}
    assert last["metadata"]["generation"] == 2


async def test_a_missing_namespace_is_named(api):
    error = await refused(api.create(configmap(namespace="none")), 404)
    assert error.message == 'namespaces "none" not found'


async def test_a_terminating_namespace_takes_nothing_new(api):
    meta = {"name": "n"}
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    await api.create(configmap("old", "n"))
    await api.delete("v1/namespaces", None, "n")
    error = await refused(api.create(configmap("new", "n")), 403)
    assert error.details["causes"][0]["reason"] == "NamespaceTerminating"
    await api.patch_merge(CONFIGMAPS, "n", "old", {"data": {"still": "writable"}})


async def test_a_finalizer_holds_an_object_until_it_goes(api):
    held = configmap()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await api.create(held)
    gone = await api.delete(CONFIGMAPS, "default", "a")
    assert gone["metadata"]["deletionTimestamp"]
    await api.patch_merge(CONFIGMAPS, "default", "a", {"metadata": {"finalizers": None}})
    await refused(api.get(CONFIGMAPS, "default", "a"), 404)


DELETIONS = [
    ("background leaves no finalizer", "Background", None),
    ("foreground waits for dependents", "Foreground", ["foregroundDeletion"]),
    ("orphan waits for its finalizer", "Orphan", ["orphan"]),
]


@pytest.mark.parametrize(("reason", "policy", "expected"), DELETIONS, ids=[d[0] for d in DELETIONS])
async def test_propagation(api, reason, policy, expected):
    await api.create(deployment())
    answer = await api.delete(DEPLOYMENTS, "default", "web", policy)
    assert answer["metadata"].get("finalizers") == expected
    left = await api.list(DEPLOYMENTS, "default")
    assert bool(left) is (expected is not None)


GRACES = [
    ("not bound: at once", {}, None, None),
    ("bound: its own period", {"nodeName": "n", "terminationGracePeriodSeconds": 7}, None, 7),
    ("bound: what was asked", {"nodeName": "n"}, 3, 3),
    ("bound: zero ends it", {"nodeName": "n"}, 0, None),
]


@pytest.mark.parametrize(("reason", "spec", "asked", "left"), GRACES, ids=[g[0] for g in GRACES])
async def test_the_grace_of_pods(api, reason, spec, asked, left):
    await api.create(pod(**spec))
    await api.delete(PODS, "default", "p", grace=asked)
    found = await api.list(PODS, "default")
    graces = [item["metadata"]["deletionGracePeriodSeconds"] for item in found]
    assert graces == ([] if left is None else [left])


async def test_a_precondition_on_the_uid(api):
    await api.create(configmap())
    await refused(api.delete(CONFIGMAPS, "default", "a", uid="other"), 409, "Conflict")


async def test_a_watch_begins_with_what_is_there_and_goes_on(api):
    await api.create(configmap("a", data={"k": "1"}))
    seen = []
    stream = api.watch(CONFIGMAPS, "default", label_selector="!skip")
    async with asyncio.timeout(5):
        seen.append(await anext(stream))
        await api.patch_merge(CONFIGMAPS, "default", "a", {"data": {"k": "2"}})
        seen.append(await anext(stream))
        await api.patch_merge(CONFIGMAPS, "default", "a", {"metadata": {"labels": {"skip": "y"}}})
        seen.append(await anext(stream))
    assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert seen[2][1]["data"] == {"k": "2"}
    await stream.aclose()


async def test_apply_takes_fields_over_only_when_forced(api):
    await api.apply(configmap(data={"k": "mine"}))
    other = api.as_manager("other")
    await refused(other.apply(configmap(data={"k": "theirs"}), force=False), 409, "Conflict")
    assert (await other.apply(configmap(data={"k": "theirs"})))["data"] == {"k": "theirs"}


async def test_unknown_fields_are_refused(api):
    bad = deployment()
    bad["spec"]["replica"] = 1
    error = await refused(api.create(bad), 400)
    assert 'unknown field "spec.replica"' in error.message


async def test_a_service_gets_an_address_and_gives_it_back(api):
    spec = {"ports": [{"port": 80}], "selector": {"a": "b"}}
    meta = {"name": "s", "namespace": "default"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
    first = await api.create(service)
    address = first["spec"]["clusterIP"]
    assert address.startswith("10.0.")
    meta2 = {"name": "t", "namespace": "default"}
    second = await api.create({**service, "metadata": meta2})
    assert second["spec"]["clusterIP"] != address
