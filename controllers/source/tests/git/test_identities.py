"""Credentials for Git services of clouds: for whom, and what they are made of."""

import hashlib
import hmac
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web

from fluvial.source.git.identities import GitIdentities, Requester
from fluvial.toolkit import Client, Metrics, Resource
from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds import Azure, Keys, Services, TokenCache
from fluvial.toolkit.testing import FakeApi, FakeClock, FileServer

ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
OWN, NAMED = Requester("default", "apps", ""), Requester("default", "apps", "a")
HOST = "git-codecommit.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/v1/repos/apps"


class Amazon:
    """Gives keys that say whose they are."""

    name = "aws"

    def __init__(self, clock, session="session"):
        self.clock = clock
        self.session = session
        self.asked = []
        self.proxies = []

    def identity(self, account):
        return account.annotations["role"]

    async def audiences(self, _):
        return ("sts.amazonaws.com",)

    async def own(self, need):
        return self._keys("own", need)

    async def exchange(self, _, account, need):
        return self._keys(self.identity(account), need)

    def _keys(self, who, need):
        self.asked.append((who, need.region))
        self.proxies.append(need.proxy)
        expires = self.clock.now() + timedelta(hours=1)
        return Keys(f"key-of-{who}", "secret", self.session, expires)


@pytest.fixture
async def api():
    async with FakeApi([ACCOUNTS]) as api:
        meta = {"name": "a", "namespace": "default", "annotations": {"role": "deployer"}}
        api.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        yield api


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def identities(api, clock):
    async with Client(api.config, qps=0) as client:

        def make(**options):
            cache = TokenCache(9, clock=clock, metrics=Metrics())
            return GitIdentities(client, cache, clock, **options)

        yield make


def signature(moment, region, path):
    """Sign as CodeCommit's own helper does: no query, no body, no other header."""
    scope = f"{moment[:8]}/{region}/codecommit/aws4_request"
    request = f"GIT\n{path}\n\nhost:{HOST}\n\nhost\n"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4secret"
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


async def test_a_signature_for_codecommit(identities, clock):
    pytest.importorskip("botocore", reason="the extra aws is not installed")
    amazon = Amazon(clock)
    found = await identities(aws=amazon).credentials("aws", URL, OWN)
    expected = signature("20260101T000000", "eu-west-1", "/v1/repos/apps")
    assert found.username == "key-of-own%session"
    assert found.password == f"20260101T000000Z{expected}"
    assert amazon.asked == [("own", "eu-west-1")]


async def test_keys_without_a_session(identities, clock):
    pytest.importorskip("botocore", reason="the extra aws is not installed")
    found = await identities(aws=Amazon(clock, "")).credentials("aws", URL, OWN)
    assert found.username == "key-of-own"


async def test_a_signature_is_of_one_repository_and_twelve_minutes(identities, clock):
    pytest.importorskip("botocore", reason="the extra aws is not installed")
    amazon = Amazon(clock)
    made = identities(aws=amazon)
    first = await made.credentials("aws", URL, OWN)
    await clock.advance(700.0)
    assert await made.credentials("aws", URL, OWN) == first
    other = await made.credentials("aws", f"{URL}-other", OWN)
    assert other.password != first.password
    await clock.advance(30.0)
    assert await made.credentials("aws", URL, OWN) != first
    assert len(amazon.asked) == 1, "the keys live longer"


@pytest.mark.parametrize(
    "url",
    [
        "http://git-codecommit.eu-west-1.amazonaws.com/v1/repos/apps",
        "https://git-codecommit.eu-west-1.amazonaws.com.evil.com/v1",
        "https://evil.com/git-codecommit.eu-west-1.amazonaws.com",
        "ssh://git@git-codecommit.eu-west-1.amazonaws.com/v1/repos/apps",
    ],
)
async def test_a_signature_is_for_nobody_else(identities, clock, url):
    with pytest.raises(ConfigError, match="provider aws is for CodeCommit: spec"):
        await identities(aws=Amazon(clock)).credentials("aws", url, OWN)


async def test_keys_are_asked_for_through_the_proxy_of_the_spec(identities, clock):
    pytest.importorskip("botocore", reason="the extra aws is not installed")
    amazon = Amazon(clock)
    requester = OWN._replace(proxy="http://proxy:3128")
    await identities(aws=amazon).credentials("aws", URL, requester)
    assert amazon.proxies == ["http://proxy:3128"]


async def test_a_socks5_proxy_is_refused(identities, clock):
    requester = OWN._replace(proxy="socks5://user:secret@proxy:1080")
    with pytest.raises(ConfigError, match="takes no socks5 proxy: give"):
        await identities(aws=Amazon(clock)).credentials("aws", URL, requester)


async def test_a_token_for_azure_devops(identities, clock):
    issued = {"access_token": "entra", "expires_in": "3600"}
    path = "/metadata/identity/oauth2/token"
    async with FileServer({path: msgspec.json.encode(issued)}) as machine:
        environ = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": machine.url}
        made = identities(azure=Azure(Services(clock), environ))
        found = [await made.credentials("azure", "https://dev.azure.com/o/p", OWN) for _ in "ab"]
    assert [one.bearer_token for one in found] == ["entra", "entra"]
    assert len(machine.requests) == 1
    assert "resource=499b84ac-1321-427f-aa17-267ca6975798&" in machine.requests[0].path + "&"


@pytest.mark.parametrize(
    ("requester", "default", "who", "reason"),
    [
        (OWN, "", "own", "the controller"),
        (NAMED, "", "deployer", "the account that is named"),
        (OWN, "a", "deployer", "the default of the flag"),
    ],
)
async def test_as_whom(identities, api, clock, *, requester, default, who, reason):
    pytest.importorskip("botocore", reason="the extra aws is not installed")

    def issue(request):
        if not request.path.endswith("/serviceaccounts/a/token"):
            return None
        status = {"token": "t", "expirationTimestamp": "2026-01-01T01:00:00Z"}
        return web.json_response({"status": status}, status=201)

    api.faults.append(issue)
    made = identities(aws=Amazon(clock), default_account=default)
    found = await made.credentials("aws", URL, requester)
    assert found.username == f"key-of-{who}%session", reason
