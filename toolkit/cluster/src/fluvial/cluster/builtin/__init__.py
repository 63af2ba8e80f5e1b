"""The kinds' own rules, one module per family; `Strategies` finds them."""

from __future__ import annotations

from fluvial.cluster.builtin import (
    apps,
    autoscaling,
    batch,
    cluster,
    core,
    definitions,
    events,
    flowcontrol,
    limits,
    mutatingpolicies,
    networking,
    pods,
    policies,
    policy,
    rbac,
    services,
    storage,
    webhooks,
)
from fluvial.cluster.builtin.custom import CustomStrategy
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.resources import Resource

__all__ = ["Context", "Strategies", "Strategy"]


class Strategies:
    """The strategies of one control plane, by group and plural name."""

    def __init__(self, service_network: str) -> None:
        self._known: dict[str, Strategy] = {}
        self._plain = Strategy()
        self.allocator = services.Allocator(service_network)
        for module in (
            apps, autoscaling, batch, cluster, core, definitions, events, flowcontrol, limits,
            mutatingpolicies, networking, pods, policies, policy, rbac, storage, webhooks,
        ):  # fmt: skip
            self._known.update(module.STRATEGIES)
        self._known["/services"] = services.ServiceStrategy(self.allocator)

    def of(self, resource: Resource) -> Strategy:
        """Return the rules of a resource."""
        if resource.custom is not None:
            return CustomStrategy(resource.custom)
        return self._known.get(f"{resource.group}/{resource.plural}", self._plain)
