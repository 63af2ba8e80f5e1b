"""What goes wrong at the gateway.

ValueError
├── UnsupportedError   a route asks for something that this gateway cannot do
└── UnresolvedError    a backend that cannot be used; `reason` is the condition's
RuntimeError
└── EnvoyError    Envoy is not installed, or does not start
"""

from __future__ import annotations

__all__ = ["EnvoyError", "UnresolvedError", "UnsupportedError"]


class UnsupportedError(ValueError):
    """A route asks for something that this gateway cannot do; the message begins with the field."""


class UnresolvedError(ValueError):
    """A backend cannot be used."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EnvoyError(RuntimeError):
    """Envoy is not installed, or does not start."""
