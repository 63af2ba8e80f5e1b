"""Clusters that are described by a ConfigMap, without a stored credential."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final, Self
from urllib.parse import urlsplit

import msgspec

from fluvial.toolkit.client import ClusterConfig, ConfigError, Credentials
from fluvial.toolkit.client.tls import client_context

__all__ = ["Generic"]

_CLOUDS: Final = ("aws", "azure", "gcp")


class Generic(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster that trusts the tokens of this one's service accounts (by OIDC)."""

    server: str
    """Its URL, with a port and without a path."""
    ca: str
    """Its authority as PEM, empty for those of the system."""
    audiences: tuple[str, ...]
    """Whom the tokens are for."""

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Self:
        """Read the keys of the ConfigMap; see docs/spec/common.md. Raises ConfigError."""
        provider = data.get("provider") or ""
        if provider in _CLOUDS:
            raise ConfigError(
                f"provider: {provider} is not supported by this version: use generic, or a "
                "kubeconfig in a Secret"
            )
        if provider != "generic":
            raise ConfigError(
                f"provider: must be one of generic, {', '.join(_CLOUDS)}, and is {provider!r}"
            )
        address = data.get("address") or ""
        if not address:
            raise ConfigError("address: the provider generic needs the address of the server")
        lines = (line.strip() for line in (data.get("audiences") or "").split("\n"))
        return cls(
            server=_server(address),
            ca=data.get("ca.crt") or "",
            audiences=tuple(filter(None, lines)) or (address,),
        )

    async def connect(self, credentials: Credentials) -> ClusterConfig:
        """Describe the cluster to a client. Raises ConfigError."""
        try:
            tls = await asyncio.to_thread(client_context, ca=self.ca or None)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(f"ca.crt: {error}") from error
        return ClusterConfig(server=self.server, credentials=credentials, tls=tls)


def _server(address: str) -> str:
    """Complete an address as upstream does: https, port 443, no path."""
    url = urlsplit(address if address.startswith("http") else f"https://{address}")
    try:
        host, port = url.hostname, url.port or 443
    except ValueError as error:
        raise ConfigError(f"address: {error}") from error
    if url.scheme != "https" or not host:
        raise ConfigError("address: must be a host or an https URL")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"
