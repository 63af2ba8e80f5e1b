"""The plan of an analysis: which strategy, which steps, which limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from fluvial.apis.duration import parse_duration
from fluvial.apis.flagger.canary import Canary

__all__ = ["KUBERNETES", "Plan", "Strategy", "interval_of", "plan_of"]

KUBERNETES: Final = "kubernetes"
"""The provider that shifts no traffic: live requests never reach the canary."""

_INTERVAL: Final = 60.0
_KUBERNETES_ITERATIONS: Final = 10


class Strategy(StrEnum):
    """The values of the label `deployment_strategy`."""

    CANARY = "canary"
    BLUE_GREEN = "blue-green"
    AB = "ab-testing"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the spec asks for, with defaults filled in; weights are percent."""

    strategy: Strategy = Strategy.CANARY
    routed: bool = True
    """Whether a router shifts traffic; False for provider kubernetes."""
    iterations: int = 0
    threshold: int = 1
    step: int = 0
    steps: Sequence[int] = ()
    max_weight: int = 100
    promotion_step: int = 0
    mirror: bool = False
    skip: bool = False
    suspended: bool = False
    hooks: frozenset[str] = frozenset()
    """The types of webhooks that there are; a gate without one is open."""

    def next_weight(self, weight: int) -> int:
        """Return the canary's weight after the next step; the same where there is no step.

        A linear step wins over a list. A weight that is not in the list leads to 100, as upstream.
        """
        if self.step > 0 or not self.steps:
            return min(100, weight + self.step)
        if weight == 0:
            return min(100, self.steps[0])
        for here, there in pairwise(self.steps):
            if here == weight:
                return min(100, there)
        return 100


def plan_of(canary: Canary, provider: str) -> Plan:
    """Read the plan from a spec; `provider` is the effective one.

    Provider kubernetes knows only blue/green, with ten iterations where none are given. Mirroring
    of a weighted canary is left out where no router can do it, instead of waiting for ever.
    """
    spec = canary.spec
    analysis = spec.analysis
    routed = provider != KUBERNETES
    iterations = analysis.iterations
    if not routed and iterations <= 0:
        iterations = _KUBERNETES_ITERATIONS
    if iterations > 0:
        strategy = Strategy.AB if analysis.match and routed else Strategy.BLUE_GREEN
    else:
        strategy = Strategy.CANARY
    steps = analysis.step_weights if analysis.step_weight <= 0 else []
    return Plan(
        strategy=strategy,
        routed=routed,
        iterations=iterations,
        threshold=max(1, analysis.threshold),
        step=analysis.step_weight,
        steps=tuple(steps),
        max_weight=min(100, steps[-1]) if steps else analysis.max_weight or 100,
        promotion_step=analysis.step_weight_promotion,
        mirror=analysis.mirror and routed and strategy is Strategy.BLUE_GREEN,
        skip=spec.skip_analysis,
        suspended=spec.suspend,
        hooks=frozenset(hook.type or "rollout" for hook in analysis.webhooks),
    )


def interval_of(canary: Canary, floor: float) -> float:
    """Return the seconds between two ticks: a minute where absent or unreadable, and `floor`."""
    try:
        seconds = parse_duration(canary.spec.analysis.interval or "1m")
    except ValueError:
        seconds = _INTERVAL
    return max(seconds, floor)
