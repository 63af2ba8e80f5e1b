"""Where a webhook's Service is: a ready endpoint of it, as a proxy on the node would choose."""

from __future__ import annotations

from typing import Any

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.objects import Object

__all__ = ["ServiceError", "Services"]

_SLICES = "discovery.k8s.io/endpointslices"


class ServiceError(Exception):
    """A Service leads nowhere."""


class Services:
    """Finds addresses behind Services of one control plane."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._turn = 0

    def resolve(self, reference: Object) -> tuple[str, int]:
        """Return host and port for a `service` of a client configuration; raises `ServiceError`.

        Endpoints take turns. A Service of type ExternalName is its external name.
        """
        namespace, name = reference["namespace"], reference["name"]
        wanted = int(reference.get("port", 443))
        entry = self._access.store.get("/services", (namespace, name))
        if entry is None:
            raise ServiceError(f'service "{name}" not found')
        spec = entry.object["spec"]
        if spec.get("type") == "ExternalName":
            return str(spec["externalName"]), wanted
        port = next((each for each in spec.get("ports") or [] if each["port"] == wanted), None)
        if port is None:
            raise ServiceError(f'no service port {wanted} found for service "{name}"')
        found = self._endpoints(namespace, name, port.get("name") or "")
        if not found:
            raise ServiceError(f'no endpoints available for service "{name}"')
        self._turn += 1
        return found[self._turn % len(found)]

    def _endpoints(self, namespace: str, name: str, port: str) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for entry in self._access.store.entries(_SLICES, namespace):
            labels = entry.object["metadata"].get("labels") or {}
            if labels.get("kubernetes.io/service-name") == name:
                found += _ready(entry.object, port)
        return sorted(found)


def _ready(sliced: Any, port: str) -> list[tuple[str, int]]:
    """Return the ready addresses of a slice, with its port of that name."""
    numbers = [
        each["port"]
        for each in sliced.get("ports") or []
        if (each.get("name") or "") == port and each.get("port")
    ]
    return [
        (address, number)
        for endpoint in sliced.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint.get("addresses") or []
        for number in numbers
    ]
