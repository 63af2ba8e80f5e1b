import base64
from pathlib import Path

import pytest

from fluvial.source.git.credentials import Access, Credentials, Proxy
from fluvial.source.git.errors import CredentialsInvalid, UrlInvalid

BASIC = Credentials(username="ada", password="s3cret")


def header(grant):
    return grant.configuration.get("http.extraHeader")


def test_basic_goes_into_the_environment_only():
    access = Access.to("https://git.test/a.git", BASIC)
    with access.grant() as grant:
        pair = base64.b64encode(b"ada:s3cret").decode()
        assert header(grant) == f"Authorization: Basic {pair}"
        assert pair in grant.secrets
        assert "s3cret" in grant.secrets
    assert access.url == "https://git.test/a.git"


def test_bearer_wins_over_basic():
    access = Access.to("https://git.test/a", Credentials("ada", "s3cret", bearer_token="tok"))
    with access.grant() as grant:
        assert header(grant) == "Authorization: Bearer tok"


def test_credentials_of_the_url_count_where_the_secret_has_none_and_are_never_shown():
    access = Access.to("https://ada:s3%40cret@git.test:8443/a.git")
    assert access.url == "https://git.test:8443/a.git"
    with access.grant() as grant:
        assert header(grant).endswith(base64.b64encode(b"ada:s3@cret").decode())
    own = Access.to("https://eve:other@git.test/a.git", BASIC)
    with own.grant() as grant:
        assert header(grant).endswith(base64.b64encode(b"ada:s3cret").decode())


def test_credentials_stay_with_their_host():
    with Access.to("https://git.test/a", BASIC).grant() as grant:
        assert grant.configuration["http.followRedirects"] == "false"
    with Access.to("https://git.test/a").grant() as grant:
        assert "http.followRedirects" not in grant.configuration


def test_an_authority_is_added_to_those_of_the_system():
    with Access.to("https://git.test/a", Credentials(ca=b"-----MINE-----")).grant() as grant:
        bundle = Path(grant.environment["GIT_SSL_CAINFO"]).read_bytes()
        assert bundle.endswith(b"-----MINE-----")
        assert bundle.count(b"BEGIN CERTIFICATE") > 10


def test_files_are_private_and_gone_afterwards():
    held = Credentials(certificate=b"cert", key=b"key", ca=b"ca")
    with Access.to("https://git.test/a", held).grant() as grant:
        files = [Path(grant.environment[f"GIT_SSL_{name}"]) for name in ("CERT", "KEY", "CAINFO")]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert [file for file in files if file.exists()] == []


def test_ssh_accepts_only_the_known_host_and_only_our_key():
    held = Credentials(identity=b"KEY", known_hosts=b"git.test ssh-ed25519 AAAA")
    access = Access.to("ssh://git.test/a.git", held)
    assert access.url == "ssh://git@git.test/a.git"
    with access.grant() as grant:
        line = grant.environment["GIT_SSH_COMMAND"]
        for option in ("StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "BatchMode=yes"):
            assert option in line
        assert "GlobalKnownHostsFile=none" in line


@pytest.mark.parametrize(
    ("url", "held", "message"),
    [
        ("https://h/a", Credentials(password="x"), "'password' requires 'username'"),
        ("https://u:p@h/a", Credentials(bearer_token="t"), "bearer token cannot be used together"),
        ("ssh://h/a", Credentials(known_hosts=b"x"), "'identity' is required"),
        ("ssh://h/a", Credentials(identity=b"x"), "'known_hosts' is required"),
    ],
)
def test_credentials_that_do_not_fit(url, held, message):
    with pytest.raises(CredentialsInvalid, match=message):
        Access.to(url, held)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "ext::sh -c id",
        "git://h/a",
        "http://",
        "https:///a",
        "ssh://-oProxyCommand=x/a",
        "http://-h/a",
        "ssh://h/-a",
        "https://h:99999/a",
        "https://h:x/a",
        "https://h/a b",
        "https://h/a\nb",
        "git@h:a.git",
        "--upload-pack=x",
        "",
    ],
)
def test_urls_that_are_none(url):
    with pytest.raises(UrlInvalid):
        Access.to(url)


def test_a_bad_url_does_not_give_its_password_away():
    with pytest.raises(UrlInvalid) as caught:
        Access.to("https://ada:s3cret@h:port/a")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "expected", "reason"),
    [
        ({"username": b"a", "password": b"p\n"}, ("a", "p"), "an editor's line break goes"),
        ({}, ("", ""), "nothing is fine"),
    ],
)
def test_reading_a_secret(data, expected, reason):
    held = Credentials.from_secret(data, "ns/name")
    assert (held.username, held.password) == expected, reason


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"tls.crt": b"x"}, "both or neither"),
        ({"tls.key": b"x"}, "both or neither"),
        ({"username": b"\xff"}, "username is not UTF-8"),
        ({"password": b"a\r\nX-Header: b"}, "password holds control characters"),
        ({"bearerToken": b"a\nX-Header: b"}, "bearerToken holds control characters"),
    ],
)
def test_secrets_that_are_refused(data, message):
    with pytest.raises(CredentialsInvalid, match=f"secret 'ns/name': .*{message}"):
        Credentials.from_secret(data, "ns/name")


def test_the_old_name_of_the_authority_is_read():
    assert Credentials.from_secret({"caFile": b"old"}, "n").ca == b"old"
    assert Credentials.from_secret({"caFile": b"old", "ca.crt": b"new"}, "n").ca == b"new"


def test_a_proxy_with_an_account():
    data = {"address": b"http://proxy:3128", "username": b"a@b", "password": b"p/w"}
    assert Proxy.from_secret(data, "n").address == "http://a%40b:p%2Fw@proxy:3128"


@pytest.mark.parametrize("address", [b"", b"proxy:3128", b"ftp://proxy", b"http://" + b"x" * 2048])
def test_proxies_that_are_none(address):
    with pytest.raises(CredentialsInvalid, match="address"):
        Proxy.from_secret({"address": address}, "ns/name")
