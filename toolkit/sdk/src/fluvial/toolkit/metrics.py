"""What a controller counts, under the names that existing dashboards and alerts use.

Sources: controller-runtime (`controller_runtime_*`, `workqueue_*`, `rest_client_*`,
`leader_election_*`) and the toolkit's own `gotk_*`. The `controller` label is the lower-case kind.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector

__all__ = ["Metrics"]

_RECONCILE_BUCKETS = tuple(0.01 * (1800 / 0.01) ** (i / 9) for i in range(10))
"""Ten exponential buckets from 10 ms to half an hour, as upstream's."""

_TIME_BUCKETS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300)
_QUEUE_BUCKETS = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000)
_LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics:
    """All metrics of one process, in a registry of their own (so that two never collide)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        """Where the metrics are registered; `/metrics` prints it."""
        r = self.registry
        self.requests = Counter(
            "rest_client_requests",
            "Requests to the API server",
            ["code", "method", "host"],
            registry=r,
        )
        self.reconcile_duration = Histogram(
            "gotk_reconcile_duration_seconds",
            "Duration of one reconcile of one object",
            ["kind", "name", "namespace"],
            buckets=_RECONCILE_BUCKETS,
            registry=r,
        )
        self.reconciles = Counter(
            "controller_runtime_reconcile",
            "Reconciles by outcome: success, error, requeue, requeue_after",
            ["controller", "result"],
            registry=r,
        )
        self.reconcile_errors = Counter(
            "controller_runtime_reconcile_errors", "Failed reconciles", ["controller"], registry=r
        )
        self.reconcile_panics = Counter(
            "controller_runtime_reconcile_panics",
            "Reconciles that ended in an unforeseen exception",
            ["controller"],
            registry=r,
        )
        self.reconcile_time = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "Duration of reconciles",
            ["controller"],
            buckets=_TIME_BUCKETS,
            registry=r,
        )
        self.active_workers = Gauge(
            "controller_runtime_active_workers", "Busy workers", ["controller"], registry=r
        )
        self.max_concurrent = Gauge(
            "controller_runtime_max_concurrent_reconciles", "Workers", ["controller"], registry=r
        )
        queue = ["name", "controller"]
        self.queue_depth = Gauge("workqueue_depth", "Objects waiting", queue, registry=r)
        self.queue_adds = Counter("workqueue_adds", "Objects added", queue, registry=r)
        self.queue_retries = Counter("workqueue_retries", "Rate-limited adds", queue, registry=r)
        self.queue_wait = Histogram(
            "workqueue_queue_duration_seconds",
            "How long an object waits for a worker",
            queue,
            buckets=_QUEUE_BUCKETS,
            registry=r,
        )
        self.queue_work = Histogram(
            "workqueue_work_duration_seconds",
            "How long a worker is busy with an object",
            queue,
            buckets=_QUEUE_BUCKETS,
            registry=r,
        )
        self.queue_unfinished = Gauge(
            "workqueue_unfinished_work_seconds",
            "Time spent so far on what is in progress, summed",
            queue,
            registry=r,
        )
        self.queue_longest = Gauge(
            "workqueue_longest_running_processor_seconds",
            "Time spent so far on the oldest of what is in progress",
            queue,
            registry=r,
        )
        self.token_events = Counter(
            "gotk_token_cache_events",
            "Looks for a token of an object: cache_hit or cache_miss",
            ["event_type", "kind", "name", "namespace", "operation"],
            registry=r,
        )
        self.token_requests = Counter(
            "gotk_token_cache_requests",
            "Requests to the cache of tokens by outcome: success, failure",
            ["status"],
            registry=r,
        )
        self.token_evictions = Counter(
            "gotk_token_cache_evictions", "Tokens that made room for others", registry=r
        )
        self.token_items = Gauge("gotk_token_cached_items", "Tokens in the cache", registry=r)
        self.leader = Gauge(
            "leader_election_master_status", "1 while this process leads", ["name"], registry=r
        )
        self.loop_lag = Histogram(
            "fluvial_event_loop_lag_seconds",
            "How late the event loop wakes a timer; above 0.05 something holds the loop",
            buckets=_LAG_BUCKETS,
            registry=r,
        )
        self.events_dropped = Counter(
            "fluvial_events_dropped",
            "Events that were given up: queue_full, refused, or failed after all retries",
            ["reason"],
            registry=r,
        )
        self.undecodable = Gauge(
            "fluvial_undecodable_objects",
            "Objects of a kind that do not fit its model",
            ["kind"],
            registry=r,
        )
        ProcessCollector(registry=r)
        PlatformCollector(registry=r)
        GCCollector(registry=r)

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """Drop the series of an object that is gone."""
        self.reconcile_duration.remove(kind, name, namespace)
        self.token_events.remove_by_labels({"kind": kind, "name": name, "namespace": namespace})

    def expose(self) -> bytes:
        """Return everything in the Prometheus text format."""
        return generate_latest(self.registry)
