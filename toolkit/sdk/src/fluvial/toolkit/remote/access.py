# ruff: noqa: N818 -- each name says what is wrong
"""From the reference in `spec.kubeConfig` to how the cluster is reached.

```
ConfigError
├── AccessMissing            the Secret or ConfigMap is not there
└── FeatureGateDisabled      it names a ServiceAccount, and the gate for that is off
```
"""

import asyncio
import base64
import binascii
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import KubeConfigReference, SecretKeyReference
from fluvial.toolkit.client import Client, ClusterConfig, ConfigError, NotFound, Resource
from fluvial.toolkit.client.tls import client_context
from fluvial.toolkit.clouds import Involved, digest, find_account
from fluvial.toolkit.remote import kubeconfig
from fluvial.toolkit.remote.connections import Connections, ConnectionToken
from fluvial.toolkit.remote.description import Connection, Description

__all__ = ["Access", "AccessMissing", "Endpoint", "FeatureGateDisabled"]

_SECRET: Final = Resource("", "v1", "secrets", "Secret")
_CONFIG_MAP: Final = Resource("", "v1", "configmaps", "ConfigMap")
_KEYS: Final = ("value", "value.yaml")
"""Where a kubeconfig is looked for in a Secret when no key is named."""


class AccessMissing(ConfigError):
    """The Secret or ConfigMap that says how to reach the cluster does not exist."""


class FeatureGateDisabled(ConfigError):
    """`serviceAccountName` in the ConfigMap needs the gate ObjectLevelWorkloadIdentity."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A cluster that was found, and not yet connected to."""

    digest: str
    """Equal exactly where the same credentials lead to the same server."""
    connect: Callable[[], Awaitable[ClusterConfig]]
    """Reads the credentials. Raises ConfigError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the flags allow: see `fluvial.toolkit.identity.IdentityFlags`."""

    allow_exec: bool = False
    """Exec plugins of kubeconfigs are run."""
    allow_insecure: bool = False
    """Kubeconfigs may switch off the check of TLS."""
    object_identity: bool = False
    """The gate ObjectLevelWorkloadIdentity."""
    default_account: str = ""
    """ServiceAccount whose tokens are used where a ConfigMap names none; empty: our own."""

    async def resolve(
        self,
        local: Client,
        reference: KubeConfigReference,
        namespace: str,
        connections: Connections,
        involved: Involved | None = None,
    ) -> Endpoint:
        """Read what is referred to, with the controller's own identity as upstream does.

        `involved` is whom the metrics name for a look at the cache of `connections`. Raises
        ConfigError, and what reading an object can raise. Messages never hold a credential.
        """
        if reference.secret_ref is not None:
            return await self._from_secret(local, reference.secret_ref, namespace)
        if reference.config_map_ref is not None:
            return await self._from_config_map(
                local, reference.config_map_ref.name, namespace, connections, involved
            )
        raise ConfigError("spec.kubeConfig: one of secretRef and configMapRef must be there")

    async def _from_secret(
        self, local: Client, reference: SecretKeyReference, namespace: str
    ) -> Endpoint:
        title = f"Secret '{namespace}/{reference.name}'"
        data = await _data(local, _SECRET, reference.name, namespace, title)
        wanted = (reference.key,) if reference.key else _KEYS
        text = next((data[key] for key in wanted if data.get(key)), None)
        if text is None:
            raise ConfigError(f"{title} has no kubeconfig: the key '{wanted[0]}' is not there")
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(f"{title}: the kubeconfig is no base64") from error

        async def connect() -> ClusterConfig:
            try:
                return await kubeconfig.read(
                    content, allow_exec=self.allow_exec, allow_insecure=self.allow_insecure
                )
            except ConfigError as error:
                raise ConfigError(f"{title}: {error}") from error

        return Endpoint(hashlib.sha256(content).hexdigest(), connect)

    async def _from_config_map(
        self,
        local: Client,
        name: str,
        namespace: str,
        connections: Connections,
        involved: Involved | None,
    ) -> Endpoint:
        title = f"ConfigMap '{namespace}/{name}'"
        data = await _data(local, _CONFIG_MAP, name, namespace, title)
        wanted = Description.from_data(data)
        if wanted.account and not self.object_identity:
            raise FeatureGateDisabled(
                f"{title}: serviceAccountName needs the feature gate ObjectLevelWorkloadIdentity"
            )
        try:
            connections.check(wanted)
            account = await find_account(local, namespace, wanted.account, self.default_account)
            found = await connections.connect(wanted, account, involved)
            key = connections.key(wanted, account)
        except ConfigError as error:
            raise ConfigError(f"{title}: {error}") from error

        async def connect() -> ClusterConfig:
            token = ConnectionToken(connections, wanted, account)
            try:
                return await _configured(found, token)
            except ConfigError as error:
                raise ConfigError(f"{title}: {error}") from error

        # What the provider knows can change: a cluster that was made anew has another authority.
        return Endpoint(digest(key, found.server, found.ca), connect)


async def _configured(found: Connection, token: ConnectionToken) -> ClusterConfig:
    try:
        tls = await asyncio.to_thread(client_context, ca=found.ca or None)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"ca.crt: {error}") from error
    return ClusterConfig(server=found.server, credentials=token, tls=tls)


async def _data(
    local: Client, resource: Resource, name: str, namespace: str, title: str
) -> dict[str, str]:
    try:
        found: Unstructured = await local.get(resource, name, namespace)
    except NotFound as error:
        raise AccessMissing(f"spec.kubeConfig: {title} not found") from error
    data: dict[str, str] = found.get("data") or {}
    return data
