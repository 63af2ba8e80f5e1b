"""Alerts to chat are not sent by this controller: it says so where one was due."""

from fluvial.apis.flagger.canary import Canary
from fluvial.toolkit import Logger

__all__ = ["UnsentAlerts"]


class UnsentAlerts:
    """Writes every alert that a Canary asks for to the log, as an error.

    Events and event webhooks tell the same, and are sent.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log

    async def send(
        self, canary: Canary, message: str, severity: str, *, metadata: bool = False
    ) -> None:
        """Log the alert, if the Canary names somebody to tell."""
        del metadata
        if canary.spec.analysis.alerts:
            self._log.error(
                "alert not sent: spec.analysis.alerts is not supported, use an event webhook",
                canary=str(canary),
                severity=severity,
                alert=message,
            )
