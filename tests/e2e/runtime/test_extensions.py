"""The extension of the page, installed and asked."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.apis.flagger import MetricProvider
from fluvial.canary.metrics import NoValues, QueryError
from fluvial.canary.metrics.providers import metric_server
from fluvial.toolkit.extensions import METRIC_PROVIDERS
from fluvial.toolkit.testing.extension import write_extension


@pytest.fixture
async def warehouse():
    """Serve rows to whoever has the token."""

    async def answer(request):
        if request.headers.get("Authorization") != "Bearer t0ken":
            return web.Response(status=401)
        rows = {"SELECT errors": [3, 4.5], "SELECT 1": [1]}
        return web.json_response({"rows": rows.get(request.query["q"], [])})

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_the_provider_of_the_page(pages, tmp_path, monkeypatch, warehouse):
    source = pages("warehouse.py").read_text()
    write_extension(tmp_path, source, METRIC_PROVIDERS, "splunk", "Warehouse")
    monkeypatch.syspath_prepend(str(tmp_path))
    provider = MetricProvider(type="splunk", address=warehouse)
    async with aiohttp.ClientSession() as session:
        server = metric_server(session, provider, {"token": b"t0ken"})
        await server.check_online()
        assert await server.value("SELECT errors") == 4.5
        with pytest.raises(NoValues, match="no rows"):
            await server.value("SELECT nothing")
        with pytest.raises(QueryError, match="ClientResponseError: 401"):
            await metric_server(session, provider, None).value("SELECT errors")
        with pytest.raises(QueryError, match="address is empty"):
            metric_server(session, MetricProvider(type="splunk"), None)
