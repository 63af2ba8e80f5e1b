"""Routers: the objects that decide which version a request reaches.

`Services` keeps the three Services of a release, whatever the provider; `router_for` gives what
shifts traffic between them. See `fluvial.canary.routers.model` for the contract and
the errors.
"""

from typing import Final

from fluvial.canary.routers.gatewayapi import GatewayRouter
from fluvial.canary.routers.metadata import OPT_OUT, owner_reference
from fluvial.canary.routers.model import (
    InvalidRoute,
    RouteNotReady,
    Router,
    ServiceNames,
    UnsupportedProvider,
    Weights,
    service_names,
)
from fluvial.canary.routers.services import PodSelection, Services
from fluvial.canary.routers.unmeshed import KubernetesRouter
from fluvial.toolkit.client import Client

__all__ = [
    "OPT_OUT",
    "PROVIDERS",
    "GatewayRouter",
    "InvalidRoute",
    "KubernetesRouter",
    "PodSelection",
    "RouteNotReady",
    "ServiceNames",
    "Services",
    "UnsupportedProvider",
    "Weights",
    "owner_reference",
    "router_for",
    "service_names",
]

PROVIDERS: Final = ("gatewayapi:v1", "kubernetes")
"""What `router_for` knows."""


def router_for(provider: str, client: Client) -> Router:
    """Return the router of a provider, `spec.provider` or the controller's own.

    Raises UnsupportedProvider for every other one: traffic that nobody shifts must not look like
    traffic that was shifted.
    """
    if provider == "kubernetes":
        return KubernetesRouter()
    if provider == "gatewayapi:v1":
        return GatewayRouter(client)
    known = ", ".join(PROVIDERS)
    raise UnsupportedProvider(f"spec.provider {provider!r} is not supported; use one of {known}")
