"""What goes wrong with metrics; the tree is drawn in `fluvial.cluster.metrics`."""

from __future__ import annotations

__all__ = ["ExpositionError", "QueryError", "TargetsError"]


class ExpositionError(ValueError):
    """A target's answer is not in Prometheus' text format; the message names the line."""


class TargetsError(ValueError):
    """The file of targets cannot be read."""


class QueryError(ValueError):
    """A query cannot be answered.

    `type` and `status` are Prometheus': `bad_data` (400) for what is no PromQL, `execution` (422)
    for what cannot be evaluated, or not here.
    """

    def __init__(self, message: str, type: str = "execution") -> None:
        super().__init__(message)
        self.type = type
        self.status = 400 if type == "bad_data" else 422
