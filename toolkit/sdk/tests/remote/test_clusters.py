"""Clients of remote clusters: found by reference, shared by digest, closed when unused."""

import pytest

from fluvial.apis.meta import KubeConfigReference, LocalObjectReference, SecretKeyReference
from fluvial.toolkit.client import ConfigError, LeaseLost, TransportError
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.references import CONFIG_MAP
from fluvial.toolkit.remote import Access, AccessMissing, FeatureGateDisabled, RemoteClusters
from fluvial.toolkit.testing import FakeApi


def kubeconfig(server, token="t"):
    return (
        "current-context: a\n"
        "contexts: [{name: a, context: {cluster: a, user: a}}]\n"
        f"clusters: [{{name: a, cluster: {{server: '{server}'}}}}]\n"
        f"users: [{{name: a, user: {{token: {token}}}}}]\n"
    )


def secret(key="", name="remote"):
    return KubeConfigReference(secret_ref=SecretKeyReference(name=name, key=key))


def config_map(name="remote"):
    return KubeConfigReference(config_map_ref=LocalObjectReference(name=name))


@pytest.fixture
async def far():
    async with FakeApi() as server:
        yield server


@pytest.fixture
async def open_clusters(local, clock):
    opened = []

    def make(access=None):
        clusters = RemoteClusters(
            local, access or Access(), clock=clock, metrics=Metrics(), qps=0, idle=600.0
        )
        opened.append(clusters)
        return clusters

    yield make
    for clusters in opened:
        async with clusters:
            pass


async def write(client):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    await client.create(CONFIG_MAP, body, "default")


@pytest.mark.parametrize(
    ("key", "data", "reason"),
    [
        ("", {"value": "far", "value.yaml": "other"}, "`value` comes first"),
        ("", {"value.yaml": "far", "mine": "other"}, "then `value.yaml`"),
        ("mine", {"mine": "far", "value": "other"}, "the key that is named, and no other"),
    ],
)
async def test_the_key_of_the_secret(open_clusters, put_secret, far, *, key, data, reason):
    server = far.config.server
    texts = {"far": kubeconfig(server), "other": kubeconfig("http://nowhere.invalid")}
    put_secret(**{name: texts[text] for name, text in data.items()})
    async with open_clusters().client(secret(key), "default") as client:
        await write(client)
    assert far.get("ConfigMap", "a"), reason


@pytest.mark.parametrize(
    ("reference", "error", "says"),
    [
        (secret(name="gone"), AccessMissing, "Secret 'default/gone' not found"),
        (config_map("gone"), AccessMissing, "ConfigMap 'default/gone' not found"),
        (secret("typo"), ConfigError, "the key 'typo' is not there"),
        (KubeConfigReference(), ConfigError, "secretRef and configMapRef"),
    ],
)
async def test_what_is_not_there_is_named(open_clusters, put_secret, reference, error, says):
    put_secret(value=kubeconfig("http://a"))
    with pytest.raises(error, match=says):
        async with open_clusters().client(reference, "default"):
            pass


async def test_an_error_in_the_document_names_the_secret_and_no_value(open_clusters, put_secret):
    put_secret(value=kubeconfig("ftp://a", "hunter2"))
    with pytest.raises(ConfigError, match=r"'default/remote'.*clusters\[a\]") as caught:
        async with open_clusters().client(secret(), "default"):
            pass
    assert "hunter2" not in str(caught.value)


async def test_one_client_per_content(open_clusters, put_secret):
    clusters = open_clusters()
    put_secret(value=kubeconfig("http://a"))
    put_secret("twin", value=kubeconfig("http://a"))
    async with clusters.client(secret(), "default") as first:
        async with clusters.client(secret(name="twin"), "default") as second:
            assert second is first
        put_secret(value=kubeconfig("http://a", "rotated"))
        async with clusters.client(secret(), "default") as third:
            assert third is not first
    assert len(clusters) == 2


async def test_unused_clients_are_closed_and_used_ones_are_not(open_clusters, put_secret, clock):
    clusters = open_clusters()
    for name in ("unused", "used", "other"):
        put_secret(name, value=kubeconfig("http://127.0.0.1:1", name))
    async with clusters.client(secret(name="unused"), "default") as unused:
        pass
    async with clusters.client(secret(name="used"), "default") as used:
        await clock.advance(601.0)
        async with clusters.client(secret(name="other"), "default"):
            pass
        assert len(clusters) == 2
        with pytest.raises(TransportError, match="closed"):
            await write(unused)
        with pytest.raises(TransportError, match="connect"):
            await write(used)


async def test_many_unused_ones_do_not_pile_up(open_clusters, put_secret):
    clusters = open_clusters()
    for number in range(40):
        put_secret(value=kubeconfig("http://a", f"t{number}"))
        async with clusters.client(secret(), "default"):
            pass
    assert len(clusters) == 32


async def test_a_lost_lease_holds_for_remote_clusters(open_clusters, put_secret, local, far):
    def lost(_):
        raise LeaseLost("lost")

    put_secret(value=kubeconfig(far.config.server))
    async with open_clusters().client(secret(), "default") as client:
        await write(client)
    local.guard = lost
    async with open_clusters().client(secret(), "default") as client:
        with pytest.raises(LeaseLost):
            await client.delete(CONFIG_MAP, "a", "default")
    assert far.get("ConfigMap", "a")


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        ({"provider": "other"}, ConfigError, "must be one of generic, aws, azure, gcp"),
        ({}, ConfigError, "must be one of generic"),
        ({"provider": "generic"}, ConfigError, "address"),
        ({"provider": "generic", "address": "http://a"}, ConfigError, "https"),
        (
            {"provider": "generic", "address": "a", "serviceAccountName": "x"},
            FeatureGateDisabled,
            "ObjectLevelWorkloadIdentity",
        ),
    ],
)
async def test_a_config_map_that_cannot_be_used(open_clusters, put_config_map, data, error, says):
    put_config_map(**data)
    with pytest.raises(error, match=says):
        async with open_clusters().client(config_map(), "default"):
            pass
