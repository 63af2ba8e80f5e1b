"""The way of a bad revision: traffic away from it, or held where the only good pods are."""

from fluvial.canary.actions.aftermath import after
from fluvial.canary.routers import Weights
from fluvial.canary.state import Action, Phase, RollBack, State
from fluvial.canary.tick import Tick

__all__ = ["fail_promotion", "roll_back"]


async def roll_back(tick: Tick, state: State, action: Action, /) -> State:
    """Traffic to the primary first, then the target to zero, then the status."""
    assert isinstance(action, RollBack)
    if action.alert:
        await tick.alert(f"Canary failed: {action.reason}.", "error")
    await tick.route(Weights(100, 0))
    await tick.warn(f"Rolling back {tick.name}: {action.reason}")
    await tick.workload.scale(tick.target, 0)
    if tick.was not in {Phase.PROMOTING, Phase.FINALISING}:
        # What was judged is known as bad. During a promotion a fix may have come in: it stays new.
        tick.note_revision()
    await tick.enter(Phase.FAILED, failed_checks=0)
    tick.parts.exporter.failed(tick.canary, tick.plan.strategy)
    await tick.warn(f"Canary failed! Scaling down {tick.name}")
    await after(tick, Phase.FAILED)
    return state


async def fail_promotion(tick: Tick, state: State, action: Action, /) -> State:
    """Leave all traffic with the canary's pods, which work, until there is a new revision."""
    del action
    await tick.alert("Promotion failed: the primary is not ready.", "error")
    await tick.route(Weights(0, 100))
    await tick.warn(f"Promotion failed! {tick.name}: the canary keeps all traffic")
    await tick.enter(Phase.FAILED, canary_weight=100)
    tick.parts.exporter.failed(tick.canary, tick.plan.strategy)
    await after(tick, Phase.FAILED)
    return state
