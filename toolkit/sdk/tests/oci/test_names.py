"""References, challenges and docker configurations: texts that come from elsewhere."""

import base64
import stat

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.toolkit.oci import (
    Challenge,
    Credential,
    CredentialsInvalid,
    DockerConfig,
    Reference,
    ReferenceInvalid,
    run_helper,
)

DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "reference", "reason"),
    [
        ("oci://h/a/b", ("h", "a/b", "", ""), "a repository"),
        ("h:5000/a:1.0", ("h:5000", "a", "1.0", ""), "ports are no tags"),
        ("h/a:1.0+b", ("h", "a", "1.0_b", ""), "tags have no plus"),
        (f"h/a@{DIGEST}", ("h", "a", "", DIGEST), "a digest"),
        (f"h/a:1.0@{DIGEST}", ("h", "a", "1.0", DIGEST), "both"),
        ("[::1]:5000/a", ("[::1]:5000", "a", "", ""), "an address of six parts"),
        ("h/a--b/c__d/e.f", ("h", "a--b/c__d/e.f", "", ""), "separators within names"),
    ],
)
def test_reference(text, reference, reason):
    assert Reference.parse(text) == reference, reason


@pytest.mark.parametrize(
    ("text", "problem", "reason"),
    [
        ("oci://h", "missing registry or repository", "no path"),
        ("", "missing registry or repository", "nothing"),
        ("oci:///a", "invalid registry", "no host"),
        ("u:p@h/a", r'invalid registry "\*{5}@h"', "a user"),
        ("h/../a", "invalid repository", "steps up"),
        ("h/A", "invalid repository", "capitals"),
        ("h/a//b", "invalid repository", "an empty part"),
        ("h/a/", "invalid repository", "a slash at the end"),
        ("h/a?x=1", "invalid repository", "a query"),
        ("h/a:", "invalid tag", "an empty tag"),
        ("h/a:b:c", "invalid tag", "two tags"),
        (f"h/a:{'x' * 129}", "invalid tag", "a long tag"),
        ("h/a@sha256:12", "invalid digest", "a short digest"),
        ("h/a@md5:12", "invalid digest", "an old algorithm"),
        ("h/a@", "invalid digest", "an empty digest"),
        ("h ost/a", "invalid registry", "a blank"),
        ("h/a\n", "invalid repository", "a line break"),
    ],
)
def test_no_reference(text, problem, reason):
    with pytest.raises(ReferenceInvalid, match=f"invalid reference: {problem}"):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("header", "challenge", "reason"),
    [
        ("", ("", "", "", ""), "nothing"),
        ('Basic realm="x"', ("basic", "x", "", ""), "basic"),
        ("Basic", ("basic", "", "", ""), "no parameters"),
        (
            'Bearer realm="https://t/x?y=1",service="s",scope="repository:a/b:pull,push"',
            ("bearer", "https://t/x?y=1", "s", "repository:a/b:pull,push"),
            "commas within quotes",
        ),
        ("BEARER  realm=x , service=s", ("bearer", "x", "s", ""), "no quotes, blanks"),
        (r'Bearer realm="a\"b"', ("bearer", 'a"b', "", ""), "a quote within quotes"),
        ('Bearer realm="a",realm="b"', ("bearer", "a", "", ""), "the first one counts"),
        ('Bearer realm="open', ("bearer", "", "", ""), "a quote that stays open"),
        ("42", ("", "", "", ""), "no scheme"),
    ],
)
def test_challenge(header, challenge, reason):
    assert Challenge.parse(header) == challenge, reason


@pytest.mark.fuzz
@given(st.text(st.characters(max_codepoint=255)))
def test_any_text_is_read(text):
    Challenge.parse(f"Bearer {text}")
    try:
        reference = Reference.parse(text)
    except ReferenceInvalid:
        return
    assert Reference.parse(str(reference)).repository == reference.repository


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def config(helper=None, **content):
    return DockerConfig.parse(msgspec.json.encode(content), helper=helper)


@pytest.mark.parametrize(
    ("auths", "registry", "found", "reason"),
    [
        ({"h:5": {"auth": encoded("u:p:q")}}, "h:5", Credential("u", "p:q"), "colons in passwords"),
        ({"h": {"username": "u", "password": "p"}}, "h", Credential("u", "p"), "in the clear"),
        ({"https://h/v1/": {"auth": encoded("u:p")}}, "h", Credential("u", "p"), "keys with paths"),
        ({"http://h": {"auth": encoded("u:p")}}, "h", Credential("u", "p"), "keys with a scheme"),
        ({"h": {"auth": encoded("u:p")}}, "h:5", None, "another port"),
        ({"h": {"auth": encoded("u:p")}}, "x.h", None, "a host below"),
        ({"h": {}}, "h", None, "an empty entry"),
        ({"h": None}, "h", None, "no entry"),
        (
            {"https://index.docker.io/v1/": {"auth": encoded("u:p")}},
            "docker.io",
            Credential("u", "p"),
            "the hub has a name of its own",
        ),
        (
            {"h": {"auth": encoded("u:"), "identitytoken": "t"}},
            "h",
            Credential("u", "", refresh_token="t"),
            "an identity token",
        ),
        ({"h": {"registrytoken": "t"}}, "h", Credential(access_token="t"), "a registry token"),
    ],
)
async def test_docker_config(auths, registry, found, reason):
    assert await config(auths=auths).find(registry) == found, reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"{", "no JSON"), (b"[]", "no object"), (b'{"auths": {"h": "secret"}}', "no entry")],
)
async def test_a_file_that_is_none_is_not_quoted(data, reason):
    with pytest.raises(CredentialsInvalid) as caught:
        DockerConfig.parse(data)
    assert "secret" not in str(caught.value), reason


@pytest.mark.parametrize("auth", ["%%%", encoded("nocolon")])
async def test_an_entry_that_is_none_is_not_quoted(auth):
    with pytest.raises(CredentialsInvalid) as caught:
        await config(auths={"h": {"auth": auth}}).find("h")
    assert auth not in str(caught.value)


def test_credentials_are_not_printed():
    assert "secret" not in repr(Credential("secret", "secret", "secret", "secret"))


async def test_helpers_take_the_place_of_auths():
    asked = []

    async def helper(name, server):
        asked.append((name, server))
        return Credential("from", name) if server != "none" else None

    content = {
        "credsStore": "all",
        "credHelpers": {"h": "own"},
        "auths": {"none": {"auth": encoded("u:p")}},
    }
    found = config(helper, **content)
    assert await found.find("h") == Credential("from", "own")
    assert await found.find("other") == Credential("from", "all")
    assert await found.find("none") is None, "auths are not for where a helper is"
    assert asked == [("own", "h"), ("all", "other"), ("all", "none")]
    assert await config(**content).find("none") == Credential("u", "p")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Make a credential helper out of a shell script."""

    def make(name, script):
        path = tmp_path / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return make


async def test_a_helper_is_asked_as_docker_does(program):
    program("x", 'read s; echo "{\\"Username\\": \\"$1 $s\\", \\"Secret\\": \\"p\\"}"')
    assert await run_helper("x", "h:5") == Credential("get h:5", "p")


async def test_a_helper_may_give_a_token(program):
    program("x", 'echo \'{"Username": "<token>", "Secret": "t"}\'')
    assert await run_helper("x", "h") == Credential(refresh_token="t")


async def test_a_helper_may_know_nothing(program):
    program("x", "echo credentials not found; exit 1")
    assert await run_helper("x", "h") is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x", "answered no credentials"),
        ("fails", "docker-credential-fails failed"),
        ("missing", r"\"docker-credential-missing\": executable file not found in \$PATH"),
        ("../x", "no name of a program"),
        ("", "no name of a program"),
    ],
)
async def test_helpers_that_fail(program, name, problem):
    program("x", "echo nonsense")
    program("fails", "echo secret; exit 1")
    with pytest.raises(CredentialsInvalid, match=problem):
        await run_helper(name, "h")
