"""Where the cluster is and who we are to it."""

import asyncio
import base64
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from fluvial.toolkit.client.errors import ConfigError

__all__ = [
    "BasicAuth",
    "ClusterConfig",
    "Credentials",
    "NoCredentials",
    "StaticToken",
    "TokenFile",
]

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_REREAD = 60.0
"""Seconds after which a token file is read again; bound tokens are rotated by the kubelet."""


class Credentials(Protocol):
    """Something that can authenticate a request."""

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:
        """Return the headers to add; `refresh` after a 401 asks for new credentials."""


class NoCredentials:
    """Anonymous, or authenticated by the TLS client certificate alone."""

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:  # noqa: ARG002 - protocol
        """No headers."""
        return {}


class StaticToken:
    """A bearer token that never changes."""

    def __init__(self, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:  # noqa: ARG002 - protocol
        """Return the token's header."""
        return self._headers


class BasicAuth:
    """A user name and a password, for proxies before an API server; servers take none."""

    def __init__(self, username: str, password: str) -> None:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}"}

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:  # noqa: ARG002 - protocol
        """Return the header."""
        return self._headers


class TokenFile:
    """A bearer token that someone else keeps fresh in a file; read again every minute."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._headers: dict[str, str] = {}
        self._due = 0.0

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:
        """Return the header with the token as of at most a minute ago.

        Raises ConfigError when the file cannot be read and no earlier token is known.
        """
        if refresh or time.monotonic() >= self._due:
            try:
                token = (await asyncio.to_thread(self._path.read_text)).strip()
            except OSError as error:
                if not self._headers:
                    raise ConfigError(
                        f"cannot read the token file {self._path}: {error}"
                    ) from error
            else:
                self._headers = {"Authorization": f"Bearer {token}"}
                self._due = time.monotonic() + _REREAD
        return self._headers


@dataclass(frozen=True)
class ClusterConfig:
    """How to reach an API server.

    `server` is its base URL, with a path if it has one; `tls` the context for https (None: the
    system's trust store); `namespace` the default one of the context or service account;
    `headers` are sent with every request (a kubeconfig's `as`).
    """

    server: str
    credentials: Credentials = field(default_factory=NoCredentials)
    """Who calls."""
    tls: ssl.SSLContext | None = None
    tls_server_name: str | None = None
    """The name to check in the server's certificate, None for the URL's."""
    namespace: str = "default"
    proxy: str | None = None
    """URL of a proxy, None for none."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def plain(
        cls,
        server: str,
        *,
        token: str | None = None,
        ca: bytes | None = None,
        namespace: str = "default",
    ) -> Self:
        """Build from a URL, a bearer token and a PEM bundle of the authorities to trust."""
        return cls(
            server=server.rstrip("/"),
            credentials=StaticToken(token) if token else NoCredentials(),
            tls=ssl.create_default_context(cadata=ca.decode()) if ca else None,
            namespace=namespace,
        )

    @classmethod
    def in_cluster(
        cls, mount: Path = _SERVICE_ACCOUNT, environ: Mapping[str, str] = os.environ
    ) -> Self:
        """Build from what the kubelet gives to every pod.

        Raises ConfigError outside of a pod, naming what is missing.
        """
        host = environ.get("KUBERNETES_SERVICE_HOST")
        port = environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise ConfigError("not in a cluster: KUBERNETES_SERVICE_HOST is not set")
        try:
            ca = (mount / "ca.crt").read_text()
        except OSError as error:
            raise ConfigError(f"not in a cluster: {error}") from error
        namespace = mount / "namespace"
        return cls(
            server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
            credentials=TokenFile(mount / "token"),
            tls=ssl.create_default_context(cadata=ca),
            namespace=namespace.read_text().strip() if namespace.exists() else "default",
        )

    @classmethod
    async def from_kubeconfig(
        cls, source: str | Path | Mapping[str, Any] | None = None, context: str | None = None
    ) -> Self:
        """Build from a kubeconfig: a path, the decoded document, or None for kubectl's rule.

        kubectl's rule is the list of files in `KUBECONFIG`, else `~/.kube/config`. Exec plugins
        run with the rights of this process: a document that is not your own is for
        `fluvial.toolkit.remote`. Raises ConfigError.
        """
        from fluvial.toolkit.client import kubeconfig  # noqa: PLC0415 - costs 35 MB when used

        return cls(**await kubeconfig.load(source, context))

    @classmethod
    async def discover(cls, path: str | None = None, context: str | None = None) -> Self:
        """Find the cluster as controllers do.

        The kubeconfig that was named, else `KUBECONFIG`, else the pod's service account, else
        `~/.kube/config`. Raises ConfigError.
        """
        if path or os.environ.get("KUBECONFIG"):
            return await cls.from_kubeconfig(path or None, context)
        if os.environ.get("KUBERNETES_SERVICE_HOST"):
            return cls.in_cluster()
        return await cls.from_kubeconfig(None, context)
