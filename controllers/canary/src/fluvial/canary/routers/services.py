"""The Services of a release: apex and primary select the primary's pods, canary the target's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from fluvial.apis.flagger import Canary, CanaryService, CustomMetadata
from fluvial.apis.ids import Unstructured
from fluvial.canary.resources import FIELD_MANAGER
from fluvial.canary.routers.metadata import (
    OPT_OUT,
    annotations_of,
    changes,
    is_owned,
    labels_of,
    owner_reference,
)
from fluvial.canary.routers.model import InvalidRoute, service_names
from fluvial.toolkit.client import Client, NotFound, Resource

__all__ = ["PodSelection", "Services"]

_SERVICES: Final = Resource("", "v1", "services", "Service")
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class PodSelection:
    """How the target's pods are told apart: the label `key` is `value`, or `value-primary`.

    `ports` are further ports of the pods, by name (`spec.service.portDiscovery`).
    """

    key: str
    value: str
    ports: Mapping[str, int] = field(default_factory=dict)


class Services:
    """Keeps `<apex>`, `<apex>-primary` and `<apex>-canary` in place.

    Raises the client's errors, and InvalidRoute where the Canary has no `spec.service`. Writes
    only where something differs. A Service that was there before is taken over: its selector and
    ports are replaced, node ports kept, foreign labels and annotations left alone.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def initialize(self, canary: Canary, pods: PodSelection) -> None:
        """Create or correct the canary's and the primary's Service."""
        names, service = service_names(canary), _service(canary)
        await self._keep(canary, pods, names.canary, pods.value, service.canary)
        await self._keep(canary, pods, names.primary, f"{pods.value}-primary", service.primary)

    async def reconcile(self, canary: Canary, pods: PodSelection) -> None:
        """Create or correct the apex Service; from then on clients reach the primary."""
        service = _service(canary)
        await self._keep(
            canary, pods, service_names(canary).apex, f"{pods.value}-primary", service.apex
        )

    async def finalize(self, canary: Canary, pods: PodSelection) -> None:
        """Point an apex Service that was there before the Canary back at the target's pods.

        The selector that kubectl recorded is preferred, as upstream. One that the Canary owns is
        left to the garbage collector.
        """
        apex = service_names(canary).apex
        namespace = canary.metadata.namespace
        found = await self._client.get(_SERVICES, apex, namespace)
        if any(owner["kind"] == "Canary" for owner in _owners(found) if owner.get("controller")):
            return
        recorded = (found["metadata"].get("annotations") or {}).get(_LAST_APPLIED)
        selector = _recorded_selector(recorded, apex) if recorded else None
        if selector is None:
            selector = {pods.key: pods.value}
        patch = changes(found["spec"].get("selector") or {}, selector)
        if patch:
            await self._patch(found, {"spec": {"selector": patch}})

    async def _keep(
        self,
        canary: Canary,
        pods: PodSelection,
        name: str,
        value: str,
        custom: CustomMetadata | None,
    ) -> None:
        labels = {**labels_of(custom), pods.key: name}
        spec = _spec(_service(canary), {pods.key: value}, pods.ports)
        try:
            found = await self._client.get(_SERVICES, name, canary.metadata.namespace)
        except NotFound:
            metadata = {
                "name": name,
                "namespace": canary.metadata.namespace,
                "labels": labels,
                "annotations": annotations_of(custom),
                "ownerReferences": [owner_reference(canary)],
            }
            service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
            await self._client.create(_SERVICES, service, field_manager=FIELD_MANAGER)
            return
        patch = _correction(found, canary, spec, labels, annotations_of(custom))
        if patch:
            await self._patch(found, patch)

    async def _patch(self, found: Unstructured, patch: Unstructured) -> None:
        metadata = found["metadata"]
        version = {"resourceVersion": metadata["resourceVersion"]}
        patch = {**patch, "metadata": {**patch.get("metadata", {}), **version}}
        await self._client.patch(
            _SERVICES, metadata["name"], patch, metadata["namespace"], field_manager=FIELD_MANAGER
        )


def _service(canary: Canary) -> CanaryService:
    if canary.spec.service is None:
        raise InvalidRoute(f"{canary}: spec.service is missing; give at least its port")
    return canary.spec.service


def _spec(
    service: CanaryService, selector: dict[str, str], ports: Mapping[str, int]
) -> dict[str, Any]:
    target = service.target_port if str(service.target_port) not in {"", "0"} else service.port
    first = {
        "name": service.port_name or "http",
        "protocol": "TCP",
        "port": service.port,
        "targetPort": target,
    }
    if service.app_protocol:
        first["appProtocol"] = service.app_protocol
    further = (
        {"name": name, "protocol": "TCP", "port": port, "targetPort": port}
        for name, port in sorted(ports.items())
    )
    spec: dict[str, Any] = {
        "type": "ClusterIP",
        "selector": selector,
        "ports": [first, *further],
    }
    if service.headless:
        spec["clusterIP"] = "None"
    if service.traffic_distribution:
        spec["trafficDistribution"] = service.traffic_distribution
    return spec


def _correction(
    found: Unstructured,
    canary: Canary,
    spec: Mapping[str, Any],
    labels: dict[str, str],
    annotations: dict[str, str],
) -> dict[str, Any]:
    present: Mapping[str, Any] = found["spec"]
    patch: dict[str, Any] = {}
    ports = _with_node_ports(spec["ports"], present.get("ports") or ())
    selector = changes(present.get("selector") or {}, spec["selector"])
    if selector or _by_number(ports) != _by_number(present.get("ports") or ()):
        # An explicit null would be needed to drop appProtocol from a merged list; lists are
        # replaced as a whole.
        patch["spec"] = {"selector": selector, "ports": ports}
    metadata = found["metadata"]
    have_labels = metadata.get("labels") or {}
    have_annotations = metadata.get("annotations") or {}
    if is_owned(found, canary):
        unmanaged = canary.spec.service.unmanaged_metadata if canary.spec.service else None
        if unmanaged:
            labels |= _chosen(have_labels, unmanaged.labels)
            annotations |= _chosen(have_annotations, unmanaged.annotations)
        fields = {
            "labels": changes(have_labels, labels),
            "annotations": changes(have_annotations, annotations),
        }
    elif patch:
        missing = {
            key: value for key, value in OPT_OUT.items() if have_annotations.get(key) != value
        }
        fields = {"annotations": dict(missing)}
    else:
        fields = {}
    if any(fields.values()):
        patch["metadata"] = {key: value for key, value in fields.items() if value}
    return patch


def _chosen(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    return {key: present[key] for key in keys if key in present}


def _with_node_ports(
    wanted: Iterable[Mapping[str, Any]], present: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    taken = {port.get("name", ""): port["nodePort"] for port in present if port.get("nodePort")}
    return [
        {**port, "nodePort": taken[port["name"]]} if port["name"] in taken else dict(port)
        for port in wanted
    ]


def _by_number(ports: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(ports, key=lambda port: (port["port"], port.get("name", "")))


def _owners(obj: Unstructured) -> list[dict[str, Any]]:
    return obj["metadata"].get("ownerReferences") or []


def _recorded_selector(recorded: str, name: str) -> dict[str, str] | None:
    """Read the selector out of what kubectl last applied; None when there is none in it."""
    try:
        obj = msgspec.json.decode(recorded)
        selector = obj["spec"]["selector"]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        if isinstance(error, msgspec.DecodeError):
            raise InvalidRoute(
                f"Service {name}: the annotation {_LAST_APPLIED} is no JSON: {error}; remove it"
            ) from error
        return None
    return selector if isinstance(selector, dict) else None
