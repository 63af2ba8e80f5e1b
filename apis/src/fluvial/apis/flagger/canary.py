"""Canary: a workload whose new revisions are released step by step."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated, Final

import msgspec

from fluvial.apis.flagger.analysis import Analysis
from fluvial.apis.flagger.service import CanaryService
from fluvial.apis.meta import Resource
from fluvial.apis.schema import Model, Number, Schema, Timestamp, always

__all__ = [
    "API_VERSION",
    "GROUP",
    "AutoscalerReference",
    "Canary",
    "CanaryCondition",
    "CanarySpec",
    "CanaryStatus",
    "IngressReference",
    "RouteReference",
    "ScalerReplicas",
    "TargetReference",
    "UpstreamReference",
]

GROUP: Final = "flagger.app"
API_VERSION: Final = f"{GROUP}/v1beta1"

_PROVIDERS: Final = (
    "apisix",
    "appmesh",
    "appmesh:v1beta2",
    "contour",
    "gatewayapi:v1",
    "gatewayapi:v1beta1",
    "gloo",
    "istio",
    "knative",
    "kubernetes",
    "kuma",
    "linkerd",
    "nginx",
    "osm",
    "skipper",
    "smi:v1alpha1",
    "smi:v1alpha2",
    "smi:v1alpha3",
    "traefik",
)
_PHASES: Final = (
    "",
    "Initializing",
    "Initialized",
    "Waiting",
    "Progressing",
    "WaitingPromotion",
    "Promoting",
    "Finalising",
    "Succeeded",
    "Failed",
    "Terminating",
    "Terminated",
)


class TargetReference(Model, kw_only=True):
    """The workload, in the same namespace."""

    api_version: str
    """API version of the workload."""
    kind: Annotated[str, Schema(enum=("DaemonSet", "Deployment", "Service"))]
    """Kind of the workload; Service is a plain or a Knative one."""
    name: str
    """Name of the workload."""


class ScalerReplicas(Model, kw_only=True):
    """Bounds of a scaler."""

    min_replicas: Annotated[int, Schema(minimum=1)] | None = None
    """Least number of replicas."""
    max_replicas: Annotated[int, Schema(minimum=1)] | None = None
    """Greatest number of replicas."""


class AutoscalerReference(Model, kw_only=True):
    """The workload's autoscaler, in the same namespace."""

    api_version: str
    """API version of the autoscaler."""
    kind: Annotated[str, Schema(enum=("HorizontalPodAutoscaler", "ScaledObject"))]
    """Kind of the autoscaler."""
    name: str
    """Name of the autoscaler."""
    primary_scaler_queries: dict[str, str] = {}
    """Queries of the primary's triggers, by trigger name (KEDA)."""
    primary_scaler_replicas: ScalerReplicas | None = None
    """Bounds of the primary's scaler."""


class IngressReference(Model, kw_only=True):
    """The workload's Ingress (NGINX, Skipper), in the same namespace."""

    api_version: str
    """API version of the Ingress."""
    kind: Annotated[str, Schema(enum=("Ingress",))]
    """Kind; Ingress."""
    name: str
    """Name of the Ingress."""


class RouteReference(Model, kw_only=True):
    """The workload's route (APISIX), in the same namespace."""

    api_version: str
    """API version of the route."""
    kind: Annotated[str, Schema(enum=("ApisixRoute",))]
    """Kind; ApisixRoute."""
    name: str
    """Name of the route."""


class UpstreamReference(Model, kw_only=True):
    """A template of the generated upstreams (Gloo)."""

    api_version: str
    """API version of the upstream."""
    kind: Annotated[str, Schema(enum=("Upstream",))]
    """Kind; Upstream."""
    name: str
    """Name of the upstream."""
    namespace: str = ""
    """Namespace of the upstream; absent means the Canary's own."""


class CanarySpec(Model, kw_only=True):
    """Which workload to release, how it is exposed, and how it is judged."""

    provider: Annotated[str, Schema(enum=_PROVIDERS)] = ""
    """Who shifts traffic; absent means what the controller was started with."""
    metrics_server: str = ""
    """Prometheus for built-in and inline queries; absent means the controller's."""
    target_ref: TargetReference
    """The workload."""
    autoscaler_ref: AutoscalerReference | None = None
    """The workload's autoscaler."""
    ingress_ref: IngressReference | None = None
    """The workload's Ingress (NGINX, Skipper)."""
    route_ref: RouteReference | None = None
    """The workload's route (APISIX)."""
    upstream_ref: UpstreamReference | None = None
    """A template of the generated upstreams (Gloo)."""
    service: CanaryService | None = None
    """How the workload is exposed."""
    analysis: Analysis
    """How a new revision is judged."""
    progress_deadline_seconds: Number | None = None
    """How long a rollout may make no progress; ten minutes when absent."""
    skip_analysis: bool = False
    """Promote every new revision at once."""
    revert_on_deletion: bool = False
    """Give the workload back its traffic and replicas when this object is deleted."""
    suspend: bool = False
    """Do nothing for now."""


class CanaryCondition(Model, kw_only=True):
    """Whether the last revision was promoted."""

    type: str
    """Promoted."""
    status: str
    """True, False, or Unknown while a release runs."""
    last_update_time: Timestamp | None = None
    """When the condition was last written."""
    last_transition_time: Timestamp | None = None
    """When status last changed."""
    reason: str
    """The phase."""
    message: str = ""
    """Why, as a sentence for people."""


class CanaryStatus(Model, kw_only=True):
    """How far the release is; the first four fields are always written."""

    phase: Annotated[str, Schema(enum=_PHASES)] = always("")
    """Where the release stands."""
    failed_checks: Number = always(0)
    """Failed checks of this release."""
    canary_weight: Number = always(0)
    """Weight of the new version, in percent."""
    iterations: Number = always(0)
    """Checks made of a blue/green release or an A/B test."""
    previous_session_affinity_cookie: str = ""
    """Cookie of the release before, `name=value`."""
    session_affinity_cookie: str = ""
    """Cookie of users of the new version, `name=value`."""
    primary_session_affinity_cookie: str = ""
    """Cookie of users of the old version, `name=value`."""
    tracked_configs: dict[str, str] | None = None
    """Checksums of ConfigMaps and Secrets of the workload, by `configmap/name` or
    `secret/name`."""
    last_applied_spec: str = ""
    """Hash of the workload's spec that was last seen."""
    last_promoted_spec: str = ""
    """Hash of the workload's spec that was last promoted."""
    last_transition_time: Timestamp | None = None
    """When the status was last written."""
    conditions: list[CanaryCondition] = []
    """The condition Promoted."""


class Canary(Resource, kw_only=True):
    """A workload whose new revisions get traffic step by step, with evidence, or none."""

    api_version: str = always(API_VERSION)
    kind: str = always("Canary")
    spec: CanarySpec
    """What is wanted."""
    status: CanaryStatus = msgspec.field(default_factory=CanaryStatus)
    """What is."""
