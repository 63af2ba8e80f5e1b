"""Gates, hooks and metrics: what others say about the new revision."""

from dataclasses import replace
from typing import Final

from fluvial.canary.state import Action, Ask, Check, Gate, Phase, State
from fluvial.canary.tick import Tick

__all__ = ["ask", "check", "count_failure"]

_OWN_PHASE: Final = frozenset({Gate.ROLLOUT, Gate.ROLLBACK})
"""Gates that are told the present phase; the others are always told Progressing."""


async def ask(tick: Tick, state: State, action: Action, /) -> State:
    """Call the webhooks of a gate, until one is closed.

    A gate without webhooks is open. For `rollback`, open means that one of them asks for it.
    """
    assert isinstance(action, Ask)
    gate = action.gate
    phase = tick.status.phase if gate in _OWN_PHASE else Phase.PROGRESSING
    wanted = gate is not Gate.ROLLBACK
    verdict = wanted
    for hook in tick.canary.spec.analysis.webhooks:
        if hook.type != gate:
            continue
        outcome = await tick.parts.hooks.call(tick.canary, hook, phase, tick.checksum)
        if outcome.ok == wanted:
            continue
        verdict = not wanted
        if gate is Gate.ROLLBACK:
            await tick.warn(f"Rolling back {tick.name} manual webhook invoked")
            await tick.alert("Rolling back manual webhook invoked", "warn")
        else:
            await _tell_closed(tick, gate, hook.name, outcome.message, mute=hook.mute_alert)
        break
    return replace(state, gates={**state.gates, gate: verdict})


async def _tell_closed(tick: Tick, gate: Gate, hook: str, said: str, *, mute: bool) -> None:
    """Say that a gate is closed; the approval of a phase is asked for once in chat."""
    detail = f": {said}" if said else ""
    await tick.warn(f"Halt {tick.name} advancement waiting for approval {hook}{detail}")
    asked = {Gate.ROLLOUT: Phase.WAITING, Gate.PROMOTION: Phase.WAITING_PROMOTION}.get(gate)
    if not mute and tick.was is not asked:
        await tick.alert(f"Canary is waiting for approval ({gate}).", "warn")


async def check(tick: Tick, state: State, action: Action, /) -> State:
    """Call the hooks of this stage, and after `rollout` hooks evaluate the metrics."""
    assert isinstance(action, Check)
    for hook in tick.canary.spec.analysis.webhooks:
        if (hook.type or "rollout") != action.hook:
            continue
        outcome = await tick.parts.hooks.call(tick.canary, hook, Phase.PROGRESSING, tick.checksum)
        if not outcome.ok:
            await tick.warn(
                f"Halt {tick.name} advancement {action.hook} check {hook.name} failed"
                f" {outcome.message}"
            )
            return replace(state, checked=False)
        if action.hook == "pre-rollout":
            await tick.tell(f"Pre-rollout check {hook.name} passed")
    if action.hook == "pre-rollout":
        return replace(state, checked=True)
    result = await tick.parts.checks.check(tick.canary)
    tick.parts.exporter.values(tick.canary, result.values)
    for failure in result.failures:
        await tick.warn(failure)
    return replace(state, checked=result.passed)


async def count_failure(tick: Tick, state: State, action: Action, /) -> State:
    """Count one more failed check; they add up for the whole run."""
    del action
    await tick.write(failed_checks=tick.status.failed_checks + 1)
    return state
