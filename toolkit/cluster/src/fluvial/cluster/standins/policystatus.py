"""The status of validating policies: the generation that was seen, and warnings of its types."""

from __future__ import annotations

from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import generation_of
from fluvial.cluster.standins.resources import VALIDATING_POLICIES
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View
from fluvial.cluster.typechecking import expression_warnings

__all__ = ["PolicyStatuses"]


class PolicyStatuses:
    """Checks each generation of a policy once, by what is served then, as upstream."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self.controller = Controller("policy-status", self._reconcile, timer)
        view.follow(VALIDATING_POLICIES, self.controller.add_object)

    async def _reconcile(self, key: Key) -> float | None:
        policy = self._view.get(VALIDATING_POLICIES, *key)
        if policy is None:
            return None
        seen = int((policy.get("status") or {}).get("observedGeneration") or 0)
        generation = generation_of(policy)
        if generation <= seen:
            return None
        warnings = expression_warnings(policy, self._view.api.resources())
        checked = {"expressionWarnings": warnings} if warnings else {}
        await self._view.set_status(
            VALIDATING_POLICIES,
            policy,
            {"observedGeneration": generation, "typeChecking": checked},
        )
        return None
