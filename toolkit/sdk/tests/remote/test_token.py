"""Tokens of service accounts: whose, for whom, and for how long."""

import pytest
from aiohttp import web

from fluvial.apis.meta import KubeConfigReference, LocalObjectReference
from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clock import rfc3339
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.remote import Access, RemoteClusters
from fluvial.toolkit.testing import FakeClock

CONTROLLER = "system:serviceaccount:flux-system:helm-controller"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def asked(api, clock):
    """Answer token requests and self reviews; returns what was asked for."""
    requests = []

    def answer(request):
        if request.path.endswith("/selfsubjectreviews"):
            return web.json_response({"status": {"userInfo": {"username": CONTROLLER}}}, status=201)
        if not request.path.endswith("/token"):
            return None
        requests.append((request.path, request.body["spec"]["audiences"]))
        ends = rfc3339(clock.now().replace(hour=clock.now().hour + 1))
        status = {"token": f"token-{len(requests)}", "expirationTimestamp": ends}
        return web.json_response({"status": status}, status=201)

    api.faults.append(answer)
    return requests


@pytest.fixture
async def connect(local, clock, put_config_map):
    """Return the credentials that a ConfigMap leads to."""

    async def make(access=None, **data):
        put_config_map(provider="generic", address="far.example.com", **data)
        clusters = RemoteClusters(local, access or Access(), clock=clock, metrics=Metrics(), qps=0)
        reference = KubeConfigReference(config_map_ref=LocalObjectReference(name="remote"))
        async with clusters, clusters.client(reference, "default") as client:
            return client.config.credentials

    return make


def path(namespace, account):
    return f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"


NAMED = Access(object_identity=True)
DEFAULT = Access(object_identity=True, default_account="fallback")


@pytest.mark.parametrize(
    ("access", "data", "expected", "reason"),
    [
        (None, {}, path("flux-system", "helm-controller"), "the controller's own"),
        (NAMED, {"serviceAccountName": "a"}, path("default", "a"), "the one that is named"),
        (DEFAULT, {}, path("default", "fallback"), "the default of the flag"),
        (DEFAULT, {"serviceAccountName": "a"}, path("default", "a"), "which a name overrides"),
    ],
)
async def test_whose_token_it_is(connect, asked, *, access, data, expected, reason):
    credentials = await connect(access, **data)
    assert await credentials.headers() == {"Authorization": "Bearer token-1"}
    assert [request[0] for request in asked] == [expected], reason


@pytest.mark.parametrize(
    ("data", "audiences"),
    [
        ({}, ["far.example.com"]),
        ({"audiences": "one\n\n two \n"}, ["one", "two"]),
    ],
)
async def test_whom_it_is_for(connect, asked, data, audiences):
    credentials = await connect(**data)
    await credentials.headers()
    assert asked[0][1] == audiences


async def test_it_is_replaced_before_it_expires_and_when_it_is_refused(connect, asked, clock):
    credentials = await connect()
    await credentials.headers()
    await clock.advance(2870.0)
    assert await credentials.headers() == {"Authorization": "Bearer token-1"}
    await clock.advance(20.0)
    assert await credentials.headers() == {"Authorization": "Bearer token-2"}
    assert await credentials.headers(refresh=True) == {"Authorization": "Bearer token-3"}


async def test_an_account_that_is_not_there_is_named(connect, api):
    def missing(request):
        if request.path.endswith("/token"):
            body = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "no"}
            return web.json_response(body, status=404)
        return None

    api.faults.append(missing)
    credentials = await connect(NAMED, serviceAccountName="a")
    with pytest.raises(ConfigError, match="'default/a' not found"):
        await credentials.headers()


async def test_a_controller_that_is_no_account_says_so(connect, api):
    def person(request):
        if request.path.endswith("/selfsubjectreviews"):
            return web.json_response({"status": {"userInfo": {"username": "ada"}}}, status=201)
        return None

    api.faults.append(person)
    credentials = await connect()
    with pytest.raises(ConfigError, match="acts as 'ada'"):
        await credentials.headers()
