import base64
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.apis.decoding import decode
from fluvial.apis.flagger import Canary
from fluvial.apis.kinds import CANARY
from fluvial.toolkit.client import Client
from fluvial.toolkit.testing import FakeApi


class PrometheusApi:
    """Prometheus' query API: every query is answered by what `answer` says.

    `answer` is a number (as the text of a one-element vector), or a whole response.
    """

    def __init__(self) -> None:
        self.answer: Any = "1"
        self.answers: dict[str, Any] = {}
        self.requests: list[web.Request] = []
        app = web.Application()
        app.router.add_get("/{path:.*}", self._query)
        self.server = TestServer(app)

    @property
    def address(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    @property
    def queries(self) -> list[str]:
        return [request.query["query"] for request in self.requests]

    async def _query(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        query = request.query["query"]
        known = (value for text, value in self.answers.items() if text in query)
        answer = next(known, self.answer)
        if callable(answer):
            return await answer(request)
        return web.json_response(vector(answer) if isinstance(answer, str) else answer)


def vector(*values: str) -> dict[str, Any]:
    result = [{"metric": {}, "value": [1700000000.5, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@pytest.fixture
async def prometheus():
    api = PrometheusApi()
    await api.server.start_server()
    yield api
    await api.server.close()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def api():
    async with FakeApi() as api:
        yield api


@pytest.fixture
async def client(api):
    async with Client(api.config) as client:
        yield client


@pytest.fixture
def canary() -> Callable[..., Canary]:
    def make(*metrics: dict[str, Any], **spec: Any) -> Canary:
        obj = {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {"name": "podinfo", "namespace": "test"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
                "service": {"port": 9898},
                "analysis": {"interval": "30s", "threshold": 2, "metrics": list(metrics)},
                **spec,
            },
        }
        return decode(CANARY, obj)

    return make


@pytest.fixture
def template(api, prometheus):
    def put(name: str = "errors", query: str = "up", namespace: str = "test", **provider: Any):
        spec = {"type": "prometheus", "address": prometheus.address, **provider}
        api.put(
            {
                "apiVersion": "flagger.app/v1beta1",
                "kind": "MetricTemplate",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"provider": spec, "query": query},
            }
        )
        return {"name": name, "templateRef": {"name": name, "namespace": namespace}}

    return put


@pytest.fixture
def secret(api):
    def put(name: str, namespace: str = "test", **data: str):
        coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        api.put(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": namespace},
                "data": coded,
            }
        )

    return put
