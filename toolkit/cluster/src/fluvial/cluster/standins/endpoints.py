"""Endpoints and EndpointSlices: which pods stand behind a Service, and at which ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import (
    is_deleting,
    labels_of,
    owner_reference,
    uid_of,
)
from fluvial.cluster.standins.pods import is_finished, is_ready
from fluvial.cluster.standins.resources import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Backend", "EndpointControllers", "backends_of", "slices_of", "subsets_of"]

_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_MANAGER = "endpointslice-controller.k8s.io"

Backend = tuple[Object, tuple[tuple[str, int, str], ...]]
"""A pod with an address, and the Service's ports on it as (name, number, protocol)."""


def backends_of(service: Object, pods: Sequence[Object]) -> list[Backend]:
    """Return the pods that a Service selects and that have an address, in order of name.

    A port whose target name a pod does not have is missing for that pod.
    """
    selector: dict[str, str] = service["spec"].get("selector") or {}
    chosen = [
        pod
        for pod in pods
        if selector.items() <= labels_of(pod).items()
        and (pod.get("status") or {}).get("podIP")
        and not is_finished(pod)
    ]
    chosen.sort(key=name_of)
    return [(pod, _ports(service, pod)) for pod in chosen]


def _ports(service: Object, pod: Object) -> tuple[tuple[str, int, str], ...]:
    found = []
    for port in service["spec"].get("ports") or []:
        protocol = port.get("protocol", "TCP")
        number = _target(port.get("targetPort", port["port"]), port["port"], protocol, pod)
        if number is not None:
            found.append((port.get("name", ""), number, protocol))
    return tuple(found)


def _target(target: int | str, port: int, protocol: str, pod: Object) -> int | None:
    if target in {0, ""}:
        return port
    if isinstance(target, int):
        return target
    sidecars = [
        each
        for each in pod["spec"].get("initContainers") or []
        if each.get("restartPolicy") == "Always"
    ]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for entry in container.get("ports") or []:
            if entry.get("name") == target and entry.get("protocol", "TCP") == protocol:
                return int(entry["containerPort"])
    return None


def _reference(pod: Object) -> Object:
    return {
        "kind": "Pod",
        "namespace": namespace_of(pod),
        "name": name_of(pod),
        "uid": uid_of(pod),
    }


def _serves(service: Object, pod: Object) -> bool:
    return is_ready(pod) or bool(service["spec"].get("publishNotReadyAddresses"))


def subsets_of(service: Object, backends: Sequence[Backend]) -> list[Object]:
    """Return the subsets of an Endpoints object: ready and not ready addresses by ports."""
    groups: dict[tuple[tuple[str, int, str], ...], tuple[list[Object], list[Object]]] = {}
    for pod, ports in backends:
        if is_deleting(pod) and not service["spec"].get("publishNotReadyAddresses"):
            continue
        address: Object = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName")}
        if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == name_of(service):
            address["hostname"] = pod["spec"]["hostname"]
        address["targetRef"] = _reference(pod)
        ready, waiting = groups.setdefault(ports, ([], []))
        (ready if _serves(service, pod) else waiting).append(address)
    subsets = []
    for ports, (ready, waiting) in sorted(groups.items()):
        subset: Object = {}
        if ready:
            subset["addresses"] = ready
        if waiting:
            subset["notReadyAddresses"] = waiting
        if ports:
            subset["ports"] = [_port(*port) for port in ports]
        subsets.append(subset)
    return subsets


def _port(name: str, number: int, protocol: str) -> Object:
    return {**({"name": name} if name else {}), "port": number, "protocol": protocol}


def slices_of(service: Object, backends: Sequence[Backend]) -> list[Object]:
    """Return ports and endpoints of the slices that a Service needs: one for each set of ports."""
    groups: dict[tuple[tuple[str, int, str], ...], list[Object]] = {}
    for pod, ports in backends:
        terminating = is_deleting(pod)
        serving = is_ready(pod)
        endpoint: Object = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {
                "ready": _serves(service, pod) and not terminating,
                "serving": serving,
                "terminating": terminating,
            },
            "nodeName": pod["spec"].get("nodeName"),
            "targetRef": _reference(pod),
        }
        if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == name_of(service):
            endpoint["hostname"] = pod["spec"]["hostname"]
        groups.setdefault(ports, []).append(endpoint)
    found = [
        {
            "ports": [{"name": port[0], "port": port[1], "protocol": port[2]} for port in ports],
            "endpoints": endpoints,
        }
        for ports, endpoints in sorted(groups.items())
    ]
    return found or [{"ports": [], "endpoints": []}]


class EndpointControllers:
    """The Endpoints and EndpointSlice controllers, for Services with a selector."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._named: dict[Key, set[str]] = {}
        self._behind: dict[str, set[Key]] = {}
        self.controller = Controller("endpoints", self._reconcile, timer)
        view.follow(SERVICES, self.controller.add_object)
        view.follow(PODS, self._pod_changed)
        view.follow(ENDPOINTS)
        view.follow(ENDPOINT_SLICES)

    def _pod_changed(self, pod: Object) -> None:
        labels = labels_of(pod).items()
        for service in self._view.all(SERVICES, namespace_of(pod)):
            selector: dict[str, str] = service["spec"].get("selector") or {}
            if selector and selector.items() <= labels:
                self.controller.add_object(service)
        # Also where it just stopped matching: the slices still name it.
        for key in self._behind.get(uid_of(pod), ()):
            self.controller.add(key)

    def _remember(self, key: Key, backends: Sequence[Backend]) -> None:
        """Keep which Services name which pods."""
        uids = {uid_of(pod) for pod, _ in backends}
        for uid in self._named.get(key, set()) - uids:
            self._behind[uid].discard(key)
            if not self._behind[uid]:
                del self._behind[uid]
        for uid in uids:
            self._behind.setdefault(uid, set()).add(key)
        self._named[key] = uids
        if not uids:
            del self._named[key]

    async def _reconcile(self, key: Key) -> float | None:
        service = self._view.get(SERVICES, *key)
        if service is None:
            self._remember(key, [])
            endpoints = self._view.get(ENDPOINTS, *key)
            if endpoints is not None:
                await self._view.delete(ENDPOINTS, endpoints)
            return None
        selector = service["spec"].get("selector")
        if not selector or service["spec"].get("type") == "ExternalName" or is_deleting(service):
            return None
        backends = backends_of(service, self._view.labelled(PODS, key[0], selector))
        self._remember(key, backends)
        await self._write_endpoints(service, subsets_of(service, backends))
        await self._write_slices(service, slices_of(service, backends))
        return None

    async def _write_endpoints(self, service: Object, subsets: list[Object]) -> None:
        namespace, name = namespace_of(service), name_of(service)
        headless = service["spec"].get("clusterIP") == "None"
        labels = {
            **labels_of(service),
            "endpoints.kubernetes.io/managed-by": "endpoint-controller",
            **({"service.kubernetes.io/headless": ""} if headless else {}),
        }
        old = self._view.get(ENDPOINTS, namespace, name)
        if old is None:
            wanted: Object = {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
            }
            if subsets:
                wanted["subsets"] = subsets
            await self._view.create(ENDPOINTS, wanted)
        elif (old.get("subsets") or []) != subsets or labels_of(old) != labels:
            removed = dict.fromkeys(labels_of(old).keys() - labels.keys())
            patch = {"metadata": {"labels": {**labels, **removed}}, "subsets": subsets or None}
            await self._view.patch(ENDPOINTS, old, patch)

    async def _write_slices(self, service: Object, wanted: list[Object]) -> None:
        owned = self._view.owned(ENDPOINT_SLICES, service)
        live = [each for each in owned if labels_of(each).get(_MANAGED_BY) == _MANAGER]
        spare = []
        for each in live:
            content = {"ports": each.get("ports") or [], "endpoints": each.get("endpoints") or []}
            if content in wanted:
                wanted.remove(content)
            else:
                spare.append(each)
        for content in wanted:
            if spare:
                await self._view.patch(ENDPOINT_SLICES, spare.pop(), content)
            else:
                await self._view.create(ENDPOINT_SLICES, _slice(service, content))
        for each in spare:
            await self._view.delete(ENDPOINT_SLICES, each)


def _slice(service: Object, content: Object) -> Object:
    address = str(service["spec"].get("clusterIP") or "")
    headless = address == "None"
    is_six = not headless and bool(address) and ipaddress.ip_address(address).version == 6
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{name_of(service)}-",
            "namespace": namespace_of(service),
            "labels": {
                **labels_of(service),
                _SERVICE_NAME: name_of(service),
                _MANAGED_BY: _MANAGER,
                **({"service.kubernetes.io/headless": ""} if headless else {}),
            },
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv6" if is_six else "IPv4",
        **content,
    }
