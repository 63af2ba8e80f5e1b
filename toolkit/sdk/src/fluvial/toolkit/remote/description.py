"""What a ConfigMap says about a cluster, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

import msgspec

from fluvial.toolkit.client import ConfigError

__all__ = ["Connection", "Description", "server_of"]


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of the ConfigMap; see docs/spec/common.md."""

    provider: str
    """Who gives tokens for it."""
    cluster: str = ""
    """The provider's name of the cluster, empty where the rest is enough."""
    address: str = ""
    """Where it is, empty for where the provider says."""
    ca: str = ""
    """Its authority as PEM, empty for what the provider says, or those of the system."""
    audiences: tuple[str, ...] = ()
    """Whom the account's tokens are for, empty for whom the provider says."""
    account: str = ""
    """Name of the ServiceAccount, empty for none."""

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Self:
        """Read the data of a ConfigMap."""
        lines = (line.strip() for line in (data.get("audiences") or "").split("\n"))
        return cls(
            provider=data.get("provider") or "",
            cluster=data.get("cluster") or "",
            address=data.get("address") or "",
            ca=data.get("ca.crt") or "",
            audiences=tuple(filter(None, lines)),
            account=data.get("serviceAccountName") or "",
        )

    @property
    def complete(self) -> bool:
        """Whether the provider need not be asked where the cluster is."""
        return bool(self.address and self.ca)


@dataclass(frozen=True, slots=True)
class Connection:
    """How a cluster is reached for a while."""

    server: str
    """Its URL, with a port and without a path."""
    ca: str
    """Its authority as PEM, empty for those of the system."""
    token: str = field(repr=False)
    """Who is calling."""
    expires: datetime
    """Until when."""


def server_of(address: str) -> str:
    """Complete an address as upstream does: https, port 443, no path. Raises ConfigError."""
    url = urlsplit(address if address.startswith("http") else f"https://{address}")
    try:
        host, port = url.hostname, url.port or 443
    except ValueError as error:
        raise ConfigError(f"address: {error}") from error
    if url.scheme != "https" or not host:
        raise ConfigError("address: must be a host or an https URL")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"
