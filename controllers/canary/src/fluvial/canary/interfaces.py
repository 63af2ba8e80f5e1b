"""What a tick asks of metrics, webhooks and alerts: the seams of this distribution.

The implementations are in `metrics`, `webhooks` and `alerts`; tests have their own. Routers have
their contract in `routers.model`.
"""

from typing import Protocol

from fluvial.apis.flagger.analysis import Webhook
from fluvial.apis.flagger.canary import Canary

__all__ = ["Alerts", "CheckOutcome", "HookOutcome", "Hooks", "MetricChecks"]


class CheckOutcome(Protocol):
    """What the metrics say: `failures` are sentences, `values` what was measured, by metric."""

    @property
    def passed(self) -> bool:
        """Whether every metric is in its range."""

    @property
    def failures(self) -> list[str]:
        """Why not."""

    @property
    def values(self) -> dict[str, float]:
        """The last value of each metric."""


class MetricChecks(Protocol):
    """Evaluates the metrics of an analysis: builtin and inline ones, then templates."""

    async def check(self, canary: Canary) -> CheckOutcome:
        """Query every metric until one fails."""

    async def available(self, canary: Canary) -> str | None:
        """Return why a provider of the analysis cannot be asked, or None."""


class HookOutcome(Protocol):
    """How a webhook answered."""

    @property
    def ok(self) -> bool:
        """Whether it approved."""

    @property
    def message(self) -> str:
        """What it said, or what went wrong."""


class Hooks(Protocol):
    """Calls webhooks."""

    async def call(
        self, canary: Canary, webhook: Webhook, phase: str, checksum: str
    ) -> HookOutcome:
        """Call one webhook of the analysis."""

    async def event(
        self, canary: Canary, message: str, type: str, *, url: str = "", checksum: str = ""
    ) -> None:
        """Post an event to the Canary's event webhooks, or to `url` where it has none."""


class Alerts(Protocol):
    """Tells people in chat."""

    async def send(
        self, canary: Canary, message: str, severity: str, *, metadata: bool = False
    ) -> None:
        """Send to the providers whose severity matches; `metadata` adds the fields of F.1."""
