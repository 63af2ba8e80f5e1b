"""Clusters of GKE: who asks for a token, with what proof, and where the cluster is found."""

import base64
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
import pytest

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clock import rfc3339
from fluvial.toolkit.clouds import Need, Services
from fluvial.toolkit.clouds.gcp import Gcp
from fluvial.toolkit.remote.connections import cluster_providers

NAME = "projects/p/locations/europe-west1/clusters/far"
POOL = "projects/12/locations/global/workloadIdentityPools/pool/providers/mine"
FEDERATED = {"gcp.auth.fluxcd.io/workload-identity-provider": POOL}
EMAIL = "flux@p.iam.gserviceaccount.com"
ROBOT = {"iam.gke.io/gcp-service-account": EMAIL}
GENERATE = f"/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
NAMED = {"provider": "gcp", "serviceAccountName": "a"}
METADATA = "/computeMetadata/v1/"
PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
USER = "https://www.googleapis.com/auth/userinfo.email"


@pytest.fixture
def environ(cloud):
    """Let a cloud of one's own be Google's, with this machine in GKE."""
    cloud.answers |= {
        "/v1/token": {"access_token": "federated", "expires_in": 3600, "token_type": "Bearer"},
        f"{METADATA}project/project-id": "p",
        f"{METADATA}instance/attributes/cluster-location": "us-east1",
        f"{METADATA}instance/attributes/cluster-name": "near",
    }
    services = ("STS", "IAMCREDENTIALS", "CONTAINER")
    overrides = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": cloud.url for name in services}
    return {"GCE_METADATA_HOST": urlsplit(cloud.url).netloc, **overrides}


@pytest.fixture
def gke(connect, *, local, clock, environ, cloud, asked, authority):
    """Connect to GKE, where the cluster is known."""
    cloud.answers[f"/v1/{NAME}"] = {
        "endpoint": "203.0.113.7",
        "masterAuth": {"clusterCaCertificate": base64.b64encode(authority.encode()).decode()},
    }
    providers = cluster_providers(local, clock, environ=environ)

    async def make(**data):
        return await connect(providers=providers, **{**NAMED, "cluster": NAME, **data})

    return make


def paths(cloud):
    return [request.path for request in cloud.requests]


async def test_an_account_of_a_pool(gke, cloud, asked, put_account):
    put_account("a", FEDERATED)
    config = await gke()
    assert config.server == "https://203.0.113.7:443"
    assert config.tls.cert_store_stats()["x509_ca"] == 1
    assert await config.credentials.headers() == {"Authorization": "Bearer federated"}
    assert [audiences for _, audiences in asked] == [[f"//iam.googleapis.com/{POOL}"]]
    assert cloud.forms[0] == {
        "audience": f"//iam.googleapis.com/{POOL}",
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": "token-1",
        "scope": f"{PLATFORM} {USER}",
    }
    assert paths(cloud) == ["/v1/token", f"/v1/{NAME}"]
    assert cloud.requests[1].headers["Authorization"] == "Bearer federated"


async def test_an_account_of_the_cluster_that_this_runs_in(gke, cloud, asked, put_account):
    put_account("a")
    await gke()
    assert [audiences for _, audiences in asked] == [["p.svc.id.goog"]]
    issuer = "https://container.googleapis.com/v1/projects/p/locations/us-east1/clusters/near"
    form = next(form for form in cloud.forms if form)
    assert form["audience"] == f"identitynamespace:p.svc.id.goog:{issuer}"
    metadata = [r for r in cloud.requests if r.path.startswith(METADATA)]
    assert len(metadata) == 3
    assert {r.headers["Metadata-Flavor"] for r in metadata} == {"Google"}


async def test_an_account_that_acts_as_a_google_service_account(gke, cloud, clock, put_account):
    put_account("a", {**FEDERATED, **ROBOT})
    ends = rfc3339(clock.now() + timedelta(hours=1))
    cloud.answers[GENERATE] = {"accessToken": "robot", "expireTime": ends}
    config = await gke()
    assert await config.credentials.headers() == {"Authorization": "Bearer robot"}
    assert cloud.forms[0]["scope"] == PLATFORM
    acting = cloud.requests[1]
    assert (acting.path, acting.headers["Authorization"]) == (GENERATE, "Bearer federated")
    assert msgspec.json.decode(cloud.bodies[1]) == {"lifetime": "3600s", "scope": [PLATFORM, USER]}


async def test_a_cluster_that_was_made_anew_is_found(gke, cloud, clock, put_account, authority):
    put_account("a", FEDERATED)
    await gke()
    cloud.answers[f"/v1/{NAME}"] |= {"endpoint": "203.0.113.8"}
    assert (await gke()).server == "https://203.0.113.7:443", "what is known is not asked again"
    await clock.advance(2881.0)
    before = await gke()
    assert before.server == "https://203.0.113.8:443"
    other = base64.b64encode(authority.encode() * 2).decode()
    cloud.answers[f"/v1/{NAME}"] |= {"masterAuth": {"clusterCaCertificate": other}}
    await clock.advance(2881.0)
    assert await gke() is not before, "another authority is another cluster"


async def test_address_and_authority_are_enough(gke, cloud, put_account, authority):
    put_account("a", FEDERATED)
    config = await gke(cluster="", address="far.example.com:6443", ca_crt=authority)
    assert config.server == "https://far.example.com:6443"
    assert paths(cloud) == ["/v1/token"]


@pytest.mark.parametrize(
    ("data", "answers", "says"),
    [
        ({"cluster": ""}, {}, "cluster: '' is no name of GKE"),
        ({"cluster": "projects/p/locations/../clusters/x"}, {}, "is no name of GKE"),
        ({}, {f"/v1/{NAME}": (404, {"error": {"message": "Not found: far"}})}, "404: Not found"),
        ({}, {f"/v1/{NAME}": {"endpoint": "a", "masterAuth": {"clusterCaCertificate": "%"}}}, "no"),
        ({}, {"/v1/token": (400, {"error": "invalid_grant"})}, "answered 400: invalid_grant"),
    ],
)
async def test_what_cannot_be_connected_to(gke, cloud, put_account, *, data, answers, says):
    put_account("a", FEDERATED)
    cloud.answers.update(answers)
    with pytest.raises(ConfigError, match=says) as caught:
        await gke(**data)
    assert "token-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("iam.gke.io/gcp-service-account", "evil@example.com"),
        ("iam.gke.io/gcp-service-account", f"{EMAIL}\n"),
        ("gcp.auth.fluxcd.io/workload-identity-provider", "projects/p/locations/global"),
    ],
)
async def test_annotations_that_are_part_of_addresses_are_checked(gke, put_account, key, value):
    put_account("a", {**FEDERATED, key: value})
    with pytest.raises(ConfigError, match=f"'default/a': annotation {key}: .* must match"):
        await gke()


async def test_the_controller_by_the_metadata_server(cloud, clock, environ):
    path = f"{METADATA}instance/service-accounts/default/token"
    cloud.answers[path] = {"access_token": "node", "expires_in": 600, "token_type": "Bearer"}
    token = await Gcp(Services(clock), environ).own(Need())
    assert (token.token, (token.expires - clock.now()).total_seconds()) == ("node", 600)
    assert cloud.requests[0].query["scopes"] == f"{PLATFORM},{USER}"
    assert cloud.requests[0].headers["Metadata-Flavor"] == "Google"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({}, "projected\n"),
        ({"type": "json", "subject_token_field_name": "id"}, '{"id": "projected"}'),
    ],
)
async def test_the_controller_by_an_external_account(
    cloud, clock, environ, tmp_path, *, form, text
):
    (tmp_path / "token").write_text(text)
    file = tmp_path / "credentials.json"
    source = {"file": str(tmp_path / "token"), "format": form}
    file.write_bytes(
        msgspec.json.encode(
            {
                "type": "external_account",
                "audience": "//iam.googleapis.com/mine",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": f"{cloud.url}/v1/token",
                "credential_source": source,
            }
        )
    )
    environ = {**environ, "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    assert (await Gcp(Services(clock), environ).own(Need())).token == "federated"
    assert cloud.forms[0]["subject_token"] == "projected"
    assert cloud.forms[0]["audience"] == "//iam.googleapis.com/mine"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"type": "service_account"}', "the type 'service_account' is not supported: use an"),
        ("no JSON", "GOOGLE_APPLICATION_CREDENTIALS"),
        (None, "no identity of Google Cloud: GOOGLE_APPLICATION_CREDENTIALS is not set"),
    ],
)
async def test_a_controller_that_is_nobody(environ, clock, tmp_path, content, says):
    if content is not None:
        file = tmp_path / "credentials.json"
        file.write_text(content)
        environ = {**environ, "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    with pytest.raises(ConfigError, match=says):
        await Gcp(Services(clock), environ).own(Need())


def test_the_addresses_of_google(clock):
    gcp = Gcp(Services(clock), {})
    assert gcp.endpoint("sts") == "https://sts.googleapis.com"
    assert gcp.endpoint("iamcredentials") == "https://iamcredentials.googleapis.com"
    assert gcp.endpoint("container") == "https://container.googleapis.com"
