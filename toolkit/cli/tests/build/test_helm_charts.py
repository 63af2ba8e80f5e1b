"""Where charts come from: flags, environment, files of names; servers are asked elsewhere."""

import subprocess
import sys
from pathlib import Path

import pytest

from fluvial.cli.build.charts import ChartSettings, ChartUnavailable
from fluvial.cli.build.charts.fetching import Access
from fluvial.cli.build.charts.repositories import Entry, Repositories, cached_index
from fluvial.cli.main import main
from fluvial.toolkit.web import basic

HOME = {"HOME": "/home/me"}


@pytest.mark.skipif(sys.platform == "darwin", reason="other folders are usual there")
@pytest.mark.parametrize(
    ("flags", "environ", "field", "place", "reason"),
    [
        ({}, {}, "repository_config", "/home/me/.config/helm/repositories.yaml", "usual"),
        ({}, {}, "registry_config", "/home/me/.config/helm/registry/config.json", "usual"),
        ({}, {}, "repository_cache", "/home/me/.cache/helm/repository", "usual"),
        ({}, {}, "content_cache", "/home/me/.cache/helm/content", "usual"),
        ({}, {}, "keyring", "/home/me/.gnupg/pubring.gpg", "usual"),
        ({}, {}, "docker_config", "/home/me/.docker/config.json", "usual"),
        ({}, {"XDG_CONFIG_HOME": "/x"}, "repository_config", "/x/helm/repositories.yaml", "XDG"),
        ({}, {"XDG_CACHE_HOME": "/x"}, "repository_cache", "/x/helm/repository", "XDG"),
        (
            {},
            {"XDG_CONFIG_HOME": "/x", "HELM_CONFIG_HOME": "/h"},
            "registry_config",
            "/h/registry/config.json",
            "helm's folder wins over XDG",
        ),
        (
            {},
            {"HELM_CACHE_HOME": "/h", "HELM_REPOSITORY_CACHE": "/r"},
            "repository_cache",
            "/r",
            "a variable of its own wins over the folder",
        ),
        (
            {"repository-config": "/f"},
            {"HELM_REPOSITORY_CONFIG": "/r"},
            "repository_config",
            "/f",
            "the flag wins over all",
        ),
        ({}, {"GNUPGHOME": "/g"}, "keyring", "/g/pubring.gpg", "gpg's folder"),
        ({"keyring": "/k"}, {"GNUPGHOME": "/g"}, "keyring", "/k", "a keyring"),
        ({}, {"DOCKER_CONFIG": "/d"}, "docker_config", "/d/config.json", "docker's folder"),
    ],
)
def test_places(flags, environ, field, place, reason):
    settings = ChartSettings.of(flags, {**HOME, **environ})
    assert getattr(settings, field) == Path(place), reason


@pytest.mark.parametrize(
    ("flags", "version"),
    [
        ({}, ""),
        ({"version": " 1.0 "}, "1.0"),
        ({"devel": True}, ">0.0.0-0"),
        ({"devel": True, "version": "1"}, "1"),
    ],
)
def test_version(flags, version):
    assert ChartSettings.of(flags, HOME).version == version


def test_passwords_are_not_printed():
    settings = ChartSettings.of({"username": "me", "password": "secret"}, HOME)
    assert "secret" not in repr(settings)
    assert "secret" not in repr(Access.of_flags(settings, "https://a"))


@pytest.mark.parametrize(
    ("access", "url", "sent", "reason"),
    [
        ({}, "https://a/x.tgz", True, "the repository's host"),
        ({}, "https://b/x.tgz", False, "another host"),
        ({}, "http://a/x.tgz", False, "another scheme"),
        ({}, "https://a:444/x.tgz", False, "another port"),
        ({"everywhere": True}, "https://b/x.tgz", True, "everywhere"),
        ({"password": ""}, "https://a/x.tgz", False, "half of the credentials"),
    ],
)
def test_who_gets_credentials(access, url, sent, reason):
    known = Access(**{"url": "https://a", "username": "me", "password": "secret", **access})
    assert known.authorization(url) == (basic("me", "secret") if sent else ""), reason


def test_a_named_repository_brings_what_it_knows():
    flags = {"username": "flag", "password": "p", "ca-file": "flag.crt", "pass-credentials": True}
    settings = ChartSettings.of(flags, HOME)
    plain = Access.of_entry(settings, Entry(name="a", url="https://a"))
    assert (plain.username, plain.everywhere, plain.ca_file) == ("flag", True, "flag.crt")
    knowing = Entry(url="https://a", username="me", password="p", cert_file="c", key_file="k")
    own = Access.of_entry(settings, knowing)
    assert (own.username, own.everywhere) == ("me", False)
    assert (own.ca_file, own.cert_file, own.key_file) == ("", "c", "k")


def test_names_of_repositories(tmp_path):
    path = tmp_path / "repositories.yaml"
    assert Repositories.load(path).entries() == []
    path.write_text(
        "apiVersion: ''\nrepositories:\n"
        "- {name: mine, url: 'https://a', username: me, password: p, pass_credentials_all: true,\n"
        "   insecure_skip_tls_verify: true, caFile: ca, certFile: c, keyFile: k, other: 1}\n"
        "- {name: empty}\n"
    )
    found = Repositories.load(path)
    assert found.named("mine") == Entry(
        name="mine",
        url="https://a",
        username="me",
        password="p",
        ca_file="ca",
        cert_file="c",
        key_file="k",
        insecure=True,
        pass_credentials=True,
    )
    with pytest.raises(ChartUnavailable, match="no URL found for repository empty"):
        found.named("empty")
    with pytest.raises(ChartUnavailable, match="repo other not found"):
        found.named("other")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a: [", "line "), ("repositories: 5\n", "repositories"), ("- a\n", "Expected `object`")],
)
def test_a_file_of_names_that_is_none(tmp_path, text, problem):
    path = tmp_path / "repositories.yaml"
    path.write_text(text)
    with pytest.raises(ChartUnavailable, match=problem):
        Repositories.load(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "no such file or directory"), (b"", "empty index.yaml file"), (b"a: b", "API version")],
)
def test_an_index_that_was_not_fetched(tmp_path, content, problem):
    if content is not None:
        (tmp_path / "mine-index.yaml").write_bytes(content)
    with pytest.raises(ChartUnavailable, match=problem):
        cached_index(tmp_path, "mine")


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "shop"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (folder / "templates" / "a.yaml").write_text("kind: A\n")
    return folder


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--verify"], "unpacked charts cannot be verified"),
        (["--ca-file", "/none"], "can't read CA file"),
        (["--cert-file", "/none", "--key-file", "/none"], "unable to read cert file"),
    ],
)
def test_refusals(chart, capsys, flags, problem):
    assert main(["build", "helm", "demo", str(chart), *flags]) == 1
    assert problem in capsys.readouterr().err


def test_a_chart_of_this_disk_imports_nothing_that_asks_servers(chart):
    """Most charts are folders: they must not wait for a client that they do not need."""
    code = (
        "import sys; from fluvial.cli.main import main; "
        f"assert main(['build', 'helm', 'demo', {str(chart)!r}]) == 0; "
        "print([name for name in ('aiohttp', 'asyncio', 'pysequoia') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith("\n[]\n")
