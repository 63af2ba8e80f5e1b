"""Metrics: the evidence that a release is judged by.

`MetricChecks` runs a round of measurements; what is asked is in `queries` (built in) and
`templates` (MetricTemplate objects), who is asked in `prometheus`, what passes in `evaluation`.
"""

from fluvial.canary.metrics.checks import CheckOutcome, MetricChecks
from fluvial.canary.metrics.model import (
    MetricError,
    NoValues,
    QueryError,
    QueryModel,
    UnsupportedMetricProvider,
)
from fluvial.canary.metrics.prometheus import Prometheus
from fluvial.canary.metrics.queries import OBSERVERS, Observer, observer_for

__all__ = [
    "OBSERVERS",
    "CheckOutcome",
    "MetricChecks",
    "MetricError",
    "NoValues",
    "Observer",
    "Prometheus",
    "QueryError",
    "QueryModel",
    "UnsupportedMetricProvider",
    "observer_for",
]
