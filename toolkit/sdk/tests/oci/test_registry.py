"""Registries over a real socket: the dance of tokens, pages, redirects, and what is refused."""

import msgspec
import pytest
from aiohttp import web

from fluvial.toolkit.oci import (
    CHART_LAYER,
    CONFIG,
    PROVENANCE_LAYER,
    ContentRejected,
    Credential,
    Descriptor,
    Reference,
    ReferenceInvalid,
    Registry,
    RegistryRefused,
    VersionNotFound,
    pull_chart,
    resolve_chart,
)
from fluvial.toolkit.testing import FileServer, RegistryServer
from fluvial.toolkit.web import WebClient, basic

NAME = "charts/shop"
ME = Credential("me", "secret")
ACCOUNTS = {"me": "secret"}
LARGEST = 1000


@pytest.fixture
async def web_client():
    async with WebClient(timeout=20) as client:
        yield client


def layer(server, media_type, data):
    return {"mediaType": media_type, "digest": server.blob(data), "size": len(data)}


def push(server, tag, *, package=b"package", provenance=None, config=CONFIG, kind=CHART_LAYER):
    """Store a chart; returns the digest of its manifest."""
    layers = [layer(server, kind, package)]
    if provenance is not None:
        layers.append(layer(server, PROVENANCE_LAYER, provenance))
    manifest = {"schemaVersion": 2, "config": layer(server, config, b"{}"), "layers": layers}
    return server.put(NAME, tag, msgspec.json.encode(manifest))


def registry_of(client, server, credential=None):
    return Registry(client, server.host, credential=credential, plain_http=True)


def name(server, tag="", digest=""):
    return Reference(server.host, NAME, tag, digest)


def seen(server):
    return [(one.path, one.headers.get("Authorization", "")) for one in server.requests]


async def test_a_chart_and_its_provenance(web_client):
    async with RegistryServer() as server:
        digest = push(server, "1.0.0", provenance=b"signed")
        registry = registry_of(web_client, server)
        pulled = await pull_chart(registry, name(server, "1.0.0"), largest=LARGEST)
        assert (pulled.package, pulled.provenance, pulled.digest) == (b"package", None, digest)
        proven = await pull_chart(
            registry, name(server, digest=digest), largest=LARGEST, provenance=True
        )
        assert (proven.package, proven.provenance) == (b"package", b"signed")


async def test_tags_come_in_pages(web_client):
    async with RegistryServer(page=2) as server:
        for tag in ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "latest"):
            push(server, tag)
        found = await registry_of(web_client, server).tags(NAME)
        assert found == ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "latest"]
        assert len(server.requests) == 3


async def test_basic_authentication_is_given_when_asked_for(web_client):
    async with RegistryServer(auth="basic", accounts=ACCOUNTS) as server:
        push(server, "1.0.0")
        registry = registry_of(web_client, server, ME)
        await pull_chart(registry, name(server, "1.0.0"), largest=LARGEST)
        sent = [authorization for _, authorization in seen(server)]
        assert sent == ["", basic("me", "secret"), basic("me", "secret")]


async def test_basic_authentication_without_credentials(web_client):
    async with RegistryServer(auth="basic", accounts=ACCOUNTS) as server:
        with pytest.raises(RegistryRefused, match="basic credential not found") as caught:
            await registry_of(web_client, server).tags(NAME)
        assert caught.value.status == 401


async def test_a_token_is_fetched_once_for_a_repository(web_client):
    async with RegistryServer(auth="bearer", accounts=ACCOUNTS) as server:
        push(server, "1.0.0")
        registry = registry_of(web_client, server, ME)
        reference = await resolve_chart(registry, name(server))
        await pull_chart(registry, reference, largest=LARGEST)
        asked = [(path, sent) for path, sent in seen(server) if path.startswith("/token")]
        assert asked == [
            (
                "/token?scope=repository%3Acharts%2Fshop%3Apull%2Cpush&service=registry",
                basic("me", "secret"),
            )
        ]
        others = {sent for path, sent in seen(server) if not path.startswith("/token")}
        assert others == {"", f"Bearer for-{NAME}"}


async def test_tokens_for_nobody_in_particular(web_client):
    async with RegistryServer(auth="bearer") as server:
        push(server, "1.0.0")
        assert await registry_of(web_client, server).tags(NAME) == ["1.0.0"]
        assert not [sent for _, sent in seen(server) if sent.startswith("Basic")]


async def test_a_wrong_password(web_client):
    async with RegistryServer(auth="bearer", accounts=ACCOUNTS) as server:
        wrong = Credential("me", "sesame")
        with pytest.raises(RegistryRefused) as caught:
            await registry_of(web_client, server, wrong).tags(NAME)
        assert caught.value.status == 401
        assert str(caught.value).endswith("status code 401: unauthorized: unauthorized")
        assert "sesame" not in str(caught.value)


async def test_an_identity_token_is_exchanged(web_client):
    forms = []

    async def handle(request):
        if request.path == "/token":
            forms.append((request.method, dict(await request.post()), request.headers))
            return web.json_response({"access_token": "fresh"})
        if request.headers.get("Authorization") == "Bearer fresh":
            return web.json_response({"tags": ["1.0.0"]})
        realm = f"http://{request.host}/token"
        challenge = f'Bearer realm="{realm}",service="s"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async with Serving(handle) as host:
        credential = Credential(refresh_token="identity")
        registry = Registry(web_client, host, credential=credential, plain_http=True)
        assert await registry.tags(NAME) == ["1.0.0"]
    method, form, headers = forms[0]
    assert method == "POST"
    assert form["grant_type"] == "refresh_token"
    assert form["refresh_token"] == "identity"
    assert form["scope"] == f"repository:{NAME}:pull"
    assert "Authorization" not in headers


async def test_a_registry_token_is_sent_as_it_is(web_client):
    async with RegistryServer(auth="bearer", accounts=ACCOUNTS) as server:
        push(server, "1.0.0")
        credential = Credential(access_token=f"for-{NAME}")
        assert await registry_of(web_client, server, credential).tags(NAME) == ["1.0.0"]
        assert not [path for path, _ in seen(server) if path.startswith("/token")]


async def test_blobs_elsewhere_never_see_credentials(web_client):
    async with (
        RegistryServer(auth="bearer", accounts=ACCOUNTS) as server,
        FileServer() as store,
    ):
        push(server, "1.0.0")
        server.elsewhere = store.url
        store.files = {f"/{digest}": data for digest, data in server.blobs.items()}
        registry = registry_of(web_client, server, ME)
        pulled = await pull_chart(registry, name(server, "1.0.0"), largest=LARGEST)
        assert pulled.package == b"package"
        assert [sent for _, sent in seen(store)] == [""]


async def test_another_hosts_question_is_not_answered(web_client):
    """A store that asks for a password must not get the registry's."""
    async with (
        RegistryServer() as server,
        FileServer({}, accounts={"any": "body"}) as store,
    ):
        push(server, "1.0.0")
        server.elsewhere = store.url
        with pytest.raises(RegistryRefused, match="401"):
            await pull_chart(
                registry_of(web_client, server, ME), name(server, "1.0.0"), largest=LARGEST
            )
        assert [sent for _, sent in seen(store)] == [""]


async def test_a_password_is_never_sent_to_a_realm_without_tls(web_client, monkeypatch):
    async def handle(request):
        challenge = 'Bearer realm="http://tokens.example.com/x"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async with Serving(handle) as host:
        registry = Registry(web_client, host, credential=ME, plain_http=True)
        # As if over TLS: what counts is the scheme that the registry was asked with.
        monkeypatch.setattr(registry, "_base", f"https://{host}")
        registry._web = Unsafe(web_client)
        with pytest.raises(ContentRejected, match="must use https as well"):
            await registry.tags(NAME)


class Unsafe:
    """Asks over plain HTTP what is to be asked over TLS."""

    def __init__(self, client):
        self._client = client

    async def ask(self, method, url, headers, largest, **rest):
        answer = await self._client.ask(
            method, url.replace("https:", "http:"), headers, largest, **rest
        )
        return answer._replace(url=url)


class Serving:
    """Runs one handler for every path; gives its host."""

    def __init__(self, handle):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def __aenter__(self):
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_):
        await self._runner.cleanup()


async def test_what_is_not_there(web_client):
    async with RegistryServer() as server:
        registry = registry_of(web_client, server)
        with pytest.raises(RegistryRefused, match=r"tags/list.*404: name unknown: name_unknown"):
            await registry.tags(NAME)
        with pytest.raises(RegistryRefused, match=f"{server.host}/{NAME}:1.0.0: not found"):
            await registry.manifest(name(server, "1.0.0"))


@pytest.mark.parametrize(
    ("content", "problem", "reason"),
    [
        (b"x" * 7, "mismatch digest", "another content of the same size"),
        (b"short", "mismatch digest", "a shorter one"),
        (b"x" * 8, "larger than 7 bytes", "a longer one"),
    ],
)
async def test_a_blob_that_is_another(web_client, content, problem, reason):
    async with RegistryServer() as server:
        push(server, "1.0.0")
        digest = next(key for key, data in server.blobs.items() if data == b"package")
        server.blobs[digest] = content
        with pytest.raises(Exception, match=problem):
            await pull_chart(registry_of(web_client, server), name(server, "1.0.0"), largest=99)


async def test_a_manifest_that_is_another(web_client):
    async with RegistryServer() as server:
        digest = push(server, "1.0.0")
        server.blobs[digest] += b" "
        for reference in (name(server, digest=digest), name(server, "1.0.0")):
            with pytest.raises(ContentRejected, match="mismatch digest"):
                await registry_of(web_client, server).manifest(reference)


@pytest.mark.parametrize(
    ("digest", "reason"),
    [("../../secret", "a path"), ("sha512:00", "another algorithm"), ("", "none")],
)
async def test_digests_of_layers(web_client, digest, reason):
    async with RegistryServer() as server:
        with pytest.raises(ContentRejected, match="a digest must be"):
            await registry_of(web_client, server).blob(NAME, Descriptor(digest=digest), 9)
        assert not server.requests, reason


async def test_a_chart_that_is_too_large_is_not_fetched(web_client):
    async with RegistryServer() as server:
        push(server, "1.0.0", package=b"x" * 100)
        with pytest.raises(ContentRejected, match="larger than 99 bytes"):
            await pull_chart(registry_of(web_client, server), name(server, "1.0.0"), largest=99)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("options", "provenance", "problem", "reason"),
    [
        ({"config": "application/json"}, False, "could not load config", "an image"),
        ({"kind": "application/json"}, False, "layer with mediatype .*content", "no chart"),
        ({}, True, "layer with mediatype .*prov", "no provenance file"),
    ],
)
async def test_what_is_no_chart(web_client, options, provenance, problem, reason):
    async with RegistryServer() as server:
        push(server, "1.0.0", **options)
        with pytest.raises(ContentRejected, match=problem):
            await pull_chart(
                registry_of(web_client, server),
                name(server, "1.0.0"),
                largest=99,
                provenance=provenance,
            )


async def test_the_old_media_type_of_charts(web_client):
    async with RegistryServer() as server:
        push(server, "1.0.0", kind="application/tar+gzip")
        pulled = await pull_chart(
            registry_of(web_client, server), name(server, "1.0.0"), largest=99
        )
        assert pulled.package == b"package"


async def test_an_index_with_a_chart_in_it(web_client):
    async with RegistryServer() as server:
        image = push(server, "", config="application/json")
        chart = push(server, "")
        listed = [{"digest": digest, "mediaType": "x", "size": 1} for digest in (image, chart)]
        index = msgspec.json.encode({"schemaVersion": 2, "manifests": listed})
        server.put(NAME, "1.0.0", index, "application/vnd.oci.image.index.v1+json")
        registry = registry_of(web_client, server)
        pulled = await pull_chart(registry, name(server, "1.0.0"), largest=99)
        assert pulled.package == b"package"
        only = msgspec.json.encode({"schemaVersion": 2, "manifests": listed[:1]})
        server.put(NAME, "2.0.0", only, "application/vnd.oci.image.index.v1+json")
        with pytest.raises(ContentRejected, match="no manifest of the index is a chart"):
            await pull_chart(registry, name(server, "2.0.0"), largest=99)


TAGS = ("1.0.0", "1.2.0", "2.0.0-rc.1", "1.1.0_build.5", "latest", "v3.0.0", "4", "01.9.0")


@pytest.mark.parametrize(
    ("tag", "version", "found", "reason"),
    [
        ("", "", "1.2.0", "the newest release; a leading v and parts that are missing are no tags"),
        ("", ">0.0.0-0", "2.0.0-rc.1", "prereleases where the range has one"),
        ("", "~1.1", "1.1.0_build.5", "build metadata"),
        ("", "1.1.0+build.5", "1.1.0_build.5", "a version in full is not looked up"),
        ("", "7.0.0", "7.0.0", "not even one that is not there"),
        ("1.0.0", "", "1.0.0", "the reference's own tag"),
        ("1.0.0", "1.0.0", "1.0.0", "both"),
        ("1.1.0_build.5", "1.1.0+build.5", "1.1.0_build.5", "in both ways of writing"),
    ],
)
async def test_resolution(web_client, tag, version, found, reason):
    async with RegistryServer(page=3) as server:
        for one in TAGS:
            push(server, one)
        resolved = await resolve_chart(registry_of(web_client, server), name(server, tag), version)
        assert resolved == name(server, found), reason


@pytest.mark.parametrize(
    ("tag", "version", "problem", "reason"),
    [
        ("1.0.0", "1.2.0", "mismatch: 1.2.0 is not 1.0.0", "a tag that is another"),
        (
            "",
            ">9",
            "could not locate a version matching provided version string >9",
            "nothing fits",
        ),
        ("", "banana", "improper constraint", "no range"),
        ("latest", "", "improper constraint", "a tag that is no version"),
    ],
)
async def test_no_resolution(web_client, tag, version, problem, reason):
    async with RegistryServer() as server:
        push(server, "1.0.0")
        with pytest.raises((VersionNotFound, ReferenceInvalid), match=problem):
            await resolve_chart(registry_of(web_client, server), name(server, tag), version)


async def test_no_versions_at_all(web_client):
    async with RegistryServer() as server:
        push(server, "latest")
        with pytest.raises(VersionNotFound, match="unable to locate any tags"):
            await resolve_chart(registry_of(web_client, server), name(server))


async def test_a_digest_is_kept_and_a_tag_beside_it_checked(web_client):
    async with RegistryServer() as server:
        first, second = push(server, "1.0.0"), push(server, "1.2.0", package=b"other")
        registry = registry_of(web_client, server)
        pinned = name(server, digest=first)
        assert await resolve_chart(registry, pinned) == pinned
        assert await resolve_chart(registry, pinned, "1.0.0") == pinned
        assert await resolve_chart(registry, pinned, "9.9.9") == pinned, "it needs no tag"
        with pytest.raises(ReferenceInvalid, match=f"mismatch: {second} is not {first}"):
            await resolve_chart(registry, pinned._replace(tag="1.2.0"))


async def test_a_next_page_as_seen_behind_a_proxy(web_client):
    """The host is this one; scheme and port are those that were asked."""

    async def handle(request):
        if request.query.get("last") == "1.0.0":
            return web.json_response({"tags": ["1.1.0"]})
        link = '<https://127.0.0.1/v2/charts/shop/tags/list?n=1&last=1.0.0>; rel="next"'
        return web.json_response({"tags": ["1.0.0"]}, headers={"Link": link})

    async with Serving(handle) as host:
        found = await Registry(web_client, host, plain_http=True).tags(NAME)
    assert found == ["1.0.0", "1.1.0"]


async def test_a_next_page_on_another_host_is_not_asked(web_client):
    async def handle(request):
        link = '<http://elsewhere.example.com/v2/x/tags/list>; rel="next"'
        return web.json_response({"tags": ["1.0.0"]}, headers={"Link": link})

    async with Serving(handle) as host:
        with pytest.raises(ContentRejected, match="the next page is on another host"):
            await Registry(web_client, host, plain_http=True).tags(NAME)
