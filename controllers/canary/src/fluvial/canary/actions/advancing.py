"""One step of the analysis, or none while a gate is closed."""

from fluvial.canary.state import Action, Advance, Gate, Hold, Phase, State
from fluvial.canary.strategy import Strategy
from fluvial.canary.tick import Tick

__all__ = ["advance", "hold"]


async def advance(tick: Tick, state: State, action: Action, /) -> State:
    """Shift traffic first, then write the status: a crash between repeats the step's check."""
    assert isinstance(action, Advance)
    if action.route is not None:
        await tick.route(action.route)
    await tick.write(canary_weight=action.weight, iterations=action.iterations)
    if tick.plan.strategy is Strategy.CANARY:
        await tick.tell(f"Advance {tick.name} canary weight {action.weight}")
    elif action.iterations > tick.plan.iterations and action.route is None:
        await tick.tell(f"Analysis of {tick.name} completed, promotion follows")
    elif action.iterations > tick.plan.iterations:
        await tick.tell(f"Routing all traffic to canary {tick.name}")
    else:
        progress = f"{action.iterations}/{tick.plan.iterations}"
        await tick.tell(f"Advance {tick.name} canary iteration {progress}")
    return state


async def hold(tick: Tick, state: State, action: Action, /) -> State:
    """Write what is waited for; a closed gate for more traffic changes nothing."""
    assert isinstance(action, Hold)
    if action.gate is Gate.ROLLOUT and tick.was is not Phase.WAITING:
        await tick.enter(Phase.WAITING)
    elif action.gate is Gate.PROMOTION:
        # Set back by one, so that checks go on between two looks at the gate.
        iterations = max(0, tick.plan.iterations - 1) if tick.plan.iterations else 0
        # The weight that routes have: dashboards must not show none while users are served.
        weight = tick.status.canary_weight if tick.plan.strategy is Strategy.CANARY else 0
        await tick.enter(Phase.WAITING_PROMOTION, iterations=iterations, canary_weight=weight)
    return state
