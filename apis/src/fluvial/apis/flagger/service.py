"""How a Canary's workload is exposed: the services and routes that are generated."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated, Final

from fluvial.apis.flagger.matching import HTTPMatch
from fluvial.apis.flagger.traffic import (
    CorsPolicy,
    Headers,
    HTTPRetry,
    HTTPRewrite,
    TrafficPolicy,
)
from fluvial.apis.schema import Int32, Model, Number, Rule, Schema, defaulted

__all__ = [
    "BackendReference",
    "CanaryService",
    "CustomMetadata",
    "ParentReference",
    "RequestMirror",
    "UnmanagedMetadata",
]

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_GROUP: Final = Schema(max_length=253, pattern=rf"^$|^{_LABEL}(\.{_LABEL})*$")
_KIND: Final = Schema(min_length=1, max_length=63, pattern="^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")
_NAME: Final = Schema(min_length=1, max_length=253)
_NAMESPACE: Final = Schema(min_length=1, max_length=63, pattern=f"^{_LABEL}$")
_PORT: Final = Schema(minimum=1, maximum=65535)


class ParentReference(Model, kw_only=True):
    """A gateway of the Gateway API that the generated HTTPRoute attaches to."""

    group: Annotated[str, _GROUP] = defaulted("gateway.networking.k8s.io")
    """Group of the parent."""
    kind: Annotated[str, _KIND] = defaulted("Gateway")
    """Kind of the parent."""
    namespace: Annotated[str, _NAMESPACE] | None = None
    """Namespace of the parent; absent means the Canary's own."""
    name: Annotated[str, _NAME]
    """Name of the parent."""
    section_name: (
        Annotated[str, Schema(min_length=1, max_length=253, pattern=rf"^{_LABEL}(\.{_LABEL})*$")]
        | None
    ) = None
    """Listener of the parent."""
    port: Annotated[Int32, _PORT] | None = None
    """Port of the parent."""


class BackendReference(Model, kw_only=True):
    """Where mirrored requests go."""

    cel_rules = (
        Rule(
            "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
            "Must have port for Service reference",
        ),
    )

    group: Annotated[str, _GROUP] = defaulted("")
    """Group of the backend."""
    kind: Annotated[str, _KIND] = defaulted("Service")
    """Kind of the backend."""
    name: Annotated[str, _NAME]
    """Name of the backend."""
    namespace: Annotated[str, _NAMESPACE] | None = None
    """Namespace of the backend; absent means the Canary's own."""
    port: Annotated[Int32, _PORT] | None = None
    """Port of the backend; required for a Service."""


class RequestMirror(Model, kw_only=True):
    """A copy of each request (Gateway API)."""

    backend_ref: BackendReference | None = None
    """Where the copy goes."""


class CustomMetadata(Model, kw_only=True):
    """Labels and annotations for a generated object."""

    labels: dict[str, str] = {}
    """Labels to set."""
    annotations: dict[str, str] = {}
    """Annotations to set."""


class UnmanagedMetadata(Model, kw_only=True):
    """Labels and annotations that others set and that stay as they are."""

    labels: list[str] = []
    """Keys of labels."""
    annotations: list[str] = []
    """Keys of annotations."""


class CanaryService(Model, kw_only=True):
    """The services and routes that are generated for the workload."""

    name: str = ""
    """Name of the apex service; absent means the target's name. Not to be changed later."""
    port: Number
    """Port of the services."""
    port_name: str = ""
    """Name of the port; `http` when absent, `grpc...` for gRPC."""
    app_protocol: str = ""
    """Application protocol of the port; `tcp` makes Istio route TCP."""
    traffic_distribution: (
        Annotated[str, Schema(enum=("PreferClose", "PreferSameZone", "PreferSameNode"))] | None
    ) = None
    """Which endpoints are preferred."""
    target_port: Annotated[int | str, Schema(int_or_string=True)] = 0
    """Port of the containers, by number or name; absent or 0 means the port."""
    port_discovery: bool = False
    """Expose all ports of the containers."""
    headless: bool = False
    """Make the services headless."""
    timeout: str = ""
    """Time limit of a request, retries included."""
    backend_timeout: str = ""
    """Time limit of a request to the backend (Gateway API)."""
    gateways: list[str] = []
    """Istio gateways; `mesh` when absent."""
    gateway_refs: Annotated[list[ParentReference], Schema(max_items=32)] = []
    """Parents of the HTTPRoute (Gateway API)."""
    hosts: list[str] = []
    """Host names."""
    delegation: bool = False
    """Make a VirtualService that another one delegates to (Istio)."""
    traffic_policy: TrafficPolicy | None = None
    """Policy of the generated DestinationRules (Istio)."""
    match: list[HTTPMatch] = []
    """Requests that the route is for."""
    rewrite: HTTPRewrite | None = None
    """Change of the request."""
    retries: HTTPRetry | None = None
    """Retries of failed requests."""
    headers: Headers | None = None
    """Changes of headers."""
    mirror: list[RequestMirror] = []
    """Copies of each request (Gateway API)."""
    cors_policy: CorsPolicy | None = None
    """Cross-origin resource sharing."""
    mesh_name: str = ""
    """Name of the mesh (App Mesh)."""
    backends: list[str] = []
    """Backends that the workload calls (App Mesh)."""
    apex: CustomMetadata | None = None
    """Metadata of the apex service, and of the mesh's object."""
    primary: CustomMetadata | None = None
    """Metadata of the primary service."""
    canary: CustomMetadata | None = None
    """Metadata of the canary service."""
    unmanaged_metadata: UnmanagedMetadata | None = None
    """Metadata of the generated services that stays as it is."""
