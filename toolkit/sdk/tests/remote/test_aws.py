"""Clusters of EKS: who takes on which role, and what is signed."""

import base64
import hashlib
import hmac
import sys
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds import Account, Aws, Bearer, Involved, Need, aws

pytest.importorskip("aiobotocore", reason="the extra aws is not installed")

NAME = "arn:aws:eks:eu-west-1:123456789012:cluster/far"
ROLE = "arn:aws:iam::123456789012:role/deployer"
NAMED = {"provider": "aws", "serviceAccountName": "a", "cluster": NAME}
SECRET = "wJalrXUtnFEMI"
ASSUMED = f"""
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>
    <SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
  </Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""
DENIED = """
<ErrorResponse><Error><Code>AccessDenied</Code>
<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>
"""


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, cloud):
    """Let a cloud of one's own be AWS, and nothing of this machine count."""
    for key, value in {
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(key, value)


@pytest.fixture
def eks(connect, cloud, put_account, asked, authority):
    """Connect to EKS, where the cluster is known."""
    put_account("a", {"eks.amazonaws.com/role-arn": ROLE})
    cloud.answers["/"] = ASSUMED
    data = base64.b64encode(authority.encode()).decode()
    cloud.answers["/clusters/far"] = {
        "cluster": {
            "endpoint": "https://far.eks.amazonaws.com",
            "certificateAuthority": {"data": data},
        }
    }

    async def make(**data):
        return await connect(**{**NAMED, **data})

    return make


def signature(method, url, headers, *, scope, moment, signed):
    """Compute a signature as the documentation of Signature Version 4 says."""
    place = urlsplit(url)
    query = sorted(
        (quote(key, safe="-_.~"), quote(value, safe="-_.~"))
        for key, value in parse_qsl(place.query, keep_blank_values=True)
        if key != "X-Amz-Signature"
    )
    request = "\n".join(
        [
            method,
            place.path,
            "&".join(f"{key}={value}" for key, value in query),
            *(f"{name}:{headers[name]}" for name in signed),
            "",
            ";".join(signed),
            hashlib.sha256(b"").hexdigest(),
        ]
    )
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


async def token_of(config):
    header = (await config.credentials.headers())["Authorization"]
    word = header.removeprefix("Bearer k8s-aws-v1.")
    return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode()


async def test_an_account_takes_on_its_role(eks, cloud, asked):
    config = await eks()
    assert config.server == "https://far.eks.amazonaws.com:443"
    assert config.tls.cert_store_stats()["x509_ca"] == 1
    assert [audiences for _, audiences in asked] == [["sts.amazonaws.com"]]
    assert cloud.forms[0] == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "a.default.eu-west-1.fluxcd.io",
        "WebIdentityToken": "token-1",
    }
    assert "Authorization" not in cloud.requests[0].headers


async def test_the_cluster_is_looked_up_by_a_signed_request(eks, cloud):
    await eks()
    request = cloud.requests[1]
    assert (request.method, request.path) == ("GET", "/clusters/far")
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["x-amz-security-token"] == "session"
    parts = dict(
        part.split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(", ")
    )
    key, scope = parts["Credential"].split("/", 1)
    assert (key, scope.split("/")[1:]) == ("ASIA1", ["eu-west-1", "eks", "aws4_request"])
    moment, signed = headers["x-amz-date"], parts["SignedHeaders"].split(";")
    url = f"{cloud.url}{request.raw_path}"
    expected = signature("GET", url, headers, scope=scope, moment=moment, signed=signed)
    assert parts["Signature"] == expected


async def test_the_token_is_a_signed_question_for_this_cluster_only(eks, cloud):
    url = await token_of(await eks())
    query = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith(f"{cloud.url}/?Action=GetCallerIdentity&Version=2011-06-15&")
    assert (query["X-Amz-Expires"], query["X-Amz-Security-Token"]) == ("900", "session")
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    key, scope = query["X-Amz-Credential"].split("/", 1)
    assert (key, scope.split("/")[1:]) == ("ASIA1", ["eu-west-1", "sts", "aws4_request"])
    headers = {"host": urlsplit(url).netloc, "x-k8s-aws-id": "far"}
    signed = ["host", "x-k8s-aws-id"]
    expected = signature(
        "GET", url, headers, scope=scope, moment=query["X-Amz-Date"], signed=signed
    )
    assert query["X-Amz-Signature"] == expected


async def test_a_token_is_signed_anew_long_before_the_role_ends(eks, cloud, clock):
    credentials = (await eks()).credentials
    first = await credentials.headers()
    await clock.advance(719.0)
    assert await credentials.headers() is not first
    assert await credentials.headers() == first
    await clock.advance(2.0)
    await credentials.headers()
    assert [request.path for request in cloud.requests].count("/") == 1
    assert [request.path for request in cloud.requests].count("/clusters/far") == 2


async def test_address_and_authority_are_enough(eks, cloud, authority):
    config = await eks(address="far.example.com", ca_crt=authority)
    assert config.server == "https://far.example.com:443"
    assert [request.path for request in cloud.requests] == ["/"]


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com/?"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/?"),
    ],
)
async def test_the_question_is_for_the_service_of_the_region(
    eks, authority, monkeypatch, *, region, endpoint
):
    await eks(address="far", ca_crt=authority)  # while the role can be taken on here
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    data = {"provider": "aws", "address": "far", "ca_crt": authority, "serviceAccountName": ""}
    config = await eks(**data, cluster=NAME.replace("eu-west-1", region))
    assert (await token_of(config)).startswith(endpoint)


@pytest.mark.parametrize(
    ("data", "answers", "says"),
    [
        ({"cluster": ""}, {}, "cluster: '' is no ARN of EKS"),
        ({"cluster": f"x{NAME}"}, {}, "is no ARN of EKS"),
        ({"cluster": NAME.replace("eu-west-1", "a.evil.com/")}, {}, "Provided region_name"),
        ({}, {"/": (403, DENIED)}, "sts in eu-west-1: .* Not authorized to perform"),
        (
            {},
            {"/clusters/far": (404, {"message": "No cluster found"})},
            "eks in .*No cluster found",
        ),
        (
            {},
            {"/clusters/far": {"cluster": {"status": "CREATING"}}},
            "no endpoint or authority yet",
        ),
    ],
)
async def test_what_cannot_be_connected_to(eks, cloud, data, answers, says):
    cloud.answers.update(answers)
    with pytest.raises(ConfigError, match=says) as caught:
        await eks(**data)
    assert "token-1" not in str(caught.value)


@pytest.mark.parametrize("role", ["", "arn:aws:iam::1:user/a", f"{ROLE}\n"])
async def test_an_account_without_a_role(eks, put_account, role):
    put_account("a", {"eks.amazonaws.com/role-arn": role})
    with pytest.raises(ConfigError, match=r"annotation eks.*/role-arn: .* must match"):
        await eks()


async def test_the_controller_by_a_web_identity(cloud, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("projected")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    cloud.answers["/"] = ASSUMED
    keys = await Aws().own(Need(region="eu-west-1"))
    assert (keys.access, keys.session, keys.expires.year) == ("ASIA1", "session", 2099)
    assert cloud.forms[0]["WebIdentityToken"] == "projected"


async def test_the_controller_by_a_pod_identity(cloud, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("pod")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{cloud.url}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    cloud.answers["/v1/credentials"] = {
        "AccessKeyId": "ASIA2",
        "SecretAccessKey": SECRET,
        "Token": "session",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    keys = await Aws().own(Need(region="eu-west-1"))
    assert (keys.access, keys.session, keys.expires.year) == ("ASIA2", "session", 2099)
    assert cloud.requests[0].headers["Authorization"] == "pod"


async def test_both_are_asked_for_through_a_proxy(cloud, monkeypatch, tmp_path, clock):
    (tmp_path / "token").write_text("projected")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://sts.invalid")
    cloud.answers["/"] = ASSUMED
    account = Account("default", "a", {"eks.amazonaws.com/role-arn": ROLE})
    need, token = Need(region="eu-west-1", proxy=cloud.url), Bearer("account", clock.now())
    assert (await Aws().exchange(token, account, need)).access == "ASIA1"
    assert (await Aws().own(need)).access == "ASIA1"
    assert [form["WebIdentityToken"] for form in cloud.forms] == ["account", "projected"]
    assert {request.host for request in cloud.requests} == {"sts.invalid"}


async def test_keys_that_live_on_are_not_held(cloud, connect, monkeypatch, authority, asked):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    data = {"provider": "aws", "cluster": NAME, "ca_crt": authority}
    first = await connect(**data, address="one")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA2")
    second = await connect(**data, address="two")
    assert "AKIA1" in await token_of(first)
    assert "AKIA2" in await token_of(second)


async def test_a_controller_that_is_nobody():
    with pytest.raises(ConfigError, match="no credentials of AWS: neither the environment"):
        await Aws().own(Need(region="eu-west-1"))


async def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(aws, "_open", aws._open.__wrapped__)
    monkeypatch.setitem(sys.modules, "aiobotocore.session", None)
    with pytest.raises(ConfigError, match=r"install fluvial-toolkit\[aws\]"):
        await Aws().own(Need(region="eu-west-1"))


async def test_keys_are_never_printed(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    keys = await Aws().own(Need(region="eu-west-1"))
    assert SECRET not in repr(keys)
    assert "AKIA1" not in repr(keys)


async def test_what_is_counted(eks, connect, metrics):
    involved = Involved("Kustomization", "default", "app", "fetch_kubeconfig")
    for _ in range(2):
        await connect(**NAMED, involved=involved)
    lines = metrics.expose().decode().splitlines()
    name = 'kind="Kustomization",name="app",namespace="default",operation="fetch_kubeconfig"}'
    assert f'gotk_token_cache_events_total{{event_type="cache_miss",{name} 2.0' in lines
    assert f'gotk_token_cache_events_total{{event_type="cache_hit",{name} 1.0' in lines
    assert 'gotk_token_cache_requests_total{status="success"} 3.0' in lines
    assert "gotk_token_cached_items 2.0" in lines
    metrics.forget("Kustomization", "default", "app")
    assert "gotk_token_cache_events_total{" not in metrics.expose().decode()
