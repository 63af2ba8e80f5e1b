"""What must be there before anything is decided: services, primary, routes, the first phase."""

from dataclasses import replace

from fluvial.canary.state import Action, Phase, Prepare, State, Step
from fluvial.canary.tick import Tick

__all__ = ["prepare"]


async def prepare(tick: Tick, state: State, action: Action, /) -> State:
    """Create or mend one thing; nothing is written where nothing differs."""
    assert isinstance(action, Prepare)
    step = action.step
    if step is Step.SERVICES:
        await tick.parts.services.initialize(tick.canary, tick.pods)
    elif step is Step.PROBE:
        await _probe(tick)
    elif step is Step.PRIMARY:
        await _create_primary(tick)
    elif step is Step.SCALER:
        await tick.scaler.create()
    elif step is Step.APEX:
        await tick.parts.services.reconcile(tick.canary, tick.pods)
    elif step is Step.SCALE_DOWN:
        await tick.workload.scale(tick.target, 0)
    elif step is Step.ROUTES:
        await tick.router.reconcile(tick.canary)
    elif step is Step.INITIALIZED:
        await _initialized(tick)
    return replace(state, prepared=state.prepared | {step})


async def _probe(tick: Tick) -> None:
    """Say early that a provider of metrics cannot be asked; it does not stop anything."""
    trouble = await tick.parts.checks.available(tick.canary)
    if trouble:
        await tick.warn(f"Metrics are not available: {trouble}")


async def _create_primary(tick: Tick) -> None:
    if await tick.workload.primary() is not None:
        return
    await tick.parts.tracker.copy(tick.canary, tick.configs, tick.change)
    await tick.workload.create_primary(tick.target, tick.change)
    await tick.tell(f"{tick.workload.primary_name}.{tick.canary.metadata.namespace} created")


async def _initialized(tick: Tick) -> None:
    tick.note_revision()
    await tick.enter(Phase.INITIALIZED, failed_checks=0)
    tick.parts.exporter.weight(tick.canary, 100, 0)
    await tick.tell(f"Initialization done! {tick.name}")
    kind = tick.canary.spec.target_ref.kind
    await tick.alert(f"New {kind} detected, initialization completed.", "info", metadata=True)
