"""How many replicas a metric asks for: upstream's replica calculator, as pure functions.

All amounts are in thousandths. A ratio within a tenth of one changes nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

from fluvial.cluster.objects import Object, name_of
from fluvial.cluster.standins.metadata import is_deleting
from fluvial.cluster.standins.pods import is_ready, phase_of
from fluvial.cluster.standins.usage import milli

__all__ = ["TOLERANCE", "MetricError", "Proposal", "for_average", "for_ratio", "for_value"]

TOLERANCE = 0.1
"""How far a ratio may be from one without a change of size."""


class MetricError(Exception):
    """A metric cannot be computed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """What a metric asks for: `replicas`, and the `average` (or whole) amount that was measured.

    `percent` is the average as a share of what the pods request, None for other targets.
    """

    replicas: int
    average: int
    percent: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Groups:
    """Pods by what is known of them; those that ended or end are in none."""

    measured: dict[str, int]
    missing: list[str]
    unready: list[str]


def _grouped(pods: list[Object], usage: Mapping[str, int], *, cpu: bool) -> _Groups:
    """Group pods; the CPU that a pod uses before it is ready says nothing about its load."""
    measured: dict[str, int] = {}
    missing: list[str] = []
    unready: list[str] = []
    for pod in pods:
        name = name_of(pod)
        if is_deleting(pod) or phase_of(pod) == "Failed":
            continue
        if phase_of(pod) == "Pending" or (cpu and not is_ready(pod)):
            unready.append(name)
        elif name in usage:
            measured[name] = usage[name]
        else:
            missing.append(name)
    return _Groups(measured, missing, unready)


def for_average(
    pods: list[Object], usage: Mapping[str, int], target: int, current: int, *, cpu: bool = False
) -> Proposal:
    """Return the size at which each pod has `target` on average. Raises `MetricError`."""
    groups = _groups(pods, usage, cpu=cpu)
    average = sum(groups.measured.values()) // len(groups.measured)

    def ratio(amounts: Mapping[str, int]) -> float:
        return sum(amounts.values()) // len(amounts) / target

    full = dict.fromkeys(groups.missing, target)
    return Proposal(_settled(groups, ratio, full, current), average)


def for_ratio(
    pods: list[Object], usage: Mapping[str, int], resource: str, percent: int, current: int
) -> Proposal:
    """Return the size at which pods use `percent` of what they request. Raises `MetricError`."""
    groups = _groups(pods, usage, cpu=resource == "cpu")
    requests = {name_of(pod): _request(pod, resource) for pod in pods}

    def share(amounts: Mapping[str, int]) -> int:
        requested = sum(requests[name] for name in amounts)
        if requested == 0:
            raise MetricError("no metrics returned matched known pods")
        return sum(amounts.values()) * 100 // requested

    used = share(groups.measured)
    average = sum(groups.measured.values()) // len(groups.measured)
    full = {name: requests[name] for name in groups.missing}
    replicas = _settled(groups, lambda amounts: share(amounts) / percent, full, current)
    return Proposal(replicas, average, used)


def for_value(value: int, target: int, current: int, ready: int, *, each: bool) -> Proposal:
    """Return the size for a metric that is of no pod: its value, or (`each`) one per replica."""
    if each:
        ratio = value / (target * current) if current else math.inf
        replicas = current if abs(1.0 - ratio) <= TOLERANCE else math.ceil(value / target)
        return Proposal(replicas, math.ceil(value / current) if current else value)
    ratio = value / target
    if current == 0:
        return Proposal(math.ceil(ratio), value)
    return Proposal(current if abs(1.0 - ratio) <= TOLERANCE else math.ceil(ratio * ready), value)


def _groups(pods: list[Object], usage: Mapping[str, int], *, cpu: bool) -> _Groups:
    if not pods:
        raise MetricError("no pods returned by selector while calculating replica count")
    groups = _grouped(pods, usage, cpu=cpu)
    if not groups.measured:
        raise MetricError("did not receive metrics for any ready pods")
    return groups


def _settled(
    groups: _Groups,
    ratio: Callable[[Mapping[str, int]], float],
    full: Mapping[str, int],
    current: int,
) -> int:
    """Return the size for a ratio of use, careful with pods of which nothing is known.

    On the way down those count as fully used, on the way up as idle, like pods that are not ready;
    a size that would then go the other way is not taken.
    """
    first = ratio(groups.measured)
    up_with_unready = bool(groups.unready) and first > 1.0
    if not up_with_unready and not groups.missing:
        if abs(1.0 - first) <= TOLERANCE:
            return current
        return math.ceil(first * len(groups.measured))
    amounts = dict(groups.measured)
    if groups.missing:
        amounts |= full if first < 1.0 else dict.fromkeys(groups.missing, 0)
    if up_with_unready:
        amounts |= dict.fromkeys(groups.unready, 0)
    second = ratio(amounts)
    if abs(1.0 - second) <= TOLERANCE or (first < 1.0 < second) or (second < 1.0 < first):
        return current
    size = math.ceil(second * len(amounts))
    turned = (second < 1.0 and size > current) or (second > 1.0 and size < current)
    return current if turned else size


def _request(pod: Object, resource: str) -> int:
    """Return what the containers of a pod request. Raises `MetricError` when one does not say."""
    total = 0
    for container in pod["spec"].get("containers") or []:
        asked = ((container.get("resources") or {}).get("requests") or {}).get(resource)
        if asked is None:
            raise MetricError(
                f"missing request for {resource} in container {container['name']} of Pod "
                f"{name_of(pod)}"
            )
        total += milli(asked)
    return total
