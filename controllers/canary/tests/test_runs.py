"""Whole runs of the decision with chance for a router, hooks and metrics: what always holds."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fluvial.canary.routers import Weights
from fluvial.canary.state import (
    Advance,
    Ask,
    Change,
    Check,
    CountFailure,
    Finish,
    Gate,
    Hold,
    Look,
    Phase,
    Promote,
    Readiness,
    RollBack,
    ShiftBack,
    State,
    Step,
    decide,
)
from fluvial.canary.strategy import Plan, Strategy

PLANS = st.one_of(
    st.builds(
        Plan,
        step=st.integers(1, 100),
        max_weight=st.integers(1, 100),
        threshold=st.integers(1, 3),
        promotion_step=st.integers(0, 100),
    ),
    st.builds(
        Plan,
        strategy=st.sampled_from([Strategy.BLUE_GREEN, Strategy.AB]),
        iterations=st.integers(1, 5),
        threshold=st.integers(1, 3),
    ),
    st.builds(
        Plan,
        steps=st.lists(st.integers(1, 120), min_size=1, max_size=5, unique=True).map(
            lambda found: tuple(sorted(found))
        ),
        threshold=st.integers(1, 3),
    ).map(lambda plan: replace(plan, max_weight=min(100, plan.steps[-1]))),
)


class Run:
    """A run from Progressing on; every answer is drawn."""

    def __init__(self, plan, answer):
        self.plan = plan
        self.answer = answer
        self.phase = Phase.PROGRESSING
        self.route = Weights(100, 0)
        self.failed = self.iterations = 0
        self.ends = []

    def tick(self):
        state = State(
            plan=self.plan,
            phase=self.phase,
            failed_checks=self.failed,
            iterations=self.iterations,
            prepared=frozenset(Step),
            change=Change.NONE,
            primary=Readiness.READY,
            canary=Readiness.READY,
        )
        while not (action := decide(state)).ends:
            if isinstance(action, Look):
                state = replace(state, route=self.route)
            elif isinstance(action, Ask):
                state = replace(state, gates={**state.gates, action.gate: self.answer()})
            elif isinstance(action, Check):
                state = replace(state, checked=self.answer())
        self.ends.append(action)
        self._do(action, state)

    def _do(self, action, state):
        if isinstance(action, Advance):
            assert state.checked, "no step without a check that passed"
            self.route = action.route or self.route
            self.iterations = action.iterations
        elif isinstance(action, CountFailure):
            self.failed += 1
        elif isinstance(action, Promote):
            assert state.checked
            assert state.gates[Gate.PROMOTION]
            if self.plan.strategy is Strategy.CANARY:
                assert self.route.canary >= self.plan.max_weight
            self.phase = Phase.PROMOTING
        elif isinstance(action, ShiftBack):
            self.route = action.route
            self.phase = Phase.FINALISING if action.last else self.phase
        elif isinstance(action, Hold) and action.gate is Gate.PROMOTION:
            self.phase = Phase.WAITING_PROMOTION
            self.iterations = max(0, self.plan.iterations - 1)
        elif isinstance(action, RollBack):
            assert self.failed >= self.plan.threshold
            self.route = Weights(100, 0)
            self.phase = Phase.FAILED
        elif isinstance(action, Finish):
            assert self.route == Weights(100, 0), "the target goes to zero without traffic"
            self.phase = Phase.SUCCEEDED
        assert self.route.primary + self.route.canary == 100
        assert 0 <= self.route.canary <= 100


@given(plan=PLANS, answers=st.lists(st.booleans(), max_size=60))
@settings(deadline=None)
def test_whatever_is_answered_no_step_is_taken_without_evidence(plan, answers):
    queue = list(answers)
    run = Run(plan, lambda: queue.pop(0) if queue else True)
    # Once only good answers are left, each run ends; 320 ticks are enough for steps of 1 percent.
    for _ in range(320):
        run.tick()
        if run.phase in {Phase.SUCCEEDED, Phase.FAILED}:
            break
    assert run.phase in {Phase.SUCCEEDED, Phase.FAILED}


@given(plan=PLANS)
@settings(deadline=None)
def test_without_objections_traffic_only_grows_until_promotion(plan):
    run = Run(plan, lambda: True)
    weights = []
    while run.phase is Phase.PROGRESSING:
        run.tick()
        weights.append(run.route.canary)
    assert weights == sorted(weights)
    assert isinstance(run.ends[-1], Promote)
