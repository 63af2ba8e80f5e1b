"""What routers share: their contract, weights, the names of Services, and what can go wrong.

```
CanaryError
├── InvalidSpec
│   └── InvalidRoute          the Canary asks for what the provider cannot express
├── NotSupported
│   └── UnsupportedProvider   this controller has no router for the provider
└── RouteNotReady             the provider has not taken up the route yet: look again
```

A router raises the client's errors (`fluvial.toolkit.client.errors`) as they are.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fluvial.apis.flagger import Canary
from fluvial.canary.errors import CanaryError, InvalidSpec, NotSupported

__all__ = [
    "InvalidRoute",
    "RouteNotReady",
    "Router",
    "ServiceNames",
    "UnsupportedProvider",
    "Weights",
    "service_names",
]


class UnsupportedProvider(NotSupported):
    """This controller has no router for the provider."""


class InvalidRoute(InvalidSpec):
    """The provider cannot express what the Canary asks for."""


class RouteNotReady(CanaryError):  # noqa: N818 -- named by what it says
    """The provider has not accepted the present route."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of the traffic in percent; together 100.

    `mirrored`: the canary also gets a copy of every request, whose answers are thrown away.
    """

    primary: int
    canary: int
    mirrored: bool = False


class ServiceNames(NamedTuple):
    """The generated Services: what clients call, and the two behind it."""

    apex: str
    primary: str
    canary: str


def service_names(canary: Canary) -> ServiceNames:
    """Name the Services of a Canary: by `spec.service.name`, or else by the target."""
    service = canary.spec.service
    apex = (service.name if service else "") or canary.spec.target_ref.name
    return ServiceNames(apex, f"{apex}-primary", f"{apex}-canary")


class Router(Protocol):
    """How one provider shifts traffic; idempotent, and the objects are its only memory."""

    async def reconcile(self, canary: Canary) -> None:
        """Create the route, or correct it where it drifted; present weights stay."""

    async def get(self, canary: Canary) -> Weights:
        """Read the weights that the provider was told last.

        Raises RouteNotReady while the provider has not accepted them.
        """

    async def set(self, canary: Canary, weights: Weights) -> None:
        """Shift traffic.

        With session affinity this and `reconcile` change the three cookies in `canary.status`; the
        caller writes them with its next status patch.
        """

    async def finalize(self, canary: Canary) -> None:
        """Give up the route before the Canary goes; what it owns goes with it."""
