"""Scripted misbehaviour of a workload, by annotations on its pods."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.objects import Object
from fluvial.cluster.standins.metadata import annotations_of
from fluvial.cluster.standins.timer import parse_duration

__all__ = ["PREFIX", "Script"]

PREFIX = "fluvial.dev/"


@dataclasses.dataclass(frozen=True, slots=True)
class Script:
    """What the annotations ask for; see `fluvial.cluster.standins` for the list.

    An annotation whose value cannot be read counts as absent.
    """

    rollout_delay: float = 0.0
    never_ready: bool = False
    crash_loop: bool = False
    pull_failure: bool = False
    run_for: float = 0.0
    exit_code: int = 0

    @classmethod
    def of(cls, pod: Object) -> Script:
        """Read a pod's annotations."""
        found = annotations_of(pod)

        def seconds(name: str) -> float:
            try:
                return parse_duration(found.get(PREFIX + name, "0"))
            except ValueError:
                return 0.0

        code = found.get(f"{PREFIX}exit-code", "0")
        return cls(
            rollout_delay=seconds("rollout-delay"),
            never_ready=found.get(f"{PREFIX}never-ready") == "true",
            crash_loop=found.get(f"{PREFIX}crash-loop") == "true",
            pull_failure=found.get(f"{PREFIX}image-pull-failure") == "true",
            run_for=seconds("run-for"),
            exit_code=int(code) if code.isdigit() else 0,
        )
