"""Clusters of AKS: who asks for a token, with what proof, and where the cluster is found."""

import asyncio
import base64

import pytest

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds import Need, Services
from fluvial.toolkit.clouds.azure import Azure
from fluvial.toolkit.remote.connections import cluster_providers
from fluvial.toolkit.testing import FakeClock

SUBSCRIPTION = "00000000-1111-2222-3333-444444444444"
NAME = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/group/providers"
    "/Microsoft.ContainerService/managedClusters/far"
)
TENANT, CLIENT = "azure.workload.identity/tenant-id", "azure.workload.identity/client-id"
APPLICATION = {TENANT: "tenant", CLIENT: "client"}
NAMED = {"provider": "azure", "serviceAccountName": "a"}
AKS = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
ISSUED = {"token_type": "Bearer", "expires_in": 3600, "access_token": "entra"}


def kubeconfig(server, ca):
    data = base64.b64encode(ca.encode()).decode()
    text = (
        "current-context: a\n"
        "contexts: [{name: a, context: {cluster: a, user: u}}]\n"
        "clusters:\n- name: a\n"
        f"  cluster: {{server: '{server}', certificate-authority-data: {data}}}\n"
        "users: [{name: u, user: {exec: {command: kubelogin}}}]\n"
    )
    return {"name": "clusterUser", "value": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def environ(secure, tmp_path):
    """Let a cloud of one's own be Azure."""
    file = tmp_path / "environment.json"
    file.write_text(f'{{"resourceManagerEndpoint":"{secure.url}","tokenAudience":"{secure.url}/"}}')
    return {"AZURE_AUTHORITY_HOST": secure.url, "AZURE_ENVIRONMENT_FILEPATH": str(file)}


@pytest.fixture
def aks(connect, *, local, clock, services, environ, secure, put_account, asked, authority):
    """Connect to AKS; both of its endpoints are known."""
    put_account("a", APPLICATION)
    secure.answers["/tenant/oauth2/v2.0/token"] = ISSUED
    secure.answers[NAME] = {"properties": {"aadProfile": {"managed": True}}}
    secure.answers[f"{NAME}/listClusterUserCredential"] = {
        "kubeconfigs": [
            kubeconfig("https://one.azmk8s.io:443", authority),
            kubeconfig("https://two.azmk8s.io:443", authority),
        ]
    }
    providers = cluster_providers(local, clock, services=services, environ=environ)

    async def make(**data):
        return await connect(providers=providers, **NAMED, **data)

    return make


async def test_an_account_acts_as_its_application(aks, secure, asked, authority):
    config = await aks(address="far.example.com", ca_crt=authority)
    assert config.server == "https://far.example.com:443"
    assert await config.credentials.headers() == {"Authorization": "Bearer entra"}
    assert [audiences for _, audiences in asked] == [["api://AzureADTokenExchange"]]
    assert secure.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "client",
            "scope": AKS,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": "token-1",
        }
    ]


@pytest.mark.parametrize(
    ("address", "server", "reason"),
    [
        ("", "https://one.azmk8s.io:443", "the first endpoint"),
        ("https://TWO.azmk8s.io", "https://two.azmk8s.io:443", "the one of the address"),
    ],
)
async def test_the_manager_is_asked_where_it_is(aks, secure, *, address, server, reason):
    config = await aks(cluster=NAME, address=address)
    assert config.server == server, reason
    assert config.tls.cert_store_stats()["x509_ca"] == 1
    scopes = [form["scope"] for form in secure.forms if "scope" in form]
    assert scopes == [AKS, f"{secure.url}//.default"]
    asked = [(r.method, r.path) for r in secure.requests[2:]]
    assert asked == [("GET", NAME), ("POST", f"{NAME}/listClusterUserCredential")]
    assert {r.headers["Authorization"] for r in secure.requests[2:]} == {"Bearer entra"}
    assert all(r.query["api-version"] for r in secure.requests[2:])
    assert secure.bodies[2:] == ["", ""]
    assert secure.requests[3].headers["Content-Length"] == "0"


async def test_names_are_written_in_any_case(aks):
    assert await aks(cluster=NAME.replace("resourceGroups", "resourcegroups"))


@pytest.mark.parametrize(
    ("data", "answers", "says"),
    [
        ({}, {}, "cluster: '' is no resource ID of AKS"),
        ({"cluster": NAME.replace("group/", "../")}, {}, "is no resource ID"),
        ({"cluster": NAME}, {NAME: {"properties": {}}}, "takes no tokens: enable"),
        ({"cluster": NAME, "address": "three"}, {}, "no endpoint https://three:443; its endpoints"),
        (
            {"cluster": NAME},
            {NAME: (403, {"error": {"code": "AuthorizationFailed", "message": "no right"}})},
            "answered 403: no right",
        ),
        (
            {"cluster": NAME},
            {"/tenant/oauth2/v2.0/token": (401, {"error": "x", "error_description": "AADSTS7"})},
            "answered 401: AADSTS7",
        ),
        ({"cluster": NAME}, {"/tenant/oauth2/v2.0/token": {"a": 1}}, "answered something else"),
    ],
)
async def test_what_cannot_be_connected_to(aks, secure, data, answers, says):
    secure.answers.update(answers)
    with pytest.raises(ConfigError, match=says) as caught:
        await aks(**data)
    assert "ConfigMap 'default/remote'" in str(caught.value)
    assert "token-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("annotations", "says", "reason"),
    [
        ({CLIENT: "client"}, f"'default/a' has no annotation {TENANT}", "whose directory?"),
        ({TENANT: "tenant"}, f"has no annotation {CLIENT}", "which application?"),
        ({**APPLICATION, TENANT: "../x"}, "is no tenant", "it is part of an address"),
    ],
)
async def test_an_account_that_is_nobody(aks, put_account, authority, *, annotations, says, reason):
    put_account("a", annotations)
    with pytest.raises(ConfigError, match=says):
        await aks(address="far", ca_crt=authority)


async def test_a_cluster_that_refuses_makes_for_new_tokens(aks, secure, authority):
    credentials = (await aks(address="far", ca_crt=authority)).credentials
    secure.answers["/tenant/oauth2/v2.0/token"] = {**ISSUED, "access_token": "newer"}
    assert await credentials.headers() == {"Authorization": "Bearer entra"}
    assert await credentials.headers(refresh=True) == {"Authorization": "Bearer newer"}


async def test_another_identity_of_the_account_has_another_client(aks, put_account, authority):
    first = await aks(address="far", ca_crt=authority)
    put_account("a", {**APPLICATION, CLIENT: "other"})
    assert (await aks(address="far", ca_crt=authority)).credentials is not first.credentials


@pytest.fixture
def federated(tmp_path):
    file = tmp_path / "token"
    file.write_text("projected\n")
    return str(file)


class Impatient(FakeClock):
    """Wakes sleepers at once."""

    async def sleep(self, _):
        await asyncio.sleep(0)


async def test_tokens_are_asked_for_through_a_proxy(environ, secure):
    """It is asked for a way to the service, which is then spoken to by TLS."""
    asked = []

    async def refuse(reader, writer):
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    environ |= {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        with pytest.raises(ConfigError, match="403"):
            await own(Services(Impatient()), environ, proxy=url)
    place = secure.url.removeprefix("https://").encode()
    assert set(asked) == {b"CONNECT " + place + b" HTTP/1.1\r\n"}
    assert len(asked) == 3, "proxies fail for a moment, too"
    assert not secure.requests


async def own(services, environ, **need):
    return await Azure(services, environ).own(Need(scope="https://x.azure.net/.default", **need))


async def test_the_controller_by_a_federated_token(secure, services, environ, federated):
    secure.answers["/t/oauth2/v2.0/token"] = ISSUED
    mine = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": federated}
    token = await own(services, {**environ, **mine})
    assert token.token == "entra"
    assert secure.forms[0]["client_assertion"] == "projected"


async def test_a_secret_comes_before_a_federated_token(secure, services, environ, federated):
    secure.answers["/t/oauth2/v2.0/token"] = ISSUED
    mine = {
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_CLIENT_SECRET": "s",
        "AZURE_FEDERATED_TOKEN_FILE": federated,
    }
    await own(services, {**environ, **mine})
    assert secure.forms[0]["client_secret"] == "s"
    assert "client_assertion" not in secure.forms[0]


@pytest.mark.parametrize("client", ["", "chosen"])
async def test_the_identity_of_the_machine(cloud, clock, client):
    issued = {"access_token": "machine", "expires_in": "86399", "resource": "https://x.azure.net"}
    cloud.answers["/metadata/identity/oauth2/token"] = issued
    environ = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"{cloud.url}/", "AZURE_CLIENT_ID": client}
    token = await own(Services(clock), environ)
    assert (token.token, (token.expires - clock.now()).total_seconds()) == ("machine", 86399)
    request = cloud.requests[0]
    assert request.headers["Metadata"] == "true"
    assert request.query["resource"] == "https://x.azure.net"
    assert request.query.get("client_id", "") == client


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "no identity of Azure: neither AZURE_CLIENT_SECRET .* the machine gives none"),
        ({"AZURE_CLIENT_SECRET": "s", "AZURE_AUTHORITY_HOST": "http://a"}, "must be an https URL"),
        ({"AZURE_CLIENT_CERTIFICATE_PATH": "/x"}, "certificates are not supported: use"),
        (
            {"AZURE_FEDERATED_TOKEN_FILE": "/gone", "AZURE_AUTHORITY_HOST": "https://a"},
            "AZURE_FEDERATED_TOKEN_FILE: .*/gone",
        ),
    ],
)
async def test_a_controller_that_is_nobody(cloud, clock, environ, says):
    mine = {
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": cloud.url,
    }
    with pytest.raises(ConfigError, match=says):
        await own(Services(clock), {**mine, **environ})


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({}, "https://management.azure.com"),
        (
            {"AZURE_AUTHORITY_HOST": "https://login.chinacloudapi.cn"},
            "https://management.chinacloudapi.cn",
        ),
        (
            {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us"},
            "https://management.usgovcloudapi.net",
        ),
    ],
)
def test_the_manager_of_every_cloud(services, environ, endpoint):
    manager = Azure(services, environ).management()
    assert manager.endpoint == endpoint
    assert manager.scope.endswith("//.default")


@pytest.mark.parametrize(
    ("text", "says"),
    [("{}", "resourceManagerEndpoint and tokenAudience"), ("[", "AZURE_ENVIRONMENT_FILEPATH")],
)
def test_a_file_of_a_cloud_that_says_too_little(services, tmp_path, text, says):
    file = tmp_path / "environment.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says):
        Azure(services, {"AZURE_ENVIRONMENT_FILEPATH": str(file)}).management()
