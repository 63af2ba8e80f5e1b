"""No provider: all clients reach the apex Service, which selects the primary's pods."""

from fluvial.apis.flagger import Canary
from fluvial.canary.routers.model import Weights

__all__ = ["KubernetesRouter"]


class KubernetesRouter:
    """The provider `kubernetes`: blue/green only, as a Service knows no weights."""

    async def reconcile(self, canary: Canary) -> None:
        """Do nothing: `Services` keeps the objects."""

    async def get(self, canary: Canary) -> Weights:
        """Tell by the iterations in the status whether the canary is under test.

        As upstream: 0/100 from the first iteration on, though clients stay with the primary.
        """
        return Weights(0, 100) if canary.status.iterations > 0 else Weights(100, 0)

    async def set(self, canary: Canary, weights: Weights) -> None:
        """Do nothing: promotion replaces the primary's pods instead."""

    async def finalize(self, canary: Canary) -> None:
        """Do nothing: `Services.finalize` gives the apex back."""
