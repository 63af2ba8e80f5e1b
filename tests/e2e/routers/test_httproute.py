"""The HTTPRoute of a release in the server's hands: admitted, defaulted, and still not drifted."""

import pytest
import pytest_asyncio

from fluvial.canary.routers import GatewayRouter, Weights
from fluvial.toolkit import Resource

ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
AFFINITY = {"cookieName": "fl", "primaryCookieName": "flp"}


@pytest.fixture(scope="module")
def plane(make_harness):
    harness = make_harness("routers")
    harness.start_plane(standins=False)
    return harness


@pytest_asyncio.fixture
async def client(plane, define):
    async with plane.client() as client:
        await define(client)
        yield client


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
async def test_what_the_server_fills_in_is_no_drift(  # noqa: PLR0917 - a table
    client, canary, name, service, analysis, reason
):
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
