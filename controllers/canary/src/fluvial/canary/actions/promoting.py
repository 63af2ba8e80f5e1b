"""The way of a good revision: copied to the primary, traffic back, the target at zero."""

from fluvial.canary.actions.aftermath import after
from fluvial.canary.routers import Weights
from fluvial.canary.state import Action, Phase, ShiftBack, State
from fluvial.canary.tick import Tick

__all__ = ["finish", "promote", "shift_back", "skip_analysis"]


async def promote(tick: Tick, state: State, action: Action, /) -> State:
    """Copy configuration and spec onto the primary; repeating it is harmless."""
    del action
    await _copy(tick)
    await tick.enter(Phase.PROMOTING)
    return state


async def shift_back(tick: Tick, state: State, action: Action, /) -> State:
    """Give the primary, which runs the new revision by now, its traffic back."""
    assert isinstance(action, ShiftBack)
    await tick.scaler.update()
    if action.route is not None:
        await tick.route(action.route)
    if action.last:
        await tick.tell(f"Routing all traffic to primary {tick.name}")
        await tick.enter(Phase.FINALISING)
    else:
        assert action.route is not None
        await tick.tell(f"Advance {tick.name} primary weight {action.route.primary}")
        await tick.write(canary_weight=action.route.canary)
    return state


async def finish(tick: Tick, state: State, action: Action, /) -> State:
    """Scale the target to zero; the release is done."""
    del action
    await tick.workload.scale(tick.target, 0)
    await tick.enter(Phase.SUCCEEDED)
    tick.parts.exporter.succeeded(tick.canary, tick.plan.strategy)
    await tick.tell(f"Promotion completed! Scaling down {tick.name}")
    await after(tick, Phase.SUCCEEDED)
    await tick.alert("Canary analysis completed successfully, promotion finished.", "info")
    return state


async def skip_analysis(tick: Tick, state: State, action: Action, /) -> State:
    """Promote at once, as `skipAnalysis` asks; the primary's rollout is not waited for."""
    del action
    await tick.route(Weights(100, 0))
    await _copy(tick)
    await tick.scaler.update()
    await tick.workload.scale(tick.target, 0)
    await tick.enter(Phase.SUCCEEDED)
    tick.parts.exporter.succeeded(tick.canary, tick.plan.strategy, skipped=True)
    await tick.tell(f"Promotion completed! Canary analysis was skipped for {tick.name}")
    await after(tick, Phase.SUCCEEDED)
    await tick.alert("Canary analysis was skipped, promotion finished.", "info")
    return state


async def _copy(tick: Tick) -> None:
    primary = tick.workload.primary_name
    await tick.tell(
        f"Copying {tick.workload.name} template spec to {primary}.{tick.canary.metadata.namespace}"
    )
    await tick.parts.tracker.copy(tick.canary, tick.configs, tick.change)
    await tick.workload.promote(tick.target, tick.change)
