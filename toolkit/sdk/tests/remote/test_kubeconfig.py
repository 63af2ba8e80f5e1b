"""T1: a tenant's kubeconfig is read, and nothing that it names is run, opened or trusted."""

import base64
import ssl
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.remote.kubeconfig import read

SERVER = "https://cluster.example.com:6443"


def document(*, user=None, cluster=None, **fields):
    """Return a kubeconfig whose current context is `dev`."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": SERVER, **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": "abc"} if user is None else user}],
        **fields,
    }


async def parsed(config, **flags):
    return await read(yaml.safe_dump(config).encode(), **flags)


@dataclass
class Refused:
    reason: str
    says: str
    user: dict[str, Any] | None = None
    cluster: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", "x"]}

REFUSED = [
    Refused("runs a program here", "--insecure-kubeconfig-exec", user={"exec": EXEC}),
    Refused("may run one", r"users\[u\].user.auth-provider", user={"auth-provider": {"name": "x"}}),
    Refused("reads a file here", "use token", user={"tokenFile": "/var/run/secrets/token"}),
    Refused("reads a file here", "use client-key-data", user={"client-key": "/etc/key.pem"}),
    Refused("reads a file", "client-certificate-data", user={"client-certificate": "/etc/c.pem"}),
    Refused(
        "opens a file", "certificate-authority-data", cluster={"certificate-authority": "/ca.pem"}
    ),
    Refused(
        "anyone could pose as the server",
        "--insecure-kubeconfig-tls",
        cluster={"insecure-skip-tls-verify": True},
    ),
    Refused("whom to act as is not the document's", "serviceAccountName", user={"as": "admin"}),
    Refused("nor with which groups", "as-groups", user={"as-groups": ["system:masters"]}),
    Refused("a socket is no network proxy", "proxy-url", cluster={"proxy-url": "unix:///a.sock"}),
    Refused(
        "nor is what no client here speaks", "http or https", cluster={"proxy-url": "socks5://x:1"}
    ),
    Refused("a file is no server", "server", cluster={"server": "file:///etc/passwd"}),
    Refused("a server is needed", "server", cluster={"server": None}),
    Refused("a header injection", "one word", user={"token": "abc\r\nX-Evil: 1"}),
    Refused("a token is text", "must be a string", user={"token": 12}),
    Refused(
        "half a pair",
        "go together",
        user={"client-certificate-data": base64.b64encode(b"x").decode()},
    ),
    Refused("data is base64", "is no base64", cluster={"certificate-authority-data": "%"}),
    Refused(
        "and PEM",
        "certificates cannot be used",
        cluster={"certificate-authority-data": base64.b64encode(b"x").decode()},
    ),
    Refused("a context is needed", "current-context", fields={"current-context": ""}),
    Refused("that exists", "no entry 'gone'", fields={"current-context": "gone"}),
    Refused("with a cluster", "clusters has no entry 'c'", fields={"clusters": []}),
    Refused("lists are lists", "users must be a list", fields={"users": {"u": {}}}),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.reason)
async def test_t1_what_reaches_beyond_the_document_is_refused(case):
    config = document(user=case.user, cluster=case.cluster, **case.fields)
    with pytest.raises(ConfigError, match=case.says):
        await parsed(config)


async def test_only_the_current_context_matters():
    config = document()
    config["users"].append({"name": "other", "user": {"exec": EXEC}})
    config["clusters"].append({"name": "other", "cluster": {"server": "https://other"}})
    access = await parsed(config)
    assert access.server == SERVER
    assert await access.credentials.headers() == {"Authorization": "Bearer abc"}


async def test_a_flag_allows_servers_that_anyone_may_be():
    access = await parsed(document(cluster={"insecure-skip-tls-verify": True}), allow_insecure=True)
    assert access.tls.verify_mode is ssl.CERT_NONE


async def test_servers_are_checked_else():
    access = await parsed(document(cluster={"insecure-skip-tls-verify": False}))
    assert access.tls.verify_mode is ssl.CERT_REQUIRED
    assert access.tls.check_hostname


async def test_a_flag_allows_plugins(tmp_path):
    plugin = tmp_path / "plugin"
    plugin.write_text(
        '#!/bin/sh\necho \'{"apiVersion": "client.authentication.k8s.io/v1",'
        ' "kind": "ExecCredential", "status": {"token": "of-the-plugin"}}\'\n'
    )
    plugin.chmod(0o700)
    user = {"exec": {**EXEC, "command": str(plugin), "args": [], "interactiveMode": "Never"}}
    config = document(user=user, cluster={"server": "http://127.0.0.1:1"})
    access = await parsed(config, allow_exec=True)
    assert await access.credentials.headers() == {"Authorization": "Bearer of-the-plugin"}


async def test_a_plugin_does_not_let_files_in():
    config = document(user={"exec": EXEC, "client-key": "/etc/key.pem"})
    with pytest.raises(ConfigError, match="client-key"):
        await parsed(config, allow_exec=True)


async def test_a_password_and_a_proxy():
    config = document(
        user={"username": "ada", "password": "pw"},
        cluster={"proxy-url": "http://proxy:3128", "tls-server-name": "inside"},
    )
    access = await parsed(config)
    pair = base64.b64encode(b"ada:pw").decode()
    assert await access.credentials.headers() == {"Authorization": f"Basic {pair}"}
    assert (access.proxy, access.tls_server_name) == ("http://proxy:3128", "inside")


@pytest.mark.parametrize("content", [b"- a", b"hunter2", b"", b"a: [hunter2", b"a: !hunter2 b"])
async def test_what_is_no_kubeconfig_is_refused_without_a_quote(content):
    with pytest.raises(ConfigError, match="kubeconfig") as caught:
        await read(content)
    assert "hunter2" not in str(caught.value)
