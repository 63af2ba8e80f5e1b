import base64

import pytest

from fluvial.toolkit.client import Client, Resource
from fluvial.toolkit.testing import FakeApi

ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")


@pytest.fixture
async def api():
    async with FakeApi([ACCOUNTS]) as server:
        yield server


@pytest.fixture
async def local(api):
    async with Client(api.config, qps=0) as client:
        yield client


@pytest.fixture
def put_secret(api):
    """Store a Secret with text values."""

    def put(name="remote", **data):
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        meta = {"name": name, "namespace": "default"}
        api.put({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": encoded})

    return put


@pytest.fixture
def put_config_map(api):
    """Store a ConfigMap."""

    def put(name="remote", **data):
        meta = {"name": name, "namespace": "default"}
        data = {key.replace("_", "."): value for key, value in data.items()}
        api.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})

    return put
