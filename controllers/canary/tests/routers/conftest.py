from collections.abc import Callable
from typing import Any

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.flagger import Canary
from fluvial.apis.kinds import CANARY
from fluvial.toolkit.client import Client, Resource
from fluvial.toolkit.testing import FakeApi

ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
SERVICES = Resource("", "v1", "services", "Service")


@pytest.fixture
async def api():
    async with FakeApi([ROUTES, SERVICES]) as api:
        yield api


@pytest.fixture
async def client(api):
    async with Client(api.config) as client:
        yield client


@pytest.fixture
def canary() -> Callable[..., Canary]:
    def make(
        service: dict[str, Any] | None = None,
        analysis: dict[str, Any] | None = None,
        status: dict[str, Any] | None = None,
    ) -> Canary:
        obj = {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {"name": "podinfo", "namespace": "default", "uid": "u-1"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
                "service": {"port": 9898, "gatewayRefs": [{"name": "shared"}], **(service or {})},
                "analysis": {"interval": "30s", "threshold": 2, "stepWeight": 10}
                | (analysis or {}),
            },
            "status": {"phase": "Progressing", **(status or {})},
        }
        return decode(CANARY, obj)

    return make
