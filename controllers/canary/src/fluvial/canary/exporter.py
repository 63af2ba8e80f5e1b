"""The Prometheus metrics of releases, under the names that existing dashboards and alerts use.

`name` is the name of the target, not that of the Canary.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from fluvial.apis.flagger.canary import Canary
from fluvial.canary.primary import SUFFIX
from fluvial.canary.state import Phase

__all__ = ["Exporter"]

_STATUS: Final = {Phase.PROGRESSING: 0, Phase.FAILED: 2}
_OBJECT: Final = ("name", "namespace")
_OUTCOME: Final = (*_OBJECT, "deployment_strategy", "analysis_status")


class Exporter:
    """All metrics of one controller; `provider` is the one of `-mesh-provider`."""

    def __init__(self, registry: CollectorRegistry, *, version: str, provider: str) -> None:
        info = Gauge("flagger_info", "Version", ["version", "mesh_provider"], registry=registry)
        info.labels(version, provider).set(1)
        self._total = Gauge(
            "flagger_canary_total", "Canaries by namespace", ["namespace"], registry=registry
        )
        self._status = Gauge(
            "flagger_canary_status",
            "Phase: 0 Progressing, 2 Failed, 1 any other",
            _OBJECT,
            registry=registry,
        )
        self._weight = Gauge(
            "flagger_canary_weight",
            "Share of the requests in percent",
            ["workload", "namespace"],
            registry=registry,
        )
        self._duration = Histogram(
            "flagger_canary_duration_seconds", "Duration of a tick", _OBJECT, registry=registry
        )
        self._metric = Gauge(
            "flagger_canary_metric_analysis",
            "Last value of a metric of the analysis",
            [*_OBJECT, "metric"],
            registry=registry,
        )
        self._successes = Counter(
            "flagger_canary_successes", "Promotions", _OUTCOME, registry=registry
        )
        self._failures = Counter(
            "flagger_canary_failures", "Rollbacks", _OUTCOME, registry=registry
        )

    def count(self, namespaces: Iterable[str]) -> None:
        """Set the number of Canaries from the namespace of each."""
        self._total.clear()
        for namespace, number in Tally(namespaces).items():
            self._total.labels(namespace).set(number)

    def status(self, canary: Canary) -> None:
        """Set the phase."""
        value = _STATUS.get(Phase(canary.status.phase), 1)
        self._status.labels(*_names(canary)).set(value)

    def weight(self, canary: Canary, primary: int, share: int) -> None:
        """Set the weights."""
        name, namespace = _names(canary)
        self._weight.labels(name + SUFFIX, namespace).set(primary)
        self._weight.labels(name, namespace).set(share)

    def duration(self, canary: Canary, seconds: float) -> None:
        """Observe a tick."""
        self._duration.labels(*_names(canary)).observe(seconds)

    def values(self, canary: Canary, values: dict[str, float]) -> None:
        """Set the last values of metrics."""
        for metric, value in values.items():
            self._metric.labels(*_names(canary), metric).set(value)

    def succeeded(self, canary: Canary, strategy: str, *, skipped: bool = False) -> None:
        """Count a promotion."""
        outcome = "skipped" if skipped else "completed"
        self._successes.labels(*_names(canary), strategy, outcome).inc()

    def failed(self, canary: Canary, strategy: str) -> None:
        """Count a rollback."""
        self._failures.labels(*_names(canary), strategy, "completed").inc()

    def forget(self, canary: Canary) -> None:
        """Drop the gauges of a Canary that is gone."""
        name, namespace = _names(canary)
        for gauge, labels in (
            (self._status, (name, namespace)),
            (self._weight, (name, namespace)),
            (self._weight, (name + SUFFIX, namespace)),
        ):
            gauge.remove(*labels)


def _names(canary: Canary) -> tuple[str, str]:
    return canary.spec.target_ref.name, canary.metadata.namespace
