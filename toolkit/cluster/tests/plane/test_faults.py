"""Faults on demand: what is asked for happens, to those requests only, and is seen by a client."""

import asyncio

import aiohttp
import pytest

from fluvial.cluster.http.faults import Fault
from fluvial.cluster.plane import ControlPlane

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
BODY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


@pytest.fixture
async def plane():
    async with ControlPlane() as plane:
        yield plane


@pytest.fixture
async def ask(plane):
    headers = {"Authorization": f"Bearer {plane.token}", "User-Agent": "tester/1"}
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(plane.url, headers=headers, connector=connector) as session:

        async def call(method="GET", path=CONFIG_MAPS, **options):
            async with asyncio.timeout(30), session.request(method, path, **options) as answer:
                return answer.status, answer.headers, await answer.text()

        yield call


async def test_an_error_for_so_many_requests_of_a_verb(plane, ask):
    fault = Fault(f"{CONFIG_MAPS}.*", verb="list", status=429, retry_after=7, skip=1, count=2)
    plane.faults.add(fault)
    found = [(await ask())[0] for _ in range(4)]
    assert found == [200, 429, 429, 200]
    assert (await ask("POST", json=BODY))[0] == 201, "another verb"
    assert fault.hits == 2


async def test_a_refusal_looks_like_that_of_a_webhook(plane, ask):
    message = 'admission webhook "policy.example.com" denied the request: no'
    plane.faults.add(Fault(f"{CONFIG_MAPS}/a", verb="delete", status=403, message=message))
    await ask("POST", json=BODY)
    status, _, body = await ask("DELETE", f"{CONFIG_MAPS}/a")
    assert (status, "admission webhook" in body) == (403, True)
    assert (await ask("DELETE", f"{CONFIG_MAPS}/a"))[0] == 200


@pytest.mark.parametrize(
    ("drop", "there", "reason"),
    [("before", 404, "nothing was done"), ("after", 200, "only the answer was lost")],
)
async def test_a_broken_connection(plane, ask, drop, there, reason):
    plane.faults.add(Fault(CONFIG_MAPS, verb="create", drop=drop))
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", json=BODY)
    assert (await ask(path=f"{CONFIG_MAPS}/a"))[0] == there, reason


async def test_a_half_open_connection_hangs_until_the_client_gives_up(plane, ask):
    fault = plane.faults.add(Fault(CONFIG_MAPS, hang=True))
    request = asyncio.create_task(ask())
    async with asyncio.timeout(30):
        while not fault.hits:  # noqa: ASYNC110  (the plane is this same loop)
            await asyncio.sleep(0)
    assert not (await asyncio.wait([request], timeout=0.05))[0], "it was answered"
    request.cancel()
    assert (await ask())[0] == 200
    assert fault.hits == 1


async def test_an_expired_watch(plane, ask):
    plane.faults.add(Fault(CONFIG_MAPS, verb="watch", expire=True))
    status, _, body = await ask(params={"watch": "true", "resourceVersion": "1000"})
    assert (status, '"code":410' in body) == (200, True)


async def test_only_the_named_agent_is_hit_until_all_is_cleared(plane, ask):
    plane.faults.add(Fault(".*", agent="other/", status=503, count=None))
    assert (await ask())[0] == 200
    found = [(await ask(headers={"User-Agent": "other/2"}))[0] for _ in range(2)]
    plane.faults.clear()
    found.append((await ask(headers={"User-Agent": "other/2"}))[0])
    assert found == [503, 503, 200]
