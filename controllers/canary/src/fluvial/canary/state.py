"""The decision: what a tick does next, given what it knows so far.

A tick is a loop: `decide` names an action, the action is done, and what it found out is added to
the state. Facts that cost a request are asked for only when the decision depends on them (`Look`,
`Ask`, `Check`), so that the order of a tick is the order of the branches below and needs no I/O to
be tested. Source of the order: docs/spec/canary.md, which follows upstream's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final

from fluvial.canary.routers import Weights
from fluvial.canary.strategy import Plan, Strategy

__all__ = [
    "Action",
    "Advance",
    "Ask",
    "Change",
    "Check",
    "CountFailure",
    "Fact",
    "FailPromotion",
    "Finish",
    "Gate",
    "Hold",
    "Look",
    "Phase",
    "Prepare",
    "Promote",
    "Readiness",
    "Rebaseline",
    "Restart",
    "RollBack",
    "ShiftBack",
    "SkipAnalysis",
    "Start",
    "State",
    "Step",
    "Stop",
    "decide",
]


class Phase(StrEnum):
    """The values of status.phase; the British spelling is part of the contract."""

    NONE = ""
    INITIALIZING = "Initializing"
    INITIALIZED = "Initialized"
    WAITING = "Waiting"
    PROGRESSING = "Progressing"
    WAITING_PROMOTION = "WaitingPromotion"
    PROMOTING = "Promoting"
    FINALISING = "Finalising"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"


class Change(Enum):
    """How the target compares with what the status remembers."""

    NONE = "unchanged"
    REVISION = "a new revision"
    REVERTED = "back at the promoted revision after a failure: remembered, never a new run"
    FOREIGN = "a hash of another implementation's form, and nothing that speaks for a change"


class Readiness(Enum):
    """How a workload's rollout stands."""

    READY = "ready"
    WAIT = "in progress"
    STUCK = "over its deadline"


class Step(Enum):
    """What is created or mended before anything is decided, in this order."""

    SERVICES = "services of canary and primary"
    PROBE = "metric providers"
    PRIMARY = "primary workload"
    PRIMARY_READY = "primary workload's readiness"
    SCALER = "autoscaler"
    APEX = "apex service"
    SCALE_DOWN = "target at zero"
    ROUTES = "routes"
    INITIALIZED = "phase Initialized"


class Fact(Enum):
    """What costs a request to know."""

    CHANGE = "change"
    PRIMARY = "primary"
    CANARY = "canary"
    WEIGHTS = "weights"


class Gate(StrEnum):
    """Webhook types that open or close a way."""

    ROLLOUT = "confirm-rollout"
    TRAFFIC = "confirm-traffic-increase"
    PROMOTION = "confirm-promotion"
    ROLLBACK = "rollback"


@dataclass(frozen=True, kw_only=True)
class State:
    """What a tick knows; None is what it has not looked at yet."""

    plan: Plan
    phase: Phase
    failed_checks: int = 0
    iterations: int = 0
    prepared: frozenset[Step] = frozenset()
    change: Change | None = None
    primary: Readiness | None = None
    canary: Readiness | None = None
    route: Weights | None = None
    gates: Mapping[Gate, bool] = field(default_factory=dict)
    checked: bool | None = None

    @property
    def canary_serves_all(self) -> bool:
        """Whether every user is at the canary: not only those of an A/B test."""
        split = self.plan.routed and self.plan.strategy is not Strategy.AB
        return split and self.route is not None and self.route.canary == 100


class Action:
    """Something to do; those that end the tick say so."""

    ends = True


@dataclass(frozen=True)
class Stop(Action):
    """Nothing more in this tick."""

    reason: str = ""


@dataclass(frozen=True)
class Prepare(Action):
    """Create or mend one thing that must be there."""

    step: Step
    ends = False


@dataclass(frozen=True)
class Look(Action):
    """Find out a fact."""

    fact: Fact
    ends = False


@dataclass(frozen=True)
class Ask(Action):
    """Call the webhooks of a gate."""

    gate: Gate
    ends = False


@dataclass(frozen=True)
class Check(Action):
    """Judge the new revision: `pre-rollout` hooks, or `rollout` hooks and the metrics."""

    hook: str
    ends = False


@dataclass(frozen=True)
class Rebaseline(Action):
    """Remember the target as it is; no run begins. `promoted`: the primary is known to equal it."""

    promoted: bool


@dataclass(frozen=True)
class Hold(Action):
    """A gate is closed."""

    gate: Gate


@dataclass(frozen=True)
class Start(Action):
    """Begin a run: scale the target up, phase Progressing."""


@dataclass(frozen=True)
class Restart(Action):
    """The revision changed during the run: all traffic to the primary, counters at zero."""


@dataclass(frozen=True)
class RollBack(Action):
    """All traffic to the primary, the target to zero, phase Failed."""

    reason: str
    alert: bool = False


@dataclass(frozen=True)
class FailPromotion(Action):
    """The primary is stuck with the new revision: all traffic stays at the canary."""


@dataclass(frozen=True)
class CountFailure(Action):
    """One more failed check."""


@dataclass(frozen=True)
class Advance(Action):
    """One step on: where traffic goes (None: it stays), and what the status says.

    With iterations the status' weight stays 0, as upstream: most users stay at the primary.
    """

    route: Weights | None
    weight: int
    iterations: int


@dataclass(frozen=True)
class Promote(Action):
    """Copy the target's spec and configuration onto the primary, phase Promoting."""


@dataclass(frozen=True)
class ShiftBack(Action):
    """Give the primary its traffic back; `last`: then the phase is Finalising."""

    route: Weights | None
    last: bool


@dataclass(frozen=True)
class SkipAnalysis(Action):
    """Promote at once, without checks, phase Succeeded."""


@dataclass(frozen=True)
class Finish(Action):
    """Scale the target to zero, phase Succeeded."""


_INITIAL: Final = frozenset({Phase.NONE, Phase.INITIALIZING})
_SETTLED: Final = frozenset({Phase.INITIALIZED, Phase.SUCCEEDED, Phase.FAILED})
_ANALYSING: Final = frozenset({Phase.PROGRESSING, Phase.WAITING_PROMOTION})
_PROMOTING: Final = frozenset({Phase.PROMOTING, Phase.FINALISING})


def decide(s: State) -> Action:
    """Return what comes next; pure."""
    if s.plan.suspended:
        return Stop("suspended")
    return _prepare(s) or _enter(s) or _proceed(s) or _check(s) or _advance(s)


def _prepare(s: State) -> Action | None:
    """Return what must be made or mended first."""
    initial = s.phase in _INITIAL
    for step in Step:
        only_initial = {Step.SCALE_DOWN, Step.INITIALIZED, Step.PROBE, Step.PRIMARY_READY}
        if step in s.prepared or (step in only_initial and not initial):
            continue
        if s.plan.skip and step in {Step.PROBE, Step.PRIMARY_READY}:
            continue
        if step is Step.PRIMARY_READY:
            if s.primary is None:
                return Look(Fact.PRIMARY)
            if s.primary is not Readiness.READY:
                return Stop("the primary is not ready")
            continue
        return Prepare(step)
    return Stop() if initial else None


def _enter(s: State) -> Action | None:
    """Find out whether there is a run to begin, or one to go on with."""
    if s.phase in {Phase.TERMINATING, Phase.TERMINATED}:
        return Stop()
    # A run that promotes goes on with what it copied; one that waits begins when the gate opens.
    if s.phase in _SETTLED | _ANALYSING:
        if s.change is None:
            return Look(Fact.CHANGE)
        if s.phase in _SETTLED and s.change is not Change.REVISION:
            return _remember(s)
    if not s.plan.skip:
        if s.primary is None:
            return Look(Fact.PRIMARY)
        if s.primary is Readiness.WAIT:
            return Stop("the primary is not ready")
        if s.primary is Readiness.STUCK and s.phase in _PROMOTING:
            return FailPromotion()
    if s.route is None:
        return Look(Fact.WEIGHTS)
    if s.primary is Readiness.STUCK and not s.canary_serves_all:
        return RollBack("the primary is stuck")
    if s.phase is Phase.WAITING and (action := _gate(s, Gate.ROLLBACK)) is not None:
        return action
    if s.phase in _SETTLED or s.phase is Phase.WAITING:
        if Gate.ROLLOUT not in s.gates:
            return Ask(Gate.ROLLOUT)
        return Start() if s.gates[Gate.ROLLOUT] else Hold(Gate.ROLLOUT)
    if s.phase in _ANALYSING and s.change is Change.REVISION:
        # A restart gives the primary all traffic, which a stuck one must not get.
        return Start() if _only_canary_works(s) else Restart()
    return None


def _remember(s: State) -> Action:
    if s.change is Change.NONE:
        return Stop()
    return Rebaseline(promoted=s.phase is not Phase.FAILED)


def _proceed(s: State) -> Action | None:
    """Return what a run in progress owes before it is judged."""
    if s.canary is None:
        return Look(Fact.CANARY)
    if s.canary is Readiness.WAIT:
        return Stop("the canary is not ready")
    if s.canary is Readiness.STUCK:
        return RollBack("the canary is stuck", alert=True)
    if s.plan.skip:
        return SkipAnalysis()
    if s.phase in _ANALYSING and (action := _gate(s, Gate.ROLLBACK)) is not None:
        return action
    if s.phase is Phase.PROMOTING:
        return _shift_back(s)
    if s.phase is Phase.FINALISING:
        return Finish()
    if s.failed_checks >= s.plan.threshold:
        if _only_canary_works(s):
            return FailPromotion()
        return RollBack("the threshold of failed checks is reached", alert=True)
    return None


def _only_canary_works(s: State) -> bool:
    """Tell the aftermath of a failed promotion: a stuck primary, and all traffic at the canary.

    Upstream rolls back then, which takes the only good pods away. Here a new revision is judged
    where it serves already, and promotion mends the primary.
    """
    return s.primary is Readiness.STUCK and s.canary_serves_all


def _gate(s: State, gate: Gate) -> Action | None:
    """Ask whether to roll back; None where nobody wants it."""
    if gate not in s.plan.hooks:
        return None
    if gate not in s.gates:
        return Ask(gate)
    return RollBack("manual rollback") if s.gates[gate] else None


def _shift_back(s: State) -> Action:
    if not s.plan.routed:
        return ShiftBack(None, last=True)
    assert s.route is not None
    step = s.plan.promotion_step or 100
    primary = min(100, s.route.primary + step)
    return ShiftBack(Weights(primary, 100 - primary), last=primary == 100)


def _check(s: State) -> Action | None:
    assert s.route is not None
    if s.checked is None:
        first = s.route.canary == 0 and s.iterations == 0 and not s.route.mirrored
        return Check("pre-rollout" if first else "rollout")
    return None if s.checked else CountFailure()


def _advance(s: State) -> Action:
    if s.plan.strategy is Strategy.CANARY:
        return _advance_weight(s)
    if s.iterations < s.plan.iterations:
        return Advance(_iteration_route(s), 0, s.iterations + 1)
    if Gate.PROMOTION not in s.gates:
        return Ask(Gate.PROMOTION)
    if not s.gates[Gate.PROMOTION]:
        return Hold(Gate.PROMOTION)
    if s.plan.strategy is Strategy.BLUE_GREEN and s.iterations == s.plan.iterations:
        # The last look before promotion: live traffic on the new revision, where it can be routed.
        route = Weights(0, 100) if s.plan.routed else None
        return Advance(route, 0, s.iterations + 1)
    return Promote()


def _iteration_route(s: State) -> Weights | None:
    if s.plan.strategy is Strategy.AB:
        return Weights(0, 100)
    return Weights(100, 0, mirrored=True) if s.plan.mirror else None


def _advance_weight(s: State) -> Action:
    assert s.route is not None
    weight = s.route.canary
    if s.phase is Phase.PROGRESSING:
        if Gate.TRAFFIC not in s.gates:
            return Ask(Gate.TRAFFIC)
        if not s.gates[Gate.TRAFFIC]:
            return Hold(Gate.TRAFFIC)
    if weight < s.plan.max_weight:
        following = s.plan.next_weight(weight)
        if following == weight:
            return Stop("the analysis has no step")
        return Advance(Weights(100 - following, following), following, s.iterations)
    if Gate.PROMOTION not in s.gates:
        return Ask(Gate.PROMOTION)
    return Promote() if s.gates[Gate.PROMOTION] else Hold(Gate.PROMOTION)
