"""What the demo is asked for."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["CONTROLLERS", "FAULTS", "METRICS", "STEPS", "Options", "Step"]

Step: TypeAlias = Literal["start", "deploy", "good", "bad", "config"]

STEPS: Final[tuple[Step, ...]] = ("start", "deploy", "good", "bad", "config")
"""The steps in order; `--until` names the last one."""

METRICS: Final = ("embedded", "prometheus")
"""Who may answer the canary controller's queries."""

CONTROLLERS: Final = ("source", "kustomize", "helm", "canary")

FAULTS: Final = ("push-refused", "metrics-off", *(f"kill-{name}" for name in CONTROLLERS))
"""What `--fault` breaks on purpose when the step `good` begins, to show that the demo notices."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the demo runs: `within` is the deadline of every expectation, in seconds."""

    keep: bool = False
    metrics: Literal["embedded", "prometheus"] = "embedded"
    until: Step = "config"
    within: float = 30.0
    fault: str = ""

    def includes(self, step: Step) -> bool:
        """Whether a step is to be done."""
        return STEPS.index(step) <= STEPS.index(self.until)
