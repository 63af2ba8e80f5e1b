"""A kubeconfig that a tenant wrote: read without running, opening or trusting what it names."""

import asyncio
import base64
import binascii
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from fluvial.toolkit.client.config import (
    BasicAuth,
    ClusterConfig,
    Credentials,
    NoCredentials,
    StaticToken,
)
from fluvial.toolkit.client.errors import ConfigError
from fluvial.toolkit.client.tls import Pair, client_context

__all__ = ["endpoint", "read"]

_INLINE: Final = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}
"""Fields that name a file on the reader's disk, and the inline field that replaces each."""

_AS: Final = ("as", "as-uid", "as-groups", "as-user-extra")
_PROXIES: Final = ("http", "https")


class _Entry:
    """The cluster or user of the current context; `path` is how messages name it."""

    def __init__(self, path: str, body: Mapping[str, Any]) -> None:
        self.path = path
        self.body = body

    def refuse(self, field: str, why: str) -> ConfigError:
        return ConfigError(f"kubeconfig: {self.path}.{field} {why}")

    def text(self, field: str) -> str:
        value = self.body.get(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.refuse(field, "must be a string")
        return value

    def data(self, field: str) -> bytes:
        try:
            return base64.b64decode(self.text(field), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self.refuse(field, "is no base64") from error

    def forbid_files(self) -> None:
        for field, inline in _INLINE.items():
            if self.body.get(field):
                raise self.refuse(
                    field, f"names a file of the controller, which is never read: use {inline}"
                )


async def read(
    content: bytes, *, allow_exec: bool = False, allow_insecure: bool = False
) -> ClusterConfig:
    """Read the current context of a kubeconfig. Raises ConfigError naming the field.

    Only what stands in the document itself is used. Refused are fields that name files, auth
    providers, exec plugins unless `allow_exec`, `insecure-skip-tls-verify` unless `allow_insecure`,
    and impersonation (`as`): whom to act as is for the object to say that the document is used for.
    Upstream drops all of these without a word, and goes on without them. Other contexts, users and
    clusters of the document do not matter.
    """
    document, name, context = _load(content)
    cluster = _find(document, "clusters", context.text("cluster"))
    user = _find(document, "users", context.text("user")) if context.text("user") else None
    _check_cluster(cluster, allow_insecure=allow_insecure)
    if user is None:
        user = _Entry("user", {})
    _check_user(user, allow_exec=allow_exec)
    if user.body.get("exec"):
        return await _with_plugin(name, context, cluster, user)
    return ClusterConfig(
        server=cluster.text("server").rstrip("/"),
        credentials=_credentials(user),
        tls=await asyncio.to_thread(_tls, cluster, user),
        tls_server_name=cluster.text("tls-server-name") or None,
        namespace=context.text("namespace") or "default",
        proxy=cluster.text("proxy-url") or None,
    )


def endpoint(content: bytes) -> tuple[str, str]:
    """Read where the cluster of the current context is, and its authority (PEM, or empty).

    Users do not matter. Raises ConfigError naming the field.
    """
    document, _, context = _load(content)
    cluster = _find(document, "clusters", context.text("cluster"))
    _check_cluster(cluster, allow_insecure=False)
    try:
        return cluster.text("server"), cluster.data("certificate-authority-data").decode()
    except UnicodeDecodeError as error:
        raise cluster.refuse("certificate-authority-data", "is no PEM") from error


def _load(content: bytes) -> tuple[Mapping[str, Any], str, _Entry]:
    """Return the document, and its current context with the name."""
    try:
        document = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are the safe loader
    except yaml.YAMLError as error:
        # Without the quote that a YAML error carries: it may be of a key.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"kubeconfig: no YAML{where}") from error
    if not isinstance(document, dict):
        raise ConfigError("kubeconfig: must be a mapping")
    name = document.get("current-context")
    if not name or not isinstance(name, str):
        raise ConfigError("kubeconfig: current-context is not set")
    return document, name, _find(document, "contexts", name)


def _find(document: Mapping[str, Any], plural: str, name: str) -> _Entry:
    """Return an entry of one of the three lists by its name; the first one counts, as in Go."""
    singular = plural.removesuffix("s")
    entries = document.get(plural) or []
    if not isinstance(entries, list):
        raise ConfigError(f"kubeconfig: {plural} must be a list")
    for entry in entries:
        if isinstance(entry, dict) and entry.get("name") == name:
            body = entry.get(singular) or {}
            if not isinstance(body, dict):
                break
            return _Entry(f"{plural}[{name}].{singular}", body)
    raise ConfigError(f"kubeconfig: {plural} has no entry {name!r} with a {singular}")


def _check_cluster(cluster: _Entry, *, allow_insecure: bool) -> None:
    server = urlsplit(cluster.text("server"))
    if server.scheme not in {"http", "https"} or not server.hostname:
        raise cluster.refuse("server", "must be an http or https URL")
    cluster.forbid_files()
    if cluster.body.get("insecure-skip-tls-verify") and not allow_insecure:
        raise cluster.refuse(
            "insecure-skip-tls-verify",
            "is refused, for anyone could pose as the server: use certificate-authority-data, or "
            "start the controller with --insecure-kubeconfig-tls",
        )
    if proxy := cluster.text("proxy-url"):
        url = urlsplit(proxy)
        if url.scheme not in _PROXIES or not url.hostname:
            raise cluster.refuse("proxy-url", f"must be a URL of {' or '.join(_PROXIES)}")


def _check_user(user: _Entry, *, allow_exec: bool) -> None:
    user.forbid_files()
    if user.body.get("auth-provider"):
        raise user.refuse("auth-provider", "is not supported: use a token or a client certificate")
    if user.body.get("exec") and not allow_exec:
        raise user.refuse(
            "exec",
            "is refused, for it runs a program in the controller: use a token or a client "
            "certificate, or start the controller with --insecure-kubeconfig-exec",
        )
    for field in _AS:
        if user.body.get(field):
            raise user.refuse(field, "is refused: name the account in spec.serviceAccountName")


def _credentials(user: _Entry) -> Credentials:
    if token := user.text("token"):
        if not token.isprintable() or " " in token:
            raise user.refuse("token", "must be one word, without a line break")
        return StaticToken(token)
    if name := user.text("username"):
        return BasicAuth(name, user.text("password"))
    return NoCredentials()


def _tls(cluster: _Entry, user: _Entry) -> ssl.SSLContext | None:
    if urlsplit(cluster.text("server")).scheme != "https":
        return None
    certificate, key = user.data("client-certificate-data"), user.data("client-key-data")
    if bool(certificate) != bool(key):
        raise user.refuse("client-certificate-data", "and client-key-data go together")
    verify = not cluster.body.get("insecure-skip-tls-verify")
    try:
        return client_context(
            ca=cluster.data("certificate-authority-data").decode() or None,
            pair=Pair(certificate, key) if certificate else None,
            verify=verify,
        )
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError(
            f"kubeconfig: {cluster.path} and {user.path}: the certificates cannot be used: {error}"
        ) from error


async def _with_plugin(name: str, context: _Entry, cluster: _Entry, user: _Entry) -> ClusterConfig:
    """Let kubernetes-asyncio run the plugin; it sees nothing but what was checked."""
    parts = {
        "cluster": (context.text("cluster"), cluster),
        "user": (context.text("user"), user),
        "context": (name, context),
    }
    document: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": name}
    for singular, (title, entry) in parts.items():
        document[f"{singular}s"] = [{"name": title, singular: dict(entry.body)}]
    return await ClusterConfig.from_kubeconfig(document)
