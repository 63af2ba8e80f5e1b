"""Clusters of Google Kubernetes Engine."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

import msgspec

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clouds import Bearer, Gcp, Need, Services
from fluvial.toolkit.remote.description import Connection, Description, server_of

__all__ = ["Gke"]

_NAME: Final = r"^projects/([^/]{1,200})/locations/([^/]{1,200})/clusters/([^/]{1,200})$"


class _Auth(msgspec.Struct, rename="camel"):
    cluster_ca_certificate: str = ""


class _Cluster(msgspec.Struct, rename="camel"):
    endpoint: str = ""
    master_auth: _Auth = msgspec.field(default_factory=_Auth)


class Gke:
    """Connects to clusters by their name, or by address and authority alone."""

    def __init__(self, gcp: Gcp, services: Services) -> None:
        self.provider = gcp
        """Who gives the tokens."""
        self._services = services

    def check(self, description: Description) -> None:
        """Raise ConfigError for a cluster that is no name of GKE, where it is needed."""
        if not description.complete:
            _path(description.cluster)

    async def connect(
        self, description: Description, token: Callable[[Need], Awaitable[Bearer]]
    ) -> Connection:
        """Look the cluster up, where its address or authority is not known."""
        got = await token(Need(audiences=description.audiences))
        address, ca = description.address, description.ca
        if not description.complete:
            url = f"{self.provider.endpoint('container')}/v1/{_path(description.cluster)}"
            found = await self._services.get(url, _Cluster, bearer=got.token)
            address = address or found.endpoint
            ca = ca or _pem(found, description.cluster)
        return Connection(server_of(address), ca, got.token, got.expires)


def _path(cluster: str) -> str:
    """Return the name of a cluster, written as a URL has it."""
    match = re.fullmatch(_NAME, cluster)
    if match is None or "." in match.groups() or ".." in match.groups():
        raise ConfigError(f"cluster: {cluster!r} is no name of GKE: it must match {_NAME}")
    project, location, name = (quote(part, safe="") for part in match.groups())
    return f"projects/{project}/locations/{location}/clusters/{name}"


def _pem(found: _Cluster, cluster: str) -> str:
    try:
        return base64.b64decode(found.master_auth.cluster_ca_certificate, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"the cluster {cluster} has an authority that is no base64") from error
