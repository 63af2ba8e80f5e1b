"""Service: defaults, cluster IPs and node ports."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import ipaddress
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.servicevalidation import NODE_PORT_TYPES, service_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause, invalid
from fluvial.cluster.names import dns_label_errors
from fluvial.cluster.objects import Object
from fluvial.cluster.storage import Store

__all__ = ["Allocator", "ServiceStrategy"]

NODE_PORTS = range(30000, 32768)


class Allocator:
    """Hands out cluster IPs and node ports; what is taken is counted from what is given here."""

    def __init__(self, network: str) -> None:
        self._network = ipaddress.ip_network(network)
        self._next = int(self._network.network_address) + self._network.num_addresses // 16
        self._addresses: set[str] = set()
        self._ports: set[int] = set()
        self._next_port = NODE_PORTS.start

    def resume(self, store: Store) -> None:
        """Count what the stored Services have taken as taken."""
        for entry in store.entries("/services"):
            spec = entry.object["spec"]
            self._addresses.update(spec.get("clusterIPs") or ())
            self._ports.update(
                port["nodePort"] for port in spec.get("ports") or () if "nodePort" in port
            )

    def holds(self, address: str) -> bool:
        """Tell whether an address is in the service network."""
        try:
            return ipaddress.ip_address(address) in self._network
        except ValueError:
            return False

    def complaint_of_address(self, address: str) -> str:
        """Return why an address cannot be taken; empty when it can."""
        if not self.holds(address):
            text = f"the provided IP ({address}) is not in the valid range"
            return f"{text}. The range of valid IPs is {self._network}"
        return "provided IP is already allocated" if address in self._addresses else ""

    def take(self, address: str) -> None:
        """Mark an address as used."""
        self._addresses.add(address)

    def address(self) -> str:
        """Return a free address of the service network."""
        for _ in range(self._network.num_addresses):
            self._next += 1
            found = ipaddress.ip_address(self._next)
            if found not in self._network:
                self._next = int(self._network.network_address)
                continue
            if str(found) not in self._addresses:
                return str(found)
        raise RuntimeError(f"the service network {self._network} has no free address left")

    def port(self, number: int | None = None) -> int:
        """Take a node port: `number`, or a free one."""
        if number is None:
            number = next(
                port
                for port in (*range(self._next_port, NODE_PORTS.stop), *NODE_PORTS)
                if port not in self._ports
            )
            self._next_port = number + 1
        self._ports.add(number)
        return number

    def complaint_of_port(self, number: int) -> str:
        """Return why a node port cannot be taken; empty when it can."""
        if number not in NODE_PORTS:
            text = "provided port is not in the valid range"
            return f"{text}. The range of valid ports is {NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
        return "provided port is already allocated" if number in self._ports else ""

    def release(self, spec: dict[str, Any]) -> None:
        """Give back what a service held."""
        self._addresses.difference_update(spec.get("clusterIPs") or [])
        for port in spec.get("ports") or []:
            self._ports.discard(port.get("nodePort", 0))


class ServiceStrategy(Strategy):
    """Rules of Service."""

    generation = False
    returns_deleted = True
    create_on_update = True
    field_labels = ("spec.clusterIP", "spec.type")
    name_errors = staticmethod(dns_label_errors)

    def __init__(self, allocator: Allocator) -> None:
        self._allocator = allocator

    def default(self, obj: Object) -> None:
        """Default type, affinity, ports and policies."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("sessionAffinity", "None")
        spec.setdefault("type", "ClusterIP")
        if spec["sessionAffinity"] == "ClientIP":
            config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
            config.setdefault("timeoutSeconds", 10800)
        for port in spec.get("ports") or []:
            port.setdefault("protocol", "TCP")
            if port.get("targetPort") in (None, 0, ""):
                port["targetPort"] = port.get("port", 0)
        if spec["type"] in NODE_PORT_TYPES or spec.get("externalIPs"):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] != "ExternalName":
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
        obj.setdefault("status", {}).setdefault("loadBalancer", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status; allocate addresses and ports."""
        obj["status"] = {"loadBalancer": {}}
        self._check_free(obj, {})
        self._allocate(obj["spec"], {}, context)

    def undo_create(self, obj: Object) -> None:
        """Give back what was allocated."""
        self._allocator.release(obj["spec"])

    def _check_free(self, obj: Object, before: dict[str, Any]) -> None:
        """Refuse addresses and ports that are asked for and not to be had (422)."""
        spec, name = obj["spec"], obj["metadata"].get("name", "")
        if spec["type"] == "ExternalName":
            return
        address = spec.get("clusterIP") or (spec.get("clusterIPs") or [""])[0]
        if _is_address(address) and address != before.get("clusterIP"):
            why = self._allocator.complaint_of_address(address)
            if why:
                text = f"failed to allocate IP {address}: {why}"
                cause = fielderrors.invalid("spec.clusterIPs", [address], text)
                raise invalid("", "Service", name, [cause])
        held = {port.get("nodePort") for port in before.get("ports") or []}
        for index, port in enumerate(spec.get("ports") or []):
            number = port.get("nodePort")
            if not number or number in held or spec["type"] not in NODE_PORT_TYPES:
                continue
            why = self._allocator.complaint_of_port(number)
            if why:
                cause = fielderrors.invalid(f"spec.ports[{index}].nodePort", number, why)
                raise invalid("", "Service", name, [cause])

    def prepare_update(self, obj: Object, old: Object, context: Context) -> None:
        """Keep what was allocated; allocate what is new."""
        spec, before = obj["spec"], old["spec"]
        if spec["type"] != "ExternalName" and before.get("type") != "ExternalName":
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                if not spec.get(key) and before.get(key):
                    spec[key] = before[key]
        if spec["type"] not in NODE_PORT_TYPES and before.get("type") in NODE_PORT_TYPES:
            spec.pop("externalTrafficPolicy", None)
            for port in spec.get("ports") or []:
                port.pop("nodePort", None)
        if spec["type"] != "LoadBalancer":
            spec.pop("allocateLoadBalancerNodePorts", None)
        self._check_free(obj, before)
        self._allocate(spec, before, context)

    def _allocate(self, spec: dict[str, Any], before: dict[str, Any], context: Context) -> None:
        if spec["type"] == "ExternalName":
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                spec.pop(key, None)
            return
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        if not spec.get("clusterIP"):
            given = (spec.get("clusterIPs") or [None])[0]
            spec["clusterIP"] = given or self._allocator.address()
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        if not context.dry_run and self._allocator.holds(spec["clusterIP"]):
            self._allocator.take(spec["clusterIP"])
        if (
            spec["type"] in NODE_PORT_TYPES
            and spec.get("allocateLoadBalancerNodePorts") is not False
        ):
            known = {
                (port.get("name"), port.get("port"), port.get("protocol")): port.get("nodePort")
                for port in before.get("ports") or []
            }
            for port in spec.get("ports") or []:
                if not port.get("nodePort"):
                    kept = known.get((port.get("name"), port.get("port"), port.get("protocol")))
                    port["nodePort"] = kept or self._allocator.port()
                elif not context.dry_run:
                    self._allocator.port(port["nodePort"])

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Warn of fields on their way out and of those that have no effect."""
        spec, warnings = obj["spec"], []
        external = spec["type"] == "ExternalName"
        if spec.get("externalIPs"):
            text = "is deprecated and may no longer be implemented in some clusters"
            warnings.append(f"spec.externalIPs {text}")
            if external:
                warnings.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
        if not external and spec.get("externalName"):
            warnings.append('spec.externalName is ignored when spec.type is not "ExternalName"')
        if spec.get("clusterIP") == "None":
            if spec.get("sessionAffinity") not in ("", "None", None):
                warnings.append("spec.SessionAffinity is ignored for headless services")
            if spec.get("loadBalancerIP"):
                warnings.append("spec.loadBalancerIP is ignored for headless services")
        return warnings

    def deleted(self, obj: Object) -> None:
        """Give addresses and ports back."""
        self._allocator.release(obj["spec"])

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check type, ports and addresses."""
        return service_errors(obj["spec"])

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another cluster IP."""
        spec, before = obj["spec"], old["spec"]
        if "ExternalName" in (spec["type"], before.get("type")):
            return []
        if before.get("clusterIP") and spec.get("clusterIP") != before["clusterIP"]:
            text = "may not change once set"
            return [fielderrors.invalid("spec.clusterIPs[0]", spec.get("clusterIPs"), text)]
        return []


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
