"""The chain that every write goes through: what mutates, and what only says yes or no."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.bindings import Bindings
from fluvial.cluster.endpoints.admission.calls import Caller
from fluvial.cluster.endpoints.admission.matching import Matcher
from fluvial.cluster.endpoints.admission.mutations import MutatingPolicies
from fluvial.cluster.endpoints.admission.objects import Versions
from fluvial.cluster.endpoints.admission.policies import Policies
from fluvial.cluster.endpoints.admission.registry import Registry
from fluvial.cluster.endpoints.admission.rounds import Rounds
from fluvial.cluster.endpoints.admission.scopes import Scopes
from fluvial.cluster.endpoints.admission.webhooks import Webhooks
from fluvial.cluster.objects import Object
from fluvial.cluster.permissions import Allows

__all__ = ["Chain"]


class Chain:
    """Admission of one control plane.

    While it is `idle` nothing is registered, and a write need not be interrupted.
    """

    def __init__(self, access: Access, caller: Caller) -> None:
        self._registry = Registry(access)
        matcher, versions = Matcher(access), Versions(access)
        self._scopes = Scopes(versions)
        self._webhooks = Webhooks(self._registry, matcher, versions, self._scopes, caller)
        bindings = Bindings(matcher, access)
        self._policies = Policies(self._registry, bindings, self._scopes)
        self._mutations = MutatingPolicies(self._registry, bindings, versions, self._scopes)

    @property
    def idle(self) -> bool:
        """Tell whether there is nobody to ask."""
        return self._registry.idle

    def authorize_with(self, allows: Allows) -> None:
        """Let `authorizer` in CEL ask `allows`."""
        self._scopes.allows = allows

    async def admit(
        self, asked: Attributes, prepare: Callable[[Object], None] = lambda _: None
    ) -> Object:
        """Return the object of a create or update as mutating policies and webhooks want it.

        What they change may be changed once more: by the plugins of the server (`prepare`, in
        place), and by those of them that are to be called again.
        """
        rounds = Rounds()
        asked = await self._round(asked, rounds)
        if rounds.wanted:
            assert asked.object is not None
            rounds.second = True
            prepare(asked.object)
            asked = await self._round(asked, rounds)
        assert asked.object is not None
        return asked.object

    async def _round(self, asked: Attributes, rounds: Rounds) -> Attributes:
        obj = await self._mutations.mutate(asked, rounds.policies)
        asked = dataclasses.replace(asked, object=obj)
        obj = await self._webhooks.mutate(asked, rounds.webhooks)
        return dataclasses.replace(asked, object=obj)

    async def validate(self, asked: Attributes) -> None:
        """Raise the refusal of a policy or of a validating webhook."""
        await self._policies.validate(asked)
        await self._webhooks.validate(asked)

    async def review(self, asked: Attributes) -> None:
        """Ask everybody about a deletion, which has no object that could be changed."""
        await self._webhooks.mutate(asked, Rounds().webhooks)
        await self.validate(asked)
