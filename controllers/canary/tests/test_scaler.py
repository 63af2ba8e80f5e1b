"""The primary's autoscaler against an API server in memory."""

import pytest

from fluvial.canary.errors import MissingObject
from fluvial.canary.resources import SCALERS
from fluvial.canary.scaler import Scaler
from fluvial.toolkit import Client
from fluvial.toolkit.testing import FakeApi

REFERENCE = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "hpa"}


def hpa(least=2, greatest=5, **spec):
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": "hpa",
            "namespace": "default",
            "labels": {"team": "a", "kustomize.toolkit.fluxcd.io/name": "k"},
            "annotations": {"note": "n"},
        },
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": least,
            "maxReplicas": greatest,
            **spec,
        },
    }


@pytest.fixture
async def api():
    async with FakeApi([SCALERS]) as api:
        yield api


@pytest.fixture
async def scaler(api, canary):
    async with Client(api.config, qps=0) as client:
        yield lambda **changes: Scaler(client, canary(autoscalerRef={**REFERENCE, **changes}))


def primary(api):
    return api.get("HorizontalPodAutoscaler", "hpa-primary")


async def test_a_copy_for_the_primary(api, scaler):
    api.put(hpa(behavior={"scaleDown": {"policies": []}}))
    await scaler().create()
    copy = primary(api)
    assert copy["spec"]["scaleTargetRef"]["name"] == "web-primary"
    assert copy["spec"]["behavior"] == {"scaleDown": {"policies": []}}
    assert copy["metadata"]["labels"] == {"team": "a"}
    assert "annotations" not in copy["metadata"]
    assert copy["metadata"]["ownerReferences"][0]["uid"] == "uid-canary"


async def test_the_bounds_of_the_primary_may_be_its_own(api, scaler):
    api.put(hpa())
    await scaler(primaryScalerReplicas={"minReplicas": 3, "maxReplicas": 9}).create()
    assert (primary(api)["spec"]["minReplicas"], primary(api)["spec"]["maxReplicas"]) == (3, 9)


async def test_changes_reach_the_primary_only_with_a_promotion(api, scaler):
    api.put(hpa(behavior={"scaleDown": {}}))
    await scaler().create()
    api.put(hpa(greatest=8))
    await scaler().create()
    assert primary(api)["spec"]["maxReplicas"] == 5
    await scaler().update()
    assert primary(api)["spec"]["maxReplicas"] == 8
    assert "behavior" not in primary(api)["spec"]


async def test_an_equal_copy_is_not_written(api, scaler):
    api.put(hpa())
    await scaler().create()
    api.requests.clear()
    await scaler().update()
    assert {request.method for request in api.requests} == {"GET"}


@pytest.mark.parametrize(("least", "begins"), [(0, 1), (1, 1), (4, 4)])
async def test_a_run_begins_with_the_least_replicas(api, scaler, least, begins):
    api.put(hpa(least=least))
    assert await scaler().least() == begins


async def test_one_that_is_missing_is_named(scaler):
    with pytest.raises(MissingObject, match=r"default/hpa, which spec\.autoscalerRef names"):
        await scaler().create()


async def test_without_a_reference_nothing_is_asked(api, canary):
    async with Client(api.config, qps=0) as client:
        scaler = Scaler(client, canary())
        await scaler.create()
        await scaler.update()
        assert await scaler.least() is None
    assert api.requests == []
