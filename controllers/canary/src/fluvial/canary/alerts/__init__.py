"""Alerts: messages to people in chat, as `spec.analysis.alerts` asks for them.

`Alerts` decides who is told and delivers; `payloads` has the form that each service takes.
"""

from fluvial.canary.alerts.delivery import Alerts
from fluvial.canary.alerts.payloads import body_of

__all__ = ["Alerts", "body_of"]
