"""The actions of a tick, a module for each concern; `perform` finds the one for an action."""

from dataclasses import replace
from typing import Final, Protocol

from fluvial.canary.actions.advancing import advance, hold
from fluvial.canary.actions.judging import ask, check, count_failure
from fluvial.canary.actions.looking import look
from fluvial.canary.actions.preparing import prepare
from fluvial.canary.actions.promoting import finish, promote, shift_back, skip_analysis
from fluvial.canary.actions.reverting import fail_promotion, roll_back
from fluvial.canary.actions.starting import rebaseline, restart, start
from fluvial.canary.state import (
    Action,
    Advance,
    Ask,
    Check,
    CountFailure,
    FailPromotion,
    Finish,
    Hold,
    Look,
    Prepare,
    Promote,
    Rebaseline,
    Restart,
    RollBack,
    ShiftBack,
    SkipAnalysis,
    Start,
    State,
    Stop,
)
from fluvial.canary.tick import Tick

__all__ = ["perform"]


class _Handler(Protocol):
    async def __call__(self, tick: Tick, state: State, action: Action, /) -> State: ...


async def _stop(tick: Tick, state: State, action: Action, /) -> State:
    del tick, action
    return replace(state)


_HANDLERS: Final[dict[type[Action], _Handler]] = {
    Advance: advance,
    Ask: ask,
    Check: check,
    CountFailure: count_failure,
    FailPromotion: fail_promotion,
    Finish: finish,
    Hold: hold,
    Look: look,
    Prepare: prepare,
    Promote: promote,
    Rebaseline: rebaseline,
    Restart: restart,
    RollBack: roll_back,
    ShiftBack: shift_back,
    SkipAnalysis: skip_analysis,
    Start: start,
    Stop: _stop,
}


async def perform(tick: Tick, state: State, action: Action) -> State:
    """Do an action; returns the state with what it found out."""
    return await _HANDLERS[type(action)](tick, state, action)
