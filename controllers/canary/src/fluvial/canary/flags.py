"""The command line of the canary controller, with upstream's names and defaults."""

from dataclasses import dataclass

from fluvial.canary.routers import PROVIDERS
from fluvial.toolkit import FlagError, RuntimeFlags, duration, flag

__all__ = ["CanaryFlags"]


@dataclass(kw_only=True)
class CanaryFlags(RuntimeFlags):
    """What this controller adds to the flags of every controller."""

    mesh_provider: str = flag("istio", "Provider of Canaries that name none.")
    metrics_server: str = flag("http://prometheus:9090", "Prometheus of built-in metrics.")
    control_loop_interval: float = duration(10.0, "How often the analyses are looked over.")
    analysis_interval_floor: float = duration(10.0, "Shortest interval of an analysis.")
    namespace: str = flag("", "The one namespace to watch; empty for all.")
    selector_labels: str = flag(
        "app,name,app.kubernetes.io/name", "Labels that may tell a target's pods, in order."
    )
    include_label_prefix: str = flag("", "Prefixes of labels to copy to generated objects; * all.")
    enable_config_tracking: bool = flag(True, "Copy ConfigMaps and Secrets for the primary.")
    no_cross_namespace_refs: bool = flag(False, "Refuse references to other namespaces.")
    event_webhook: str = flag("", "Where events are posted.", env="EVENT_WEBHOOK_URL")
    cluster_name: str = flag("", "Name of the cluster in alerts.")
    port: int = flag(0, "Port of the metrics endpoint; 0 for --metrics-addr.")
    kube_api_qps: float = flag(100.0, "Requests a second, where the server does not share fairly.")
    kube_api_burst: int = flag(250, "Requests at once, likewise.")
    kubeconfig_qps: float = flag(0.0, "The same as --kube-api-qps; 0 for that one.")
    kubeconfig_burst: int = flag(0, "The same as --kube-api-burst; 0 for that one.")
    zap_encoding: str = flag("", "The same as --log-encoding; empty for that one.")
    zap_replace_globals: bool = flag(False, "Without effect.")
    ingress_class: str = flag("", "Without effect: no provider here uses an Ingress.")
    ingress_annotations_prefix: str = flag("nginx.ingress.kubernetes.io", "Without effect.")
    threadiness: int = flag(2, "Without effect: every analysis has a task of its own.")
    leader_election_namespace: str = flag("kube-system", "Namespace of the lease.")
    leader_election_lease_duration: float = duration(60.0, "How long a lease is valid.")
    leader_election_renew_deadline: float = duration(15.0, "When a leader gives up renewing.")

    def validate(self) -> None:
        """Check values against each other, and derive the toolkit's own. Raises FlagError."""
        super().validate()
        if self.control_loop_interval <= 0:
            raise FlagError("--control-loop-interval must be above 0")
        if self.analysis_interval_floor <= 0:
            raise FlagError("--analysis-interval-floor must be above 0")
        if not self.selector_label_list:
            raise FlagError("--selector-labels must name at least one label")
        self.runtime_namespace = self.namespace or self.leader_election_namespace
        self.kube_api_qps = self.kubeconfig_qps or self.kube_api_qps
        self.kube_api_burst = self.kubeconfig_burst or self.kube_api_burst
        self.log_encoding = self.zap_encoding or self.log_encoding
        if self.port:
            self.metrics_addr = f":{self.port}"

    @property
    def watch_namespace(self) -> str | None:
        """The one namespace to watch, or None for all."""
        return self.namespace or None

    @property
    def selector_label_list(self) -> tuple[str, ...]:
        """The labels of `-selector-labels`."""
        return _split(self.selector_labels)

    @property
    def label_prefixes(self) -> tuple[str, ...]:
        """The prefixes of `-include-label-prefix`."""
        return _split(self.include_label_prefix)

    @property
    def provider_note(self) -> str:
        """What to say at the start where the provider of the flag has no router; else empty."""
        if self.mesh_provider in PROVIDERS:
            return ""
        known = ", ".join(PROVIDERS)
        return (
            f"-mesh-provider {self.mesh_provider!r} has no router here: Canaries must name one of"
            f" {known} in spec.provider"
        )


def _split(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())
