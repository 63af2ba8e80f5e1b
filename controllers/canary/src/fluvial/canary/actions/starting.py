"""The beginning of a run, and what is remembered where none begins."""

from fluvial.canary.routers import Weights
from fluvial.canary.state import Action, Phase, Rebaseline, State
from fluvial.canary.tick import Tick

__all__ = ["rebaseline", "restart", "start"]


async def start(tick: Tick, state: State, action: Action, /) -> State:
    """Scale the target up and write Progressing; the next tick goes on."""
    del action
    await tick.tell(f"New revision detected! Scaling up {_target(tick)}")
    await tick.alert("New revision detected, starting canary analysis.", "info", metadata=True)
    await tick.workload.scale_up(tick.target, least=await tick.scaler.least())
    await tick.sync(Phase.PROGRESSING)
    return state


async def restart(tick: Tick, state: State, action: Action, /) -> State:
    """Begin again with the revision that came in between; the target keeps its pods."""
    del action
    await tick.tell(f"New revision detected! Restarting analysis for {_target(tick)}")
    await tick.route(Weights(100, 0))
    await tick.sync(Phase.PROGRESSING)
    return state


async def rebaseline(tick: Tick, state: State, action: Action, /) -> State:
    """Remember the target as it is, in the present phase."""
    assert isinstance(action, Rebaseline)
    tick.note_revision()
    if action.promoted:
        tick.status.last_promoted_spec = tick.status.last_applied_spec
    await tick.write()
    return state


def _target(tick: Tick) -> str:
    return f"{tick.workload.name}.{tick.canary.metadata.namespace}"
