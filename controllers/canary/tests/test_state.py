"""The decision as a table: what a tick does next, for what it knows."""

from dataclasses import replace

import pytest

from fluvial.canary.routers import Weights
from fluvial.canary.state import (
    Advance,
    Ask,
    Change,
    Check,
    CountFailure,
    Fact,
    FailPromotion,
    Finish,
    Gate,
    Hold,
    Look,
    Phase,
    Prepare,
    Promote,
    Readiness,
    Rebaseline,
    Restart,
    RollBack,
    ShiftBack,
    SkipAnalysis,
    Start,
    State,
    Step,
    Stop,
    decide,
)
from fluvial.canary.strategy import Plan, Strategy

READY, WAIT, STUCK = Readiness.READY, Readiness.WAIT, Readiness.STUCK
KEPT = frozenset({Step.SERVICES, Step.PRIMARY, Step.SCALER, Step.APEX, Step.ROUTES})
WEIGHTED = Plan(step=10, max_weight=30)
BLUE_GREEN = Plan(strategy=Strategy.BLUE_GREEN, iterations=2)
KUBERNETES = replace(BLUE_GREEN, routed=False)
AB = replace(BLUE_GREEN, strategy=Strategy.AB)
ROLLBACK = frozenset({"rollback"})


def known(phase, plan=WEIGHTED, **facts):
    """Make a state in which everything is looked up and well, so that a case names what matters."""
    full = {
        "prepared": KEPT,
        "change": Change.NONE,
        "primary": READY,
        "canary": READY,
        "route": Weights(90, 10),
        "checked": True,
        "gates": {Gate.TRAFFIC: True, Gate.PROMOTION: True, Gate.ROLLOUT: True},
    }
    return State(plan=plan, phase=phase, **{**full, **facts})


def steps(state, *, answers=None):
    """Run the decision, answering every question well; returns the actions in order."""
    done = []
    facts = {
        Fact.CHANGE: {"change": Change.REVISION},
        Fact.PRIMARY: {"primary": READY},
        Fact.CANARY: {"canary": READY},
        Fact.WEIGHTS: {"route": Weights(100, 0)},
    } | (answers or {})
    for _ in range(40):
        action = decide(state)
        done.append(action)
        if action.ends:
            return done
        if isinstance(action, Prepare):
            state = replace(state, prepared=state.prepared | {action.step})
        elif isinstance(action, Look):
            state = replace(state, **facts[action.fact])
        elif isinstance(action, Ask):
            state = replace(state, gates={**state.gates, action.gate: action.gate != "rollback"})
        elif isinstance(action, Check):
            state = replace(state, checked=True)
    raise AssertionError("no end")


def test_the_order_of_an_initialization():
    assert steps(State(plan=WEIGHTED, phase=Phase.NONE)) == [
        Prepare(Step.SERVICES),
        Prepare(Step.PROBE),
        Prepare(Step.PRIMARY),
        Look(Fact.PRIMARY),
        Prepare(Step.SCALER),
        Prepare(Step.APEX),
        Prepare(Step.SCALE_DOWN),
        Prepare(Step.ROUTES),
        Prepare(Step.INITIALIZED),
        Stop(),
    ]


def test_an_initialization_without_analysis_waits_for_nobody():
    done = steps(State(plan=replace(WEIGHTED, skip=True), phase=Phase.INITIALIZING))
    assert Prepare(Step.PROBE) not in done
    assert Look(Fact.PRIMARY) not in done
    assert done[-2:] == [Prepare(Step.INITIALIZED), Stop()]


@pytest.mark.parametrize("readiness", [WAIT, STUCK])
def test_the_apex_is_not_switched_to_a_primary_that_is_not_ready(readiness):
    done = steps(
        State(plan=WEIGHTED, phase=Phase.INITIALIZING),
        answers={Fact.PRIMARY: {"primary": readiness}},
    )
    assert isinstance(done[-1], Stop)
    assert Prepare(Step.APEX) not in done
    assert Prepare(Step.SCALE_DOWN) not in done


def test_the_order_of_a_tick_that_starts_a_run():
    assert steps(State(plan=WEIGHTED, phase=Phase.INITIALIZED)) == [
        Prepare(Step.SERVICES),
        Prepare(Step.PRIMARY),
        Prepare(Step.SCALER),
        Prepare(Step.APEX),
        Prepare(Step.ROUTES),
        Look(Fact.CHANGE),
        Look(Fact.PRIMARY),
        Look(Fact.WEIGHTS),
        Ask(Gate.ROLLOUT),
        Start(),
    ]


def test_the_order_of_a_step_of_an_analysis():
    plan = replace(WEIGHTED, hooks=ROLLBACK)
    done = steps(
        State(plan=plan, phase=Phase.PROGRESSING, prepared=KEPT),
        answers={
            Fact.CHANGE: {"change": Change.NONE},
            Fact.WEIGHTS: {"route": Weights(90, 10)},
        },
    )
    assert done == [
        Look(Fact.CHANGE),
        Look(Fact.PRIMARY),
        Look(Fact.WEIGHTS),
        Look(Fact.CANARY),
        Ask(Gate.ROLLBACK),
        Check("rollout"),
        Ask(Gate.TRAFFIC),
        Advance(Weights(80, 20), 20, 0),
    ]


@pytest.mark.parametrize("phase", [Phase.INITIALIZED, Phase.SUCCEEDED, Phase.FAILED])
@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({"change": Change.NONE}, Stop(), "nothing changed"),
        ({"change": Change.REVISION}, Start(), "a new revision, and nobody objects"),
        (
            {"change": Change.REVISION, "gates": {Gate.ROLLOUT: False}},
            Hold(Gate.ROLLOUT),
            "the gate is closed",
        ),
        (
            {"change": Change.REVISION, "primary": WAIT},
            Stop("the primary is not ready"),
            "a run needs a primary to go back to",
        ),
        (
            {"change": Change.REVISION, "primary": STUCK},
            RollBack("the primary is stuck"),
            "as upstream: the revision counts as failed",
        ),
    ],
)
def test_a_settled_canary(phase, facts, action, reason):
    assert decide(known(phase, **facts)) == action, reason


@pytest.mark.parametrize(
    ("phase", "change", "action"),
    [
        (Phase.SUCCEEDED, Change.FOREIGN, Rebaseline(promoted=True)),
        (Phase.INITIALIZED, Change.FOREIGN, Rebaseline(promoted=True)),
        (Phase.FAILED, Change.FOREIGN, Rebaseline(promoted=False)),
        (Phase.FAILED, Change.REVERTED, Rebaseline(promoted=False)),
    ],
)
def test_what_speaks_for_no_change_is_remembered_and_starts_nothing(phase, change, action):
    assert decide(known(phase, change=change)) == action


@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({}, Start(), "the gate opened; the target is not compared again, as upstream"),
        ({"gates": {Gate.ROLLOUT: False}}, Hold(Gate.ROLLOUT), "still closed"),
        ({"gates": {}}, Ask(Gate.ROLLOUT), "the gate is asked in each tick"),
        ({"primary": WAIT}, Stop("the primary is not ready"), "even with an open gate"),
    ],
)
def test_a_waiting_canary(facts, action, reason):
    assert decide(known(Phase.WAITING, change=None, **facts)) == action, reason


def test_a_waiting_canary_can_be_given_up():
    plan = replace(WEIGHTED, hooks=ROLLBACK)
    state = known(Phase.WAITING, plan=plan)
    assert decide(state) == Ask(Gate.ROLLBACK)
    given_up = replace(state, gates={Gate.ROLLBACK: True})
    assert decide(given_up) == RollBack("manual rollback")
    assert decide(replace(state, gates={Gate.ROLLBACK: False})) == Ask(Gate.ROLLOUT)


@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.WAITING_PROMOTION])
@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({"change": Change.REVISION}, Restart(), "the revision changed again"),
        (
            {"change": Change.REVISION, "primary": STUCK},
            RollBack("the primary is stuck"),
            "the primary is looked at first",
        ),
        ({"canary": WAIT}, Stop("the canary is not ready"), "its rollout is under way"),
        ({"canary": STUCK}, RollBack("the canary is stuck", alert=True), "it never gets ready"),
        (
            {"failed_checks": 1},
            RollBack("the threshold of failed checks is reached", alert=True),
            "the tick after the last failure rolls back",
        ),
        ({"checked": None}, Check("rollout"), "traffic flows: hooks and metrics"),
        (
            {"checked": None, "route": Weights(100, 0)},
            Check("pre-rollout"),
            "no traffic yet: only pre-rollout hooks",
        ),
        (
            {"checked": None, "route": Weights(100, 0, mirrored=True)},
            Check("rollout"),
            "copies are traffic as well",
        ),
        ({"checked": False}, CountFailure(), "a failed check ends the tick"),
    ],
)
def test_a_run_is_judged(phase, facts, action, reason):
    assert decide(known(phase, **facts)) == action, reason


@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.WAITING_PROMOTION])
def test_a_rollback_gate_is_asked_before_the_counters_and_checks(phase):
    state = known(phase, replace(WEIGHTED, hooks=ROLLBACK), checked=None, failed_checks=5)
    assert decide(state) == Ask(Gate.ROLLBACK)
    assert decide(replace(state, gates={Gate.ROLLBACK: True})) == RollBack("manual rollback")


@pytest.mark.parametrize(
    ("weight", "facts", "action", "reason"),
    [
        (0, {}, Advance(Weights(90, 10), 10, 0), "the first step"),
        (20, {}, Advance(Weights(70, 30), 30, 0), "the last step"),
        (30, {}, Promote(), "the greatest weight passed its checks"),
        (50, {}, Promote(), "an overshoot is enough"),
        (10, {"gates": {}}, Ask(Gate.TRAFFIC), "more traffic is asked for"),
        (10, {"gates": {Gate.TRAFFIC: False}}, Hold(Gate.TRAFFIC), "no more traffic"),
        (30, {"gates": {}}, Ask(Gate.TRAFFIC), "asked at the end as well, as upstream"),
        (30, {"gates": {Gate.TRAFFIC: True}}, Ask(Gate.PROMOTION), "then the promotion"),
        (
            30,
            {"gates": {Gate.TRAFFIC: True, Gate.PROMOTION: False}},
            Hold(Gate.PROMOTION),
            "no promotion yet",
        ),
    ],
)
def test_steps_by_weight(weight, facts, action, reason):
    state = known(Phase.PROGRESSING, route=Weights(100 - weight, weight), **facts)
    assert decide(state) == action, reason


def test_a_canary_that_waits_for_promotion_is_not_asked_for_traffic():
    state = known(Phase.WAITING_PROMOTION, route=Weights(70, 30), gates={})
    assert decide(state) == Ask(Gate.PROMOTION)


def test_a_weighted_canary_without_a_step_never_advances():
    state = known(Phase.PROGRESSING, Plan(), route=Weights(100, 0))
    assert decide(state) == Stop("the analysis has no step")


@pytest.mark.parametrize(
    ("plan", "iterations", "action", "reason"),
    [
        (BLUE_GREEN, 0, Advance(None, 0, 1), "traffic stays at the primary"),
        (BLUE_GREEN, 1, Advance(None, 0, 2), "the last check"),
        (BLUE_GREEN, 2, Advance(Weights(0, 100), 0, 3), "live traffic for one interval"),
        (BLUE_GREEN, 3, Promote(), "and it was good"),
        (
            replace(BLUE_GREEN, mirror=True),
            0,
            Advance(Weights(100, 0, mirrored=True), 0, 1),
            "copies from the first iteration on",
        ),
        (KUBERNETES, 1, Advance(None, 0, 2), "counted the same way"),
        (KUBERNETES, 2, Advance(None, 0, 3), "no traffic can be routed"),
        (KUBERNETES, 3, Promote(), "after as many ticks"),
        (AB, 0, Advance(Weights(0, 100), 0, 1), "all matching requests"),
        (AB, 1, Advance(Weights(0, 100), 0, 2), "drift is mended by each step"),
        (AB, 2, Promote(), "an A/B test has no live step"),
    ],
)
def test_steps_by_iterations(plan, iterations, action, reason):
    assert decide(known(Phase.PROGRESSING, plan, iterations=iterations)) == action, reason


@pytest.mark.parametrize("iterations", [2, 3])
def test_blue_green_asks_for_promotion_before_live_traffic_and_again_after(iterations):
    state = known(Phase.PROGRESSING, BLUE_GREEN, iterations=iterations, gates={})
    assert decide(state) == Ask(Gate.PROMOTION)
    closed = replace(state, gates={Gate.PROMOTION: False})
    assert decide(closed) == Hold(Gate.PROMOTION)


@pytest.mark.parametrize(
    ("plan", "route", "action", "reason"),
    [
        (WEIGHTED, Weights(70, 30), ShiftBack(Weights(100, 0), last=True), "all at once"),
        (
            replace(WEIGHTED, promotion_step=50),
            Weights(0, 100),
            ShiftBack(Weights(50, 50), last=False),
            "half of the way",
        ),
        (
            replace(WEIGHTED, promotion_step=50),
            Weights(50, 50),
            ShiftBack(Weights(100, 0), last=True),
            "the rest",
        ),
        (
            replace(WEIGHTED, promotion_step=70),
            Weights(40, 60),
            ShiftBack(Weights(100, 0), last=True),
            "never beyond 100",
        ),
        (KUBERNETES, Weights(0, 100), ShiftBack(None, last=True), "there is nothing to route"),
    ],
)
def test_a_promotion_gives_traffic_back(plan, route, action, reason):
    assert decide(known(Phase.PROMOTING, plan, route=route)) == action, reason


@pytest.mark.parametrize("phase", [Phase.PROMOTING, Phase.FINALISING])
@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        ({"primary": STUCK}, FailPromotion(), "the canary's pods are the only good ones"),
        ({"primary": WAIT}, Stop("the primary is not ready"), "its rollout is under way"),
        ({"canary": STUCK}, RollBack("the canary is stuck", alert=True), "a plain rollback"),
    ],
)
def test_a_promotion_that_does_not_come_off(phase, facts, action, reason):
    assert decide(known(phase, **facts)) == action, reason


@pytest.mark.parametrize("phase", [Phase.PROMOTING, Phase.FINALISING])
def test_a_change_during_a_promotion_is_not_even_looked_at(phase):
    state = known(phase, change=None, route=None)
    assert decide(state) == Look(Fact.WEIGHTS)


def test_the_end():
    assert decide(known(Phase.FINALISING)) == Finish()


@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.PROMOTING, Phase.FINALISING])
def test_skipped_analysis_ends_a_run_as_soon_as_the_canary_is_ready(phase):
    state = known(phase, replace(WEIGHTED, skip=True), primary=None, checked=None)
    assert decide(state) == SkipAnalysis()
    assert decide(replace(state, canary=WAIT)) == Stop("the canary is not ready")


@pytest.mark.parametrize("phase", list(Phase))
def test_a_suspended_canary_is_left_alone(phase):
    state = State(plan=replace(WEIGHTED, suspended=True), phase=phase)
    assert decide(state) == Stop("suspended")


@pytest.mark.parametrize("phase", [Phase.TERMINATING, Phase.TERMINATED])
def test_a_canary_that_goes_begins_nothing(phase):
    assert decide(known(phase, change=Change.REVISION)) == Stop()


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("plan", [WEIGHTED, BLUE_GREEN, KUBERNETES, AB])
def test_every_phase_comes_to_an_end(phase, plan):
    assert steps(State(plan=plan, phase=phase))[-1].ends


ALL_AT_CANARY = {"primary": STUCK, "route": Weights(0, 100)}


@pytest.mark.parametrize(
    ("phase", "plan", "facts", "action", "reason"),
    [
        (Phase.FAILED, WEIGHTED, {"change": Change.REVISION}, Start(), "a fix begins a run"),
        (Phase.FAILED, WEIGHTED, {}, Stop(), "and nothing else does"),
        (Phase.PROGRESSING, WEIGHTED, {}, Promote(), "a good one mends the primary"),
        (Phase.PROGRESSING, WEIGHTED, {"checked": False}, CountFailure(), "it is judged"),
        (Phase.PROGRESSING, WEIGHTED, {"change": Change.REVISION}, Start(), "no traffic moves"),
        (
            Phase.PROGRESSING,
            WEIGHTED,
            {"failed_checks": 1},
            FailPromotion(),
            "a bad one keeps the traffic: nothing else could serve it",
        ),
        (
            Phase.PROGRESSING,
            AB,
            {},
            RollBack("the primary is stuck"),
            "in an A/B test most users are at the primary",
        ),
        (
            Phase.FAILED,
            KUBERNETES,
            {"change": Change.REVISION},
            RollBack("the primary is stuck"),
            "nobody reaches the canary where nothing routes",
        ),
    ],
)
def test_after_a_failed_promotion_the_canary_is_all_there_is(phase, plan, facts, action, reason):
    state = known(phase, plan, **{**ALL_AT_CANARY, **facts})
    assert decide(state) == action, reason
