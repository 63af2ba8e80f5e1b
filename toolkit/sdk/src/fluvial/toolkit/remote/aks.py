"""Clusters of Azure Kubernetes Service that take tokens of Microsoft Entra ID."""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds import Azure, Bearer, Need, Services
from fluvial.toolkit.remote import kubeconfig
from fluvial.toolkit.remote.description import Connection, Description, server_of

__all__ = ["Aks"]

_SCOPE: Final = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
"""What the API servers of all AKS clusters are called in Entra ID."""

_VERSION: Final = "2025-05-01"
_ID: Final = (
    r"(?i)^/subscriptions/([^/]{36})/resourceGroups/([^/]{1,200})"
    r"/providers/Microsoft\.ContainerService/managedClusters/([^/]{1,200})$"
)


class _Properties(msgspec.Struct, rename="camel"):
    aad_profile: dict[str, Any] | None = None


class _Cluster(msgspec.Struct):
    properties: _Properties


class _Kubeconfig(msgspec.Struct):
    value: str


class _Credentials(msgspec.Struct):
    kubeconfigs: list[_Kubeconfig]


class _Place(NamedTuple):
    server: str
    ca: str


class Aks:
    """Connects to clusters by their resource ID, or by address and authority alone."""

    def __init__(self, azure: Azure, services: Services) -> None:
        self.provider = azure
        """Who gives the tokens."""
        self._services = services

    def check(self, description: Description) -> None:
        """Raise ConfigError for a cluster that is no resource ID, where it is needed."""
        if not description.complete:
            _path(description.cluster)

    async def connect(
        self, description: Description, token: Callable[[Need], Awaitable[Bearer]]
    ) -> Connection:
        """Look the cluster up, where its address or authority is not known."""
        got = await token(Need(audiences=description.audiences, scope=_SCOPE))
        address, ca = description.address, description.ca
        if not description.complete:
            place = await self._find(description, token)
            address, ca = address or place.server, ca or place.ca
        return Connection(server_of(address), ca, got.token, got.expires)

    async def _find(
        self, description: Description, token: Callable[[Need], Awaitable[Bearer]]
    ) -> _Place:
        """Return the endpoint at the address of the description, or the first one there is."""
        manager = await asyncio.to_thread(self.provider.management)
        got = await token(Need(audiences=description.audiences, scope=manager.scope))
        title = f"the cluster {description.cluster}"
        base = f"{manager.endpoint}{_path(description.cluster)}"
        found = await self._services.get(
            f"{base}?api-version={_VERSION}", _Cluster, bearer=got.token
        )
        if found.properties.aad_profile is None:
            raise ConfigError(f"{title} takes no tokens: enable its integration with Entra ID")
        listed = await self._services.post(
            f"{base}/listClusterUserCredential?api-version={_VERSION}",
            None,
            _Credentials,
            bearer=got.token,
        )
        wanted = server_of(description.address) if description.address else ""
        places = [_place(one.value, title) for one in listed.kubeconfigs]
        for place in places:
            if wanted in {"", place.server}:
                return place
        known = ", ".join(place.server for place in places) or "none"
        raise ConfigError(f"{title} has no endpoint {wanted or 'at all'}; its endpoints: {known}")


def _path(cluster: str) -> str:
    """Return the path of a resource ID, written as a URL has it."""
    match = re.fullmatch(_ID, cluster, re.ASCII)
    if match is None or "." in match.groups() or ".." in match.groups():
        raise ConfigError(f"cluster: {cluster!r} is no resource ID of AKS: it must match {_ID}")
    subscription, group, name = (quote(part, safe="") for part in match.groups())
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.ContainerService/managedClusters/{name}"
    )


def _place(value: str, title: str) -> _Place:
    try:
        server, ca = kubeconfig.endpoint(base64.b64decode(value, validate=True))
    except (binascii.Error, ConfigError) as error:
        raise ConfigError(f"{title} has a kubeconfig that cannot be read: {error}") from error
    return _Place(server_of(server), ca)
