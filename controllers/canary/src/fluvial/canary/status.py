"""Writing the status: which fields a phase resets, the Promoted condition, one merge patch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from fluvial.apis.decoding import decode
from fluvial.apis.flagger.canary import Canary, CanaryCondition, CanaryStatus
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import CANARY
from fluvial.canary.resources import CANARIES, FIELD_MANAGER
from fluvial.canary.state import Phase
from fluvial.toolkit import Client, Clock, Conflict, NotFound, rfc3339
from fluvial.toolkit.status import merge_patch

__all__ = ["MESSAGES", "StatusWriter", "enter_phase"]

_TRIES: Final = 5
_BACKOFF: Final = 0.1
_KEEPING: Final = frozenset({Phase.PROGRESSING, Phase.WAITING, Phase.PROMOTING})
"""Phases whose entry leaves weight and iterations as they are."""

MESSAGES: Final[Mapping[Phase, str]] = {
    Phase.INITIALIZING: "New Deployment detected, starting initialization.",
    Phase.INITIALIZED: "Deployment initialization completed.",
    Phase.WAITING: "Waiting for approval.",
    Phase.PROGRESSING: "New revision detected, progressing canary analysis.",
    Phase.WAITING_PROMOTION: "Waiting for approval.",
    Phase.PROMOTING: "Canary analysis completed, starting primary rolling update.",
    Phase.FINALISING: "Canary analysis completed, routing all traffic to primary.",
    Phase.SUCCEEDED: "Canary analysis completed successfully, promotion finished.",
    Phase.FAILED: "Canary analysis failed, Deployment scaled to zero.",
    Phase.TERMINATING: "Canary is being deleted, giving the target its traffic back.",
}


def enter_phase(status: CanaryStatus, phase: Phase, now: datetime) -> None:
    """Change the phase in memory, with what that means for the other fields."""
    status.phase = phase.value
    if phase not in _KEEPING:
        status.canary_weight = 0
        status.iterations = 0
    if phase in {Phase.INITIALIZED, Phase.SUCCEEDED}:
        status.last_promoted_spec = status.last_applied_spec
    status.conditions = [_condition(status.conditions, phase, now)]


def _condition(present: list[CanaryCondition], phase: Phase, now: datetime) -> CanaryCondition:
    promoted = {
        Phase.INITIALIZED: "True",
        Phase.SUCCEEDED: "True",
        Phase.FAILED: "False",
    }.get(phase, "Unknown")
    old = next((c for c in present if c.type == "Promoted"), None)
    if old is not None and (old.status, old.reason) == (promoted, phase.value):
        return old
    stamp = rfc3339(now)
    kept = old.last_transition_time if old is not None and old.status == promoted else None
    return CanaryCondition(
        type="Promoted",
        status=promoted,
        reason=phase.value,
        message=MESSAGES[phase],
        last_update_time=stamp,
        last_transition_time=kept or stamp,
    )


class StatusWriter:
    """Writes the difference between a status and what was read, with optimistic locking."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def write(self, raw: Unstructured, canary: Canary) -> Unstructured:
        """Write `canary.status`; returns the object as it is now.

        `lastTransitionTime` is the time of every write, as upstream. After a conflict the object
        is read again and the same change is made to it, at most five times. Raises NotFound when
        the Canary is gone, and Conflict after the last try.
        """
        canary.status.last_transition_time = rfc3339(self._clock.now())
        # Fields that are always written count as missing until they are in the object.
        written = raw.get("status") or {}
        known = _status(decode(CANARY, raw))
        before = {key: value for key, value in known.items() if key in written}
        patch = merge_patch(before, _status(canary))
        live = raw
        for attempt in range(_TRIES):
            metadata = live["metadata"]
            body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": patch}
            try:
                return await self._client.patch(
                    CANARIES,
                    metadata["name"],
                    body,
                    metadata["namespace"],
                    field_manager=FIELD_MANAGER,
                    subresource="status",
                )
            except Conflict:
                if attempt + 1 == _TRIES:
                    raise
            await self._clock.sleep(_BACKOFF * 2**attempt)
            live = await self._client.get(CANARIES, metadata["name"], metadata["namespace"])
            if live["metadata"]["uid"] != metadata["uid"]:
                raise NotFound(f"{canary} was deleted and created anew", code=404)
        raise AssertionError("the last try returns or raises")


def _status(canary: Canary) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(canary.status)
    return found
