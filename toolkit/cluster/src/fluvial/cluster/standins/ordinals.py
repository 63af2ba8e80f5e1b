"""What a StatefulSet does next with its numbered pods: pure, by the rules of upstream."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

__all__ = ["Plan", "Step", "Unit", "next_step"]


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """A pod as the set sees it. `healthy` is ready and not terminating."""

    revision: str
    healthy: bool = True
    terminating: bool = False
    finished: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What the set wants.

    Pods below `partition`, and those below `current_count` that an update has not reached, are
    made from the `current` revision, all others from `update`.
    """

    replicas: int
    current: str
    update: str
    start: int = 0
    current_count: int = 0
    partition: int = 0
    parallel: bool = False
    on_delete: bool = False

    def revision_of(self, ordinal: int) -> str:
        """Return the revision from which a missing pod is made."""
        if self.current == self.update:
            return self.update
        position = ordinal - self.start
        if not self.on_delete and self.partition == 0 and position < self.current_count:
            return self.current
        return self.current if ordinal < self.partition else self.update


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """Pods to create, by ordinal and revision, and pods to delete."""

    create: tuple[tuple[int, str], ...] = ()
    delete: tuple[int, ...] = ()


def next_step(plan: Plan, units: Mapping[int, Unit]) -> Step:
    """Return the next step: fill up, shrink from the top, then update from the top.

    OrderedReady does one thing at a time and waits for health before the next.
    """
    wanted = range(plan.start, plan.start + plan.replicas)
    create: list[tuple[int, str]] = []
    delete: list[int] = []
    for ordinal in wanted:
        unit = units.get(ordinal)
        if unit is None:
            create.append((ordinal, plan.revision_of(ordinal)))
        elif unit.finished and not unit.terminating:
            delete.append(ordinal)
        elif unit.healthy:
            continue
        if not plan.parallel:
            return Step(tuple(create), tuple(delete))
    for ordinal in sorted((each for each in units if each not in wanted), reverse=True):
        if not units[ordinal].terminating:
            delete.append(ordinal)
        if not plan.parallel:
            return Step(tuple(create), tuple(delete))
    if create or delete or plan.on_delete:
        return Step(tuple(create), tuple(delete))
    for ordinal in reversed(wanted):
        if ordinal < plan.partition:
            break
        unit = units[ordinal]
        if unit.revision != plan.update and not unit.terminating:
            return Step(delete=(ordinal,))
        if not unit.healthy:
            break
    return Step()
