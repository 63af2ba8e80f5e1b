"""The HTTPRoute of a release in the server's hands: admitted, defaulted, and still not drifted."""

import subprocess
import sys

import pytest
import pytest_asyncio

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import CANARY
from fluvial.canary.routers import GatewayRouter, Weights
from fluvial.render.yaml import load_all
from fluvial.toolkit import Resource

ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
AFFINITY = {"cookieName": "fl", "primaryCookieName": "flp"}


@pytest.fixture(scope="module")
def plane(make_harness):
    harness = make_harness("routers")
    harness.start_plane(standins=False)
    return harness


@pytest.fixture(scope="module")
def definitions():
    command = [sys.executable, "-m", "fluvial.cluster.gateway", "crds"]
    return load_all(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest_asyncio.fixture
async def client(plane, definitions):
    async with plane.client() as client:
        for definition in definitions:
            await client.patch(
                DEFINITIONS,
                definition["metadata"]["name"],
                definition,
                type="apply",
                field_manager="test",
            )
        yield client


def canary(name, service, analysis):
    obj = {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": name, "namespace": "default", "uid": "u-1"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "service": {"port": 9898, "gatewayRefs": [{"name": "shared"}], **service},
            "analysis": {"interval": "30s", "threshold": 2, **analysis},
        },
        "status": {"phase": "Progressing"},
    }
    return decode(CANARY, obj)


@pytest.mark.parametrize(
    ("name", "service", "analysis", "reason"),
    [
        ("plain", {}, {"stepWeight": 10}, "nothing but the defaults"),
        (
            "full",
            {
                "hosts": ["app.example.com"],
                "timeout": "15s",
                "match": [{"headers": {"x-v": {"regex": "1|2"}}}, {"method": {"exact": "GET"}}],
                "rewrite": {"uri": "/v2"},
                "headers": {"response": {"add": {"x-a": "1"}}},
                "mirror": [{"backendRef": {"name": "shadow", "port": 80}}],
                "corsPolicy": {"allowOrigin": ["https://a.example.com"]},
            },
            {"stepWeight": 10},
            "everything that a service may ask for",
        ),
        (
            "ab",
            {},
            {"iterations": 5, "match": [{"headers": {"x": {"exact": "1"}}}]},
            "an A/B test",
        ),
        ("mirrored", {}, {"iterations": 5, "mirror": True}, "copies to the canary"),
        (
            "sticky",
            {"headers": {"response": {"set": {"x-a": "1"}}}},
            {"stepWeight": 10, "sessionAffinity": AFFINITY},
            "cookies",
        ),
    ],
)
async def test_what_the_server_fills_in_is_no_drift(client, name, service, analysis, reason):
    released = canary(name, service, analysis)
    router = GatewayRouter(client)
    await router.reconcile(released)
    mirrored = bool(analysis.get("mirror"))
    for weights in (Weights(90, 10, mirrored=mirrored), Weights(100, 0)):
        await router.set(released, weights)
        written = await client.get(ROUTES, name, "default")
        await router.reconcile(released)
        found = await client.get(ROUTES, name, "default")
        assert found["metadata"]["resourceVersion"] == written["metadata"]["resourceVersion"], (
            reason
        )
        assert await router.get(released) == weights, reason
