"""Clusters that trust this one's ServiceAccounts: whose token, for whom, and for how long."""

import asyncio

import pytest
from aiohttp import web

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.remote import Access

NAMED = Access(object_identity=True)
DEFAULT = Access(object_identity=True, default_account="fallback")
FAR = {"provider": "generic", "address": "far.example.com"}


def path(namespace, account):
    return f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"


@pytest.mark.parametrize(
    ("access", "data", "expected", "reason"),
    [
        (Access(), {}, path("flux-system", "helm-controller"), "the controller's own"),
        (NAMED, {"serviceAccountName": "a"}, path("default", "a"), "the one that is named"),
        (DEFAULT, {}, path("default", "fallback"), "the default of the flag"),
        (DEFAULT, {"serviceAccountName": "a"}, path("default", "a"), "which a name overrides"),
    ],
)
async def test_whose_token_it_is(connect, asked, put_account, *, access, data, expected, reason):
    put_account("a")
    put_account("fallback")
    config = await connect(access, **FAR, **data)
    assert await config.credentials.headers() == {"Authorization": "Bearer token-1"}
    assert [request[0] for request in asked] == [expected], reason


@pytest.mark.parametrize(
    ("data", "audiences"),
    [
        ({}, ["far.example.com"]),
        ({"audiences": "one\n\n two \n"}, ["one", "two"]),
    ],
)
async def test_whom_it_is_for(connect, asked, data, audiences):
    await connect(**FAR, **data)
    assert asked[0][1] == audiences


async def test_a_token_is_for_those_who_are_named_now(connect, asked, put_account):
    put_account("a")
    named = {**FAR, "serviceAccountName": "a"}
    await connect(**named, audiences="one")
    await connect(**named, audiences="two")
    await connect(**named, audiences="one")
    assert [audiences for _, audiences in asked] == [["one"], ["two"]]


async def test_it_is_replaced_before_it_expires_and_when_it_is_refused(connect, asked, clock):
    credentials = (await connect(**FAR)).credentials
    await clock.advance(2870.0)
    assert await credentials.headers() == {"Authorization": "Bearer token-1"}
    await clock.advance(20.0)
    assert await credentials.headers() == {"Authorization": "Bearer token-2"}
    assert await credentials.headers(refresh=True) == {"Authorization": "Bearer token-3"}
    assert await credentials.headers() == {"Authorization": "Bearer token-3"}
    assert len(asked) == 3


async def test_many_requests_that_are_refused_get_one_new_token(connect, asked):
    credentials = (await connect(**FAR)).credentials
    refused = asyncio.Barrier(3)

    async def request():
        await credentials.headers()
        await refused.wait()
        return (await credentials.headers(refresh=True))["Authorization"]

    async with asyncio.TaskGroup() as tasks:
        requests = [tasks.create_task(request()) for _ in range(3)]
    assert {task.result() for task in requests} == {"Bearer token-2"}


async def test_without_a_cache_every_request_has_a_token_of_its_own(connect, asked):
    credentials = (await connect(**FAR, size=0)).credentials
    assert await credentials.headers() != await credentials.headers()


@pytest.mark.parametrize(
    ("access", "data", "says", "reason"),
    [
        (NAMED, {"serviceAccountName": "a"}, "'default/a' not found$", "the tenant's mistake"),
        (DEFAULT, {}, "'default/fallback' not found, and is the one that", "the operator's rule"),
    ],
)
async def test_an_account_that_is_not_there(connect, asked, *, access, data, says, reason):
    with pytest.raises(ConfigError, match=says):
        await connect(access, **FAR, **data)
    assert not asked, reason


async def test_a_refused_request_for_a_token_names_the_account(connect, api, put_account):
    def forbidden(request):
        if request.path.endswith("/token"):
            body = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no right"}
            return web.json_response(body, status=403)
        return None

    api.faults.append(forbidden)
    put_account("a")
    with pytest.raises(ConfigError, match="no token for ServiceAccount 'default/a': no right"):
        await connect(NAMED, **FAR, serviceAccountName="a")


async def test_a_controller_that_is_no_account_says_so(connect, api):
    def person(request):
        if request.path.endswith("/selfsubjectreviews"):
            return web.json_response({"status": {"userInfo": {"username": "ada"}}}, status=201)
        return None

    api.faults.append(person)
    with pytest.raises(ConfigError, match="acts as 'ada'"):
        await connect(**FAR)


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("Cluster.example.com", "https://cluster.example.com:443"),
        ("https://a:6443/path", "https://a:6443"),
        ("[fd00::1]:6443", "https://[fd00::1]:6443"),
    ],
)
async def test_the_address_is_completed(connect, asked, address, server):
    assert (await connect(provider="generic", address=address)).server == server


async def test_an_authority_that_is_no_pem(connect, asked):
    with pytest.raises(ConfigError, match="'default/remote': ca"):
        await connect(**FAR, ca_crt="x")
