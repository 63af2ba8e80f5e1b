"""Validation of Service specs, in the order of the API server."""

from __future__ import annotations

import ipaddress
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.metadata import label_errors
from fluvial.cluster.builtin.numbers import port_errors, port_reference_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors, dns_subdomain_errors
from fluvial.cluster.objects import Object

__all__ = ["NODE_PORT_TYPES", "service_errors"]

NODE_PORT_TYPES = ("NodePort", "LoadBalancer")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_FAMILY_POLICIES = ("SingleStack", "PreferDualStack", "RequireDualStack")
_LONGEST_AFFINITY = 86400


def service_errors(spec: Object) -> list[Cause]:
    """Check a defaulted Service spec."""
    kind, headless = spec["type"], spec.get("clusterIP") == "None"
    errors: list[Cause] = []
    ports = spec.get("ports") or []
    if not ports and not headless and kind != "ExternalName":
        errors.append(fielderrors.required("spec.ports"))
    errors += _type_errors(spec, kind, headless=headless)
    names: set[str] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        errors += _port_errors(port, path, names, named=len(ports) > 1)
        if kind in ("ClusterIP", "ExternalName") and port.get("nodePort"):
            text = "may not be used when `type` is 'ClusterIP'"
            if kind == "ExternalName":
                text = "may not be used when `type` is 'ExternalName'"
            errors.append(fielderrors.forbidden(f"{path}.nodePort", text))
    errors += label_errors(spec.get("selector"), "spec.selector")
    affinity = spec.get("sessionAffinity", "")
    if affinity not in _AFFINITIES:
        errors.append(fielderrors.not_supported("spec.sessionAffinity", affinity, _AFFINITIES))
    errors += _affinity_errors(spec, affinity)
    for index, address in enumerate(spec.get("externalIPs") or []):
        errors += _address_errors(address, f"spec.externalIPs[{index}]")
    if kind not in _TYPES:
        errors.append(fielderrors.not_supported("spec.type", kind, _TYPES))
    errors += _duplicate_errors(ports)
    return errors + _policy_errors(spec, kind)


def _type_errors(spec: Object, kind: str, *, headless: bool) -> list[Cause]:
    errors: list[Cause] = []
    if kind in NODE_PORT_TYPES and headless:
        text = f"may not be set to 'None' for {kind} services"
        errors.append(fielderrors.invalid("spec.clusterIPs[0]", "None", text))
    if kind == "ExternalName":
        if spec.get("clusterIP"):
            text = "may not be set for ExternalName services"
            errors.append(fielderrors.forbidden("spec.clusterIPs", text))
        host = (spec.get("externalName") or "").rstrip(".")
        if host:
            errors += [
                fielderrors.invalid("spec.externalName", spec["externalName"], text)
                for text in dns_subdomain_errors(host)
            ]
        else:
            errors.append(fielderrors.required("spec.externalName"))
    elif spec.get("clusterIP") and not headless:
        errors += _address_errors(spec["clusterIP"], "spec.clusterIPs[0]")
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _FAMILY_POLICIES:
        where = "spec.ipFamilyPolicy"
        errors.append(fielderrors.not_supported(where, policy, _FAMILY_POLICIES))
    return errors


def _port_errors(port: dict[str, Any], path: str, names: set[str], *, named: bool) -> list[Cause]:
    errors: list[Cause] = []
    name, number, inner = port.get("name", ""), port.get("port", 0), port.get("targetPort")
    if named and not name:
        errors.append(fielderrors.required(f"{path}.name"))
    elif name:
        errors += [fielderrors.invalid(f"{path}.name", name, t) for t in dns_label_errors(name)]
        if name in names:
            errors.append(fielderrors.duplicate(f"{path}.name", name))
        names.add(name)
    errors += port_errors(number, f"{path}.port")
    protocol = port.get("protocol", "")
    if protocol not in _PROTOCOLS:
        errors.append(fielderrors.not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    return errors + port_reference_errors(inner, f"{path}.targetPort")


def _duplicate_errors(ports: list[dict[str, Any]]) -> list[Cause]:
    errors: list[Cause] = []
    seen: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port", 0))
        if key in seen:
            shown = {"Name": "", "Protocol": key[0], "AppProtocol": None, "Port": key[1],
                     "TargetPort": 0, "NodePort": 0}  # fmt: skip
            errors.append(fielderrors.duplicate(f"spec.ports[{index}]", shown))
        seen.add(key)
    return errors


def _address_errors(address: str, path: str) -> list[Cause]:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        text = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [fielderrors.invalid(path, address, text)]
    return []


def _affinity_errors(spec: Object, affinity: str) -> list[Cause]:
    config = spec.get("sessionAffinityConfig")
    if affinity == "None" and config is not None:
        text = "must not be set when session affinity is None"
        return [fielderrors.forbidden("spec.sessionAffinityConfig", text)]
    if affinity != "ClientIP":
        return []
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds", 10800)
    if 0 < seconds <= _LONGEST_AFFINITY:
        return []
    text = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
    where = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
    return [fielderrors.invalid(where, seconds, text)]


def _policy_errors(spec: Object, kind: str) -> list[Cause]:
    """Check the traffic policies and what belongs to load balancers only."""
    errors: list[Cause] = []
    outer, inner = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    reachable = kind in NODE_PORT_TYPES or bool(spec.get("externalIPs"))
    if outer and not reachable:
        text = "may only be set for externally-accessible services"
        errors.append(fielderrors.invalid("spec.externalTrafficPolicy", outer, text))
    elif outer and outer not in _POLICIES:
        errors.append(fielderrors.not_supported("spec.externalTrafficPolicy", outer, _POLICIES))
    if inner is not None and inner not in _POLICIES:
        errors.append(fielderrors.not_supported("spec.internalTrafficPolicy", inner, _POLICIES))
    balancer = kind == "LoadBalancer"
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balancer:
        text = "may only be used when `type` is 'LoadBalancer'"
        where = "spec.allocateLoadBalancerNodePorts"
        errors.append(fielderrors.forbidden(where, text))
    if spec.get("loadBalancerClass") is not None and not balancer:
        text = "may only be used when `type` is 'LoadBalancer'"
        errors.append(fielderrors.forbidden("spec.loadBalancerClass", text))
    if spec.get("loadBalancerSourceRanges") and not balancer:
        text = "may only be used when `type` is 'LoadBalancer'"
        errors.append(fielderrors.forbidden("spec.LoadBalancerSourceRanges", text))
    return errors
