"""How fast an autoscaler may follow its metrics: stabilization windows and rates, as upstream.

`History` remembers the recommendations and changes of one autoscaler; `decide` turns a proposal
into a size, with the conditions `AbleToScale` and `ScalingLimited`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

from fluvial.cluster.objects import Object

__all__ = ["Decision", "History", "Said", "decide"]

_WINDOW = 300
"""Seconds of the window on the way down, unless the autoscaler says otherwise."""

_LIMIT_FACTOR, _LIMIT_LEAST = 2, 4
"""Without `behavior` a size at most doubles at a time, or grows to four."""

Said = tuple[bool, str, str]
"""A condition: status, reason, message."""

READY: Said = (True, "ReadyForNewScale", "recommended size matches current size")
WITHIN: Said = (
    False,
    "DesiredWithinRange",
    "the desired count is within the acceptable range",
)
_UP = (
    True,
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_HIGHEST = "applying the highest recent recommendation"
_DOWN = (
    True,
    "ScaleDownStabilized",
    f"recent recommendations were higher than current one, {_HIGHEST}",
)
_TOO_FAST_UP = (
    True,
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
_TOO_FAST_DOWN = (
    True,
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)
_TOO_MANY = (
    True,
    "TooManyReplicas",
    "the desired replica count is more than the maximum replica count",
)
_TOO_FEW = (
    True,
    "TooFewReplicas",
    "the desired replica count is less than the minimum replica count",
)


@dataclasses.dataclass(slots=True)
class History:
    """What one autoscaler recommended, and by how much it changed its target, with the times."""

    recommended: list[tuple[dt.datetime, int]] = dataclasses.field(default_factory=list)
    changes: list[tuple[dt.datetime, int]] = dataclasses.field(default_factory=list)

    def scaled(self, before: int, after: int, now: dt.datetime) -> None:
        """Remember a change of size."""
        self.changes.append((now, after - before))

    def since(self, seconds: int, now: dt.datetime) -> tuple[int, int]:
        """Return how many replicas were added, and how many taken away, in the last seconds."""
        cutoff = now - dt.timedelta(seconds=seconds)
        recent = [change for when, change in self.changes if when > cutoff]
        return sum(c for c in recent if c > 0), -sum(c for c in recent if c < 0)

    def forget(self, window: int, period: int, now: dt.datetime) -> None:
        """Drop what is older than the longest window and the longest period."""
        cutoff = now - dt.timedelta(seconds=window)
        self.recommended = [item for item in self.recommended if item[0] >= cutoff]
        cutoff = now - dt.timedelta(seconds=period)
        self.changes = [item for item in self.changes if item[0] >= cutoff]


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """The size to go to, and what the conditions AbleToScale and ScalingLimited say."""

    replicas: int
    able: Said
    limited: Said


def decide(
    spec: Object, history: History, current: int, proposed: int, now: dt.datetime
) -> Decision:
    """Return the size for a proposal, and remember the proposal."""
    low, high = int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])
    behavior = spec.get("behavior")
    if behavior:
        steady, able = _with_windows(behavior, history, current, proposed, now)
        size, limited = _with_rates(behavior, history, current, steady, now=now, low=low, high=high)
        return Decision(size, able, limited)
    steady = max([proposed, *(n for _, n in _recent(history, _WINDOW, now))])
    history.forget(_WINDOW, 0, now)
    history.recommended.append((now, proposed))
    able = READY if steady == proposed else _DOWN
    fastest = max(_LIMIT_FACTOR * current, _LIMIT_LEAST)
    most, why = (fastest, _TOO_FAST_UP) if high > fastest else (high, _TOO_MANY)
    if steady < low:
        return Decision(low, able, _TOO_FEW)
    if steady > most:
        return Decision(most, able, why)
    return Decision(steady, able, WITHIN)


def _recent(history: History, seconds: int, now: dt.datetime) -> list[tuple[dt.datetime, int]]:
    cutoff = now - dt.timedelta(seconds=seconds)
    return [item for item in history.recommended if item[0] > cutoff]


def _with_windows(
    behavior: Object, history: History, current: int, proposed: int, now: dt.datetime
) -> tuple[int, Said]:
    """Take the lowest recent proposal on the way up, and the highest one on the way down."""
    up = int(behavior["scaleUp"].get("stabilizationWindowSeconds", 0))
    down = behavior["scaleDown"].get("stabilizationWindowSeconds")
    down = _WINDOW if down is None else int(down)
    lowest = min([proposed, *(n for _, n in _recent(history, up, now))])
    highest = max([proposed, *(n for _, n in _recent(history, down, now))])
    steady = min(max(current, lowest), highest)
    rules = [*behavior["scaleUp"]["policies"], *behavior["scaleDown"]["policies"]]
    history.forget(max(up, down), max(int(rule["periodSeconds"]) for rule in rules), now)
    history.recommended.append((now, proposed))
    if steady == proposed:
        return steady, READY
    return steady, _UP if proposed >= current else _DOWN


def _with_rates(
    behavior: Object,
    history: History,
    current: int,
    steady: int,
    *,
    now: dt.datetime,
    low: int,
    high: int,
) -> tuple[int, Said]:
    """Keep a change within the policies and the limits."""
    if steady > current:
        fastest = max(current, _fastest_up(behavior["scaleUp"], history, current, now))
        most, why = (fastest, _TOO_FAST_UP) if high > fastest else (high, _TOO_MANY)
        if steady > most:
            return most, why
    elif steady < current:
        slowest = min(current, _fastest_down(behavior["scaleDown"], history, current, now))
        least, why = (slowest, _TOO_FAST_DOWN) if low < slowest else (low, _TOO_FEW)
        if steady < least:
            return least, why
    return steady, WITHIN


def _fastest_up(rules: Object, history: History, current: int, now: dt.datetime) -> int:
    if rules.get("selectPolicy") == "Disabled":
        return current
    sizes = []
    for rule in rules["policies"]:
        added, taken = history.since(int(rule["periodSeconds"]), now)
        start, value = current - added + taken, int(rule["value"])
        by_share = math.ceil(start * (1 + value / 100))
        sizes.append(start + value if rule["type"] == "Pods" else by_share)
    return min(sizes) if rules.get("selectPolicy") == "Min" else max(sizes)


def _fastest_down(rules: Object, history: History, current: int, now: dt.datetime) -> int:
    if rules.get("selectPolicy") == "Disabled":
        return current
    sizes = []
    for rule in rules["policies"]:
        added, taken = history.since(int(rule["periodSeconds"]), now)
        start, value = current - added + taken, int(rule["value"])
        by_share = int(start * (1 - value / 100))
        sizes.append(start - value if rule["type"] == "Pods" else by_share)
    return max(sizes) if rules.get("selectPolicy") == "Min" else min(sizes)
