"""From a backendRef to one of Envoy's clusters, and from EndpointSlices to its endpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from fluvial.cluster.gateway.errors import UnresolvedError
from fluvial.cluster.objects import Object

__all__ = ["Backend", "FindService", "assignment", "cluster", "resolve"]

FindService = Callable[[str, str], Object | None]
"""Returns the Service of a namespace and name, None when there is none."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Backend:
    """One port of one Service."""

    namespace: str
    service: str
    port: int

    @property
    def cluster(self) -> str:
        """The name of Envoy's cluster, and of its metrics' label `envoy_cluster_name`."""
        return f"{self.namespace}_{self.service}_{self.port}"


def resolve(ref: Object, namespace: str, find: FindService) -> Backend:
    """Return the backend that a reference of a route in `namespace` names.

    Raises `UnresolvedError` with the reasons of the Gateway API.
    """
    group, kind, name = ref.get("group", ""), ref.get("kind", "Service"), ref["name"]
    if (group, kind) != ("", "Service"):
        found = f"{group}/{kind}" if group else kind
        raise UnresolvedError("InvalidKind", f"backendRef {name}: kind {found} is not a Service")
    if (ref.get("namespace") or namespace) != namespace:
        text = f"backendRef {ref['namespace']}/{name}: no ReferenceGrants here, use Services of "
        raise UnresolvedError("RefNotPermitted", f"{text}namespace {namespace}")
    service = find(namespace, name)
    if service is None:
        raise UnresolvedError("BackendNotFound", f"Service {namespace}/{name} does not exist")
    number = ref.get("port")
    port = _port(service, number)
    if number is None or port is None:
        raise UnresolvedError("BackendNotFound", f"Service {namespace}/{name} has no port {number}")
    if service["spec"].get("type") == "ExternalName":
        raise UnresolvedError(
            "UnsupportedProtocol", f"Service {namespace}/{name} is an ExternalName"
        )
    protocol = port.get("appProtocol", "http")
    if port.get("protocol", "TCP") != "TCP" or protocol not in {"http", "kubernetes.io/ws"}:
        text = f"Service {namespace}/{name}, port {number}: only HTTP/1.1 over TCP is spoken"
        raise UnresolvedError("UnsupportedProtocol", f"{text}, not {protocol}")
    return Backend(namespace, name, number)


def _port(service: Object, number: int | None) -> Object | None:
    ports: list[Object] = service["spec"].get("ports") or []
    return next((port for port in ports if port["port"] == number), None)


def cluster(backend: Backend, endpoints: str) -> Object:
    """Return Envoy's cluster for a backend; `endpoints` is the file with its endpoints."""
    return {
        "name": backend.cluster,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {"path_config_source": {"path": endpoints}, "resource_api_version": "V3"}
        },
        "connect_timeout": "1s",
        "lb_policy": "ROUND_ROBIN",
        # Readiness is Kubernetes' business: whatever is listed gets requests, nothing else does.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }


def assignment(backend: Backend, service: Object, slices: Sequence[Object]) -> Object:
    """Return the ready endpoints of a backend, each once, in order of address."""
    name = (_port(service, backend.port) or {}).get("name", "")
    found = set()
    for each in slices:
        numbers = [p["port"] for p in each.get("ports") or [] if (p.get("name") or "") == name]
        for endpoint in each.get("endpoints") or []:
            # Consumers take a missing condition for ready, as the API says.
            if (endpoint.get("conditions") or {}).get("ready", True):
                found |= {(address, n) for address in endpoint["addresses"] for n in numbers}
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": address, "port_value": number}}}}
        for address, number in sorted(found)
    ]
    return {"cluster_name": backend.cluster, "endpoints": [{"lb_endpoints": endpoints}]}
