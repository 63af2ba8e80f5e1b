"""Tracking of configuration against an API server in memory."""

import pytest

from fluvial.canary.configs import ConfigTracker, checksums
from fluvial.canary.errors import MissingObject
from fluvial.canary.primary import Selector, Transformation
from fluvial.toolkit import Client
from fluvial.toolkit.testing import FakeApi

SPEC = {"containers": [{"envFrom": [{"configMapRef": {"name": "a"}}]}]}
SECRET = {"containers": [{"envFrom": [{"secretRef": {"name": "s"}}]}]}
OPTIONAL = {"containers": [{"envFrom": [{"configMapRef": {"name": "a", "optional": True}}]}]}
CHANGE = Transformation(
    selector=Selector("app", "web"), prefixes=("team",), selector_labels=("app",), tracked=()
)


def config(kind="ConfigMap", name="a", data=None, **more):
    metadata = {"name": name, "namespace": "default", **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data or {}, **more}


@pytest.fixture
async def api():
    async with FakeApi() as api:
        yield api


@pytest.fixture
async def tracker(api):
    async with Client(api.config, qps=0) as client:
        yield ConfigTracker(client)


async def test_checksums_of_what_a_pod_uses(api, tracker):
    api.put(config(data={"a": "é", "b": "x<y&z"}))
    configs = await tracker.read(SPEC, "default")
    assert checksums(configs) == {"configmap/a": "27a31671072c593c"}


@pytest.mark.parametrize(
    ("type", "tracked", "reason"),
    [
        ("Opaque", True, "plain"),
        ("kubernetes.io/tls", True, "certificates"),
        ("kubernetes.io/basic-auth", True, "passwords"),
        ("kubernetes.io/ssh-auth", True, "keys"),
        ("kubernetes.io/service-account-token", False, "written by the cluster"),
        ("example.com/own", False, "an unknown type"),
    ],
)
async def test_types_of_secrets(api, tracker, type, tracked, reason):
    api.put(config("Secret", "s", {"k": "dg=="}, type=type))
    found = await tracker.read(SECRET, "default")
    assert (list(found) == ["secret/s"]) is tracked, reason


@pytest.mark.parametrize("value", ["disabled", "disable"])
async def test_an_object_may_opt_out(api, tracker, value):
    annotations = {"flagger.app/config-tracking": value}
    api.put(config(metadata={"annotations": annotations}))
    assert await tracker.read(SPEC, "default") == {}


async def test_a_missing_object_is_named_unless_it_is_optional(tracker):
    assert await tracker.read(OPTIONAL, "default") == {}
    with pytest.raises(MissingObject, match="ConfigMap default/a, which the target uses"):
        await tracker.read(SPEC, "default")


async def test_without_tracking_nothing_is_read(api):
    async with Client(api.config, qps=0) as client:
        assert await ConfigTracker(client, enabled=False).read(SPEC, "default") == {}
    assert api.requests == []


async def test_a_copy_follows_its_source(api, tracker, canary):
    labels = {"team": "a", "other": "b"}
    api.put(config(data={"a": "1", "b": "2"}, metadata={"labels": labels}, immutable=True))
    await tracker.copy(canary(), await tracker.read(SPEC, "default"), CHANGE)
    copy = api.get("ConfigMap", "a-primary")
    assert (copy["data"], copy["metadata"]["labels"]) == ({"a": "1", "b": "2"}, {"team": "a"})
    assert "immutable" not in copy
    api.put(config(data={"a": "3"}))
    await tracker.copy(canary(), await tracker.read(SPEC, "default"), CHANGE)
    copy = api.get("ConfigMap", "a-primary")
    assert (copy["data"], copy["metadata"]["labels"]) == ({"a": "3"}, {})


async def test_a_copy_of_a_secret_keeps_its_type(api, tracker, canary):
    api.put(config("Secret", "s", {"k": "dg=="}, type="kubernetes.io/tls"))
    await tracker.copy(canary(), await tracker.read(SECRET, "default"), CHANGE)
    copy = api.get("Secret", "s-primary")
    assert (copy["type"], copy["data"]) == ("kubernetes.io/tls", {"k": "dg=="})


async def test_a_shared_copy_has_all_owners_and_one_controller(api, tracker, canary):
    api.put(config(data={"a": "1"}))
    configs = await tracker.read(SPEC, "default")
    await tracker.copy(canary(), configs, CHANGE)
    await tracker.copy(canary(metadata={"name": "two", "uid": "uid-two"}), configs, CHANGE)
    owners = api.get("ConfigMap", "a-primary")["metadata"]["ownerReferences"]
    assert [(owner["uid"], owner["controller"]) for owner in owners] == [
        ("uid-canary", False),
        ("uid-two", True),
    ]


async def test_an_equal_copy_is_not_written(api, tracker, canary):
    api.put(config(data={"a": "1"}))
    configs = await tracker.read(SPEC, "default")
    await tracker.copy(canary(), configs, CHANGE)
    api.requests.clear()
    await tracker.copy(canary(), configs, CHANGE)
    assert {request.method for request in api.requests} == {"GET"}
