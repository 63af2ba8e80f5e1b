"""Clients of remote clusters: one per cluster and credential, for as long as it is used."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from fluvial.apis.meta import KubeConfigReference
from fluvial.toolkit.client import Client
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.clouds import Involved, TokenCache
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.remote.access import Access, Endpoint
from fluvial.toolkit.remote.connections import ClusterProvider, Connections, cluster_providers

__all__ = ["RemoteClusters"]

_IDLE: Final = 600.0
"""Seconds that an unused client is kept: connections and discovery of the next reconcile."""

_SWEEP: Final = 60.0
_UNUSED: Final = 32
"""How many unused clients are kept at most."""

_TOKENS: Final = 100
"""How many tokens are held, unless a flag says otherwise; as upstream."""


@dataclass(slots=True)
class _Held:
    client: Client
    users: int = 0
    since: float = 0.0


class RemoteClusters:
    """Hands out clients, and closes those that nobody uses any more.

    Everything of a remote client that is not the cluster's is taken from `local`: the lease that
    fences writes above all. `agent`, `qps`, `burst` and `metrics` are those of `Client`. `tokens`
    is the cache of tokens for clusters of ConfigMaps (None: of its own), `providers` who has such
    clusters (None: all there are). Use it as an async context manager; `sweep` is for a task of the
    manager.
    """

    def __init__(
        self,
        local: Client,
        access: Access,
        *,
        clock: Clock,
        metrics: Metrics,
        agent: str = "fluvial",
        qps: float = 50.0,
        burst: int = 300,
        idle: float = _IDLE,
        tokens: TokenCache | None = None,
        providers: Mapping[str, ClusterProvider] | None = None,
    ) -> None:
        self._local = local
        self._access = access
        self._clock = clock
        self._metrics = metrics
        self._agent = agent
        self._qps = qps
        self._burst = burst
        self._idle = idle
        self._held: dict[str, _Held] = {}
        self._connections = Connections(
            local,
            TokenCache(_TOKENS, clock=clock, metrics=metrics) if tokens is None else tokens,
            cluster_providers(local, clock) if providers is None else providers,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        held, self._held = self._held, {}
        for one in held.values():
            await one.client.close()

    def __len__(self) -> int:
        """Count the clients that are open."""
        return len(self._held)

    @asynccontextmanager
    async def client(
        self,
        reference: KubeConfigReference,
        namespace: str,
        involved: Involved | None = None,
    ) -> AsyncIterator[Client]:
        """Provide the client of a cluster for as long as it is needed.

        The reference is read each time: a changed Secret leads to another client at once.
        `involved` is whom the metrics of the tokens name. Raises ConfigError, and what reading the
        Secret or ConfigMap can raise.
        """
        endpoint = await self._access.resolve(
            self._local, reference, namespace, self._connections, involved
        )
        held = await self._hold(endpoint)
        try:
            # The lease may have been taken after the client was made.
            held.client.guard = self._local.guard
            yield held.client
        finally:
            held.users -= 1
            held.since = self._clock.monotonic()
            await self._close_unused()

    async def sweep(self) -> None:
        """Close what has not been used for a while, for ever."""
        while True:
            await self._clock.sleep(min(_SWEEP, self._idle))
            await self._close_unused()

    async def _hold(self, endpoint: Endpoint) -> _Held:
        held = self._held.get(endpoint.digest)
        if held is None:
            config = await endpoint.connect()
            # Another reconcile may have come here meanwhile; a configuration holds nothing open.
            held = self._held.get(endpoint.digest)
            if held is None:
                client = Client(
                    config,
                    user_agent=self._agent,
                    qps=self._qps,
                    burst=self._burst,
                    clock=self._clock,
                    metrics=self._metrics,
                )
                held = self._held[endpoint.digest] = _Held(client)
        held.users += 1
        return held

    async def _close_unused(self) -> None:
        now = self._clock.monotonic()
        unused = [digest for digest, held in self._held.items() if held.users == 0]
        unused.sort(key=lambda digest: self._held[digest].since, reverse=True)
        for place, digest in enumerate(unused):
            held = self._held[digest]
            if place >= _UNUSED or now - held.since >= self._idle:
                del self._held[digest]
                await held.client.close()
