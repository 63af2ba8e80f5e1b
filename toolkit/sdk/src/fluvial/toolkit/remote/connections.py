"""Connections to clusters without a stored credential, made anew before their tokens expire."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from fluvial.toolkit.client import Client, ConfigError
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.clouds import (
    Account,
    Aws,
    Azure,
    Gcp,
    Involved,
    Need,
    Provider,
    Services,
    TokenCache,
    Tokens,
    digest,
)
from fluvial.toolkit.remote.aks import Aks
from fluvial.toolkit.remote.description import Connection, Description
from fluvial.toolkit.remote.eks import Eks
from fluvial.toolkit.remote.generic import Generic, Issuer
from fluvial.toolkit.remote.gke import Gke

__all__ = ["ClusterProvider", "ConnectionToken", "Connections", "cluster_providers"]


class ClusterProvider(Protocol):
    """Knows the clusters of one provider."""

    @property
    def provider(self) -> Provider[Any]:
        """Who gives the tokens."""

    def check(self, description: Description) -> None:
        """Raise ConfigError, naming the key, for what can never be connected to."""

    async def connect(
        self, description: Description, token: Callable[[Need], Awaitable[Any]]
    ) -> Connection:
        """Find a cluster, and get a token for it. Raises ConfigError."""


def cluster_providers(
    local: Client,
    clock: Clock,
    *,
    services: Services | None = None,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, ClusterProvider]:
    """Return all there are, by the names that ConfigMaps know them by.

    `environ` says who the controller is in Azure and Google Cloud; that of the process always does
    so in AWS.
    """
    services = services or Services(clock)
    return {
        "generic": Generic(Issuer(local)),
        "aws": Eks(Aws(), clock),
        "azure": Aks(Azure(services, environ), services),
        "gcp": Gke(Gcp(services, environ), services),
    }


class _Wanted(NamedTuple):
    description: Description
    account: Account | None


class Connections:
    """Connects, by way of the cache: both the tokens and what is known about clusters are held."""

    def __init__(
        self, local: Client, cache: TokenCache, providers: Mapping[str, ClusterProvider]
    ) -> None:
        self._tokens = Tokens(local, cache)
        self._providers = providers

    def check(self, description: Description) -> None:
        """Raise ConfigError, naming the key, for what can never be connected to."""
        self._provider(description).check(description)

    async def connect(
        self,
        description: Description,
        account: Account | None,
        involved: Involved | None = None,
        *,
        refused: Connection | None = None,
    ) -> Connection:
        """Return how the cluster is reached as an account, None for the controller.

        `refused` is a connection whose token the cluster did not take. Raises ConfigError.
        """
        provider = self._provider(description)

        async def token(need: Need) -> Any:
            return await self._tokens.access(
                provider.provider, account, need, involved, fresh=refused is not None
            )

        return await self._tokens.cache.get(
            self.key(description, account),
            lambda: provider.connect(description, token),
            involved,
            # Whoever comes second finds what the first one has fetched.
            works=lambda held: held is not refused,
        )

    def key(self, description: Description, account: Account | None) -> str:
        """Return a word that is equal exactly for the same identity in the same cluster."""
        who: tuple[str, ...] = ()
        if account is not None:
            identity = self._provider(description).provider.identity(account)
            who = (account.namespace, account.name, identity)
        one = description
        return digest(
            "cluster", one.provider, one.cluster, one.address, one.ca, *who, "", *one.audiences
        )

    def _provider(self, description: Description) -> ClusterProvider:
        found = self._providers.get(description.provider)
        if found is None:
            known = ", ".join(self._providers)
            raise ConfigError(f"provider: must be one of {known}, and is {description.provider!r}")
        return found


class ConnectionToken:
    """Credentials for a client that outlives its tokens."""

    def __init__(
        self, connections: Connections, description: Description, account: Account | None
    ) -> None:
        self._connections = connections
        self._wanted = _Wanted(description, account)
        # By task, for many requests share these: of which one was a token refused?
        self._used: WeakKeyDictionary[asyncio.Task[Any], Connection] = WeakKeyDictionary()

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:
        """Return the header with a token that lives. Raises ConfigError."""
        task = asyncio.current_task()
        assert task is not None
        refused = self._used.get(task) if refresh else None
        got = self._used[task] = await self._connections.connect(*self._wanted, refused=refused)
        return {"Authorization": f"Bearer {got.token}"}
