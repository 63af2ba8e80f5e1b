"""Controllers that act for tenants: their flags, and what becomes of a cluster they cannot use."""

from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web

from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.apis.meta import KubeConfigReference, LocalObjectReference
from fluvial.toolkit import FlagError, Key, Manager, Resource, Stalled, Transient
from fluvial.toolkit.flags import parse
from fluvial.toolkit.identity import IdentityFlags, enter_identities
from fluvial.toolkit.testing import FakeApi

ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")


def test_defaults():
    flags = parse(IdentityFlags, [], {})
    assert (flags.token_cache_max_size, flags.token_cache_max_duration) == (100, 3600.0)
    assert not flags.access.object_identity


def test_the_gate_lets_accounts_of_objects_act():
    arguments = [
        "--feature-gates=ObjectLevelWorkloadIdentity=true",
        "--default-kubeconfig-service-account=tenant",
        "--token-cache-max-size=0",
        "--token-cache-max-duration=5m",
    ]
    flags = parse(IdentityFlags, arguments, {})
    assert flags.access.object_identity
    assert flags.access.default_account == "tenant"
    assert (flags.token_cache_max_size, flags.token_cache_max_duration) == (0, 300.0)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("--default-kubeconfig-service-account=a", "needs --feature-gates=ObjectLevelWorkload"),
        ("--token-cache-max-size=-1", "--token-cache-max-size must be 0 or more"),
        ("--token-cache-max-duration=0s", "--token-cache-max-duration must be above 0"),
    ],
)
def test_what_does_not_go_together(argument, says):
    with pytest.raises(FlagError, match=says):
        parse(IdentityFlags, [argument], {})


@pytest.fixture
async def acting():
    """Enter the cluster of a ConfigMap, as the reconciler of a Kustomization does."""
    async with FakeApi([ACCOUNTS]) as api:
        manager = Manager("kustomize", IdentityFlags(metrics_addr="0", health_addr="0"), api.config)

        @asynccontextmanager
        async def enter(**data):
            meta = {"name": "remote", "namespace": "default"}
            api.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
            async with manager:
                identities = await enter_identities(manager, "ReconciliationFailed")
                ctx = SimpleNamespace(
                    key=Key("default", "app"), kind=KUSTOMIZATION, client=manager.client
                )
                reference = KubeConfigReference(config_map_ref=LocalObjectReference(name="remote"))
                async with identities.acting(ctx, "", reference, retry=7.0) as identity:
                    yield identity, manager.metrics

        enter.api = api
        yield enter


async def test_an_account_without_the_gate_stalls(acting):
    with pytest.raises(Stalled) as caught:
        async with acting(provider="gcp", serviceAccountName="a"):
            pass
    assert caught.value.reason == "FeatureGateDisabled"


async def test_what_a_cloud_refuses_is_tried_again(acting):
    with pytest.raises(Transient, match="'default/remote': cluster: 'far' is no name") as caught:
        async with acting(provider="gcp", cluster="far"):
            pass
    assert (caught.value.reason, caught.value.retry_after) == ("ReconciliationFailed", 7.0)


async def test_the_look_for_a_token_counts_for_the_object(acting):
    def answer(request):
        if request.path.endswith("/selfsubjectreviews"):
            name = "system:serviceaccount:flux-system:kustomize-controller"
            return web.json_response({"status": {"userInfo": {"username": name}}}, status=201)
        if request.path.endswith("/token"):
            status = {"token": "t", "expirationTimestamp": "2099-01-01T00:00:00Z"}
            return web.json_response({"status": status}, status=201)
        return None

    acting.api.faults.append(answer)
    async with acting(provider="generic", address="far") as (identity, metrics):
        assert identity.client.config.server == "https://far:443"
    labels = {
        "event_type": "cache_miss",
        "kind": "Kustomization",
        "namespace": "default",
        "name": "app",
        "operation": "fetch_kubeconfig",
    }
    # The connection, and the token that it is made with.
    assert metrics.registry.get_sample_value("gotk_token_cache_events_total", labels) == 2
