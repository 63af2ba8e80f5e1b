"""NetworkPolicy, EndpointSlice, and where Ingress and IngressClass are found."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import ipaddress
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.ingresses import ClassStrategy, IngressStrategy
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.numbers import port_errors, port_reference_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors, port_name_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_POLICY_TYPES = ("Ingress", "Egress")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")


class NetworkPolicyStrategy(Strategy):
    """Rules of NetworkPolicy."""

    status = False

    def default(self, obj: Object) -> None:
        """Default protocols and policy types."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        for rules in (spec.get("ingress") or [], spec.get("egress") or []):
            for rule in rules:
                for port in rule.get("ports") or []:
                    port.setdefault("protocol", "TCP")
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check selector, rules and policy types."""
        spec = obj["spec"]
        errors = label_selector_errors(spec.get("podSelector"), "spec.podSelector")
        for name, peers in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(spec.get(name) or []):
                path = f"spec.{name}[{index}]"
                for number, port in enumerate(rule.get("ports") or []):
                    errors += _policy_port_errors(port, f"{path}.ports[{number}]")
                for number, peer in enumerate(rule.get(peers) or []):
                    errors += _peer_errors(peer, f"{path}.{peers}[{number}]")
        kinds = spec.get("policyTypes") or []
        if len(kinds) > 2:
            text = "may not specify more than two policyTypes"
            return [*errors, fielderrors.invalid("spec.policyTypes", kinds, text)]
        return errors + [
            fielderrors.not_supported(f"spec.policyTypes[{index}]", kind, _POLICY_TYPES)
            for index, kind in enumerate(kinds)
            if kind not in _POLICY_TYPES
        ]


def _policy_port_errors(port: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    protocol, number, last = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        errors.append(fielderrors.not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    if number is None:
        if last is not None:
            text = "may not be specified when `port` is not specified"
            errors.append(fielderrors.invalid(f"{path}.endPort", last, text))
        return errors
    errors += port_reference_errors(number, f"{path}.port")
    if last is None:
        return errors
    if isinstance(number, str):
        text = "may not be specified when `port` is non-numeric"
        return [*errors, fielderrors.invalid(f"{path}.endPort", last, text)]
    if last < number:
        text = "must be greater than or equal to `port`"
        errors.append(fielderrors.invalid(f"{path}.endPort", last, text))
    return errors + port_errors(last, f"{path}.endPort")


def _peer_errors(peer: dict[str, Any], path: str) -> list[Cause]:
    pods, spaces, block = (
        peer.get(name) for name in ("podSelector", "namespaceSelector", "ipBlock")
    )
    errors = label_selector_errors(pods, f"{path}.podSelector")
    errors += label_selector_errors(spaces, f"{path}.namespaceSelector")
    if block is not None:
        errors += _block_errors(block, f"{path}.ipBlock")
    selectors = (pods is not None) + (spaces is not None)
    if block is not None and selectors:
        text = "may not specify both ipBlock and another peer"
        errors.append(fielderrors.forbidden(path, text))
    elif block is None and not selectors:
        errors.append(fielderrors.required(path, "must specify a peer"))
    return errors


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _block_errors(block: dict[str, Any], path: str) -> list[Cause]:
    whole = block.get("cidr", "")
    if not whole:
        return [fielderrors.required(f"{path}.cidr")]
    text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    network = _network(whole)
    if network is None:
        return [fielderrors.invalid(f"{path}.cidr", whole, text)]
    errors: list[Cause] = []
    for index, part in enumerate(block.get("except") or []):
        where, inner = f"{path}.except[{index}]", _network(part)
        if inner is None:
            errors.append(fielderrors.invalid(where, part, text))
        elif (
            inner.version != network.version
            or inner.prefixlen <= network.prefixlen
            or inner.network_address not in network
        ):
            strict = "must be a strict subset of `cidr`"
            errors.append(fielderrors.invalid(where, part, strict))
    return errors


class SliceStrategy(Strategy):
    """Rules of EndpointSlice."""

    def default(self, obj: Object) -> None:
        """Default ports; endpoints and ports are always written."""
        obj.setdefault("endpoints", None)
        obj.setdefault("ports", None)
        for endpoint in obj.get("endpoints") or []:
            endpoint.setdefault("conditions", {})
        for port in obj.get("ports") or []:
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check address type, endpoints and ports."""
        errors: list[Cause] = []
        kind = obj.get("addressType", "")
        if not kind:
            errors.append(fielderrors.required("addressType"))
        elif kind not in _ADDRESS_TYPES:
            errors.append(fielderrors.not_supported("addressType", kind, _ADDRESS_TYPES))
        for index, endpoint in enumerate(obj.get("endpoints") or []):
            path = f"endpoints[{index}]"
            if not endpoint.get("addresses"):
                text = "must contain at least 1 address"
                errors.append(fielderrors.required(f"{path}.addresses", text))
            for number, address in enumerate(endpoint.get("addresses") or []):
                where = f"{path}.addresses[{number}]"
                errors += _endpoint_address_errors(address, kind, where)
            host = endpoint.get("hostname")
            if host is not None:
                bad = dns_label_errors(host)
                errors += [fielderrors.invalid(f"{path}.hostname", host, text) for text in bad]
        return errors + _slice_port_errors(obj.get("ports") or [])

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another address type."""
        kind = obj.get("addressType")
        if kind == old.get("addressType"):
            return []
        return [fielderrors.immutable("addressType", kind)]


def _endpoint_address_errors(address: str, kind: str, path: str) -> list[Cause]:
    wanted = {"IPv4": (4, "must be an IPv4 address"), "IPv6": (6, "must be an IPv6 address")}
    if kind not in wanted:
        return []
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        text = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [fielderrors.invalid(path, address, text)]
    return (
        [] if version == wanted[kind][0] else [fielderrors.invalid(path, address, wanted[kind][1])]
    )


def _slice_port_errors(ports: list[Any]) -> list[Cause]:
    errors: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"ports[{index}]", port.get("name", "")
        if name:
            bad = port_name_errors(name)
            errors += [fielderrors.invalid(f"{path}.name", name, text) for text in bad]
        if name in names:
            errors.append(fielderrors.duplicate(f"{path}.name", name))
        names.add(name)
        protocol = port.get("protocol")
        if protocol not in _PROTOCOLS:
            errors.append(fielderrors.not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    return errors


class NetworkStrategy(Strategy):
    """Rules of ServiceCIDR."""

    def default(self, obj: Object) -> None:
        """Both parts are always written."""
        obj.setdefault("spec", {})
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}


STRATEGIES: dict[str, Strategy] = {
    "networking.k8s.io/ingresses": IngressStrategy(),
    "networking.k8s.io/networkpolicies": NetworkPolicyStrategy(),
    "networking.k8s.io/ingressclasses": ClassStrategy(),
    "networking.k8s.io/servicecidrs": NetworkStrategy(),
    "discovery.k8s.io/endpointslices": SliceStrategy(),
}
