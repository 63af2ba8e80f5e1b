"""One tick of one Canary: read it, decide and act until there is nothing more to do."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.flagger.canary import Canary
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import CANARY
from fluvial.canary.actions import perform
from fluvial.canary.errors import CanaryError
from fluvial.canary.finalizing import FINALIZER, finalize, keep_finalizer
from fluvial.canary.resources import CANARIES
from fluvial.canary.state import Phase, State, decide
from fluvial.canary.status import enter_phase
from fluvial.canary.tick import REASON, Parts, Tick
from fluvial.canary.tracing import recorded
from fluvial.canary.validation import validate
from fluvial.toolkit import ClientError, Key, NotFound, key_of

__all__ = ["Run", "run_tick"]

Run: TypeAlias = Callable[[Key], Awaitable[None]]

_LONGEST: Final = 60
"""Actions of one tick; no path through the decision has as many."""


async def run_tick(parts: Parts, key: Key) -> None:
    """Run one tick. Errors that the next tick may overcome are logged and told as an event."""
    try:
        raw = await parts.client.get(CANARIES, key.name, key.namespace)
    except NotFound:
        return
    try:
        canary = decode(CANARY, raw)
    except DecodeError as error:
        _report(parts, raw, "the Canary does not fit its model", error)
        return
    started = parts.clock.monotonic()
    try:
        async with recorded(parts, raw, canary):
            await _tick(parts, raw, canary)
    except (CanaryError, ClientError) as error:
        _report(parts, raw, "tick failed", error)
    finally:
        parts.exporter.duration(canary, parts.clock.monotonic() - started)
        parts.exporter.status(canary)


def _report(parts: Parts, raw: Unstructured, what: str, error: Exception) -> None:
    parts.log.error(what, error=error, canary=str(key_of(raw)))
    parts.recorder.event(raw, "Warning", REASON, str(error))


async def _tick(parts: Parts, raw: Unstructured, canary: Canary) -> None:
    if canary.metadata.deletion_timestamp:
        if FINALIZER in canary.metadata.finalizers:
            await finalize(parts, raw, canary)
        return
    validate(canary, no_cross_namespace=parts.flags.no_cross_namespace_refs)
    raw = await keep_finalizer(parts, raw, canary)
    if canary.spec.suspend:
        message = f"Canary {canary.metadata.name} is suspended"
        parts.recorder.event(raw, "Normal", REASON, message)
        return
    if not canary.status.conditions:
        enter_phase(canary.status, Phase.INITIALIZING, parts.clock.now())
        raw = await parts.status.write(raw, canary)
    tick = await Tick.begin(parts, raw, canary)
    state = State(
        plan=tick.plan,
        phase=Phase(canary.status.phase),
        failed_checks=canary.status.failed_checks,
        iterations=canary.status.iterations,
    )
    for _ in range(_LONGEST):
        action = decide(state)
        state = await perform(tick, state, action)
        if action.ends:
            return
    raise AssertionError(f"{canary}: a tick does not come to an end: {state}")
