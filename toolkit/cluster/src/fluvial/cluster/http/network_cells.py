"""Table cells of services, routes to them, and addresses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.http.cell_texts import (
    NONE,
    UNSET,
    Maker,
    addresses_text,
    age_of,
    labels_text,
    name_of,
    selector_text,
    shortened,
)
from fluvial.cluster.objects import Object

__all__ = ["MAKERS"]


def _external(obj: Object) -> str:
    """Return where a service is reached from outside, by its type."""
    spec = obj["spec"]
    kind, own = spec.get("type", ""), spec.get("externalIPs") or []
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind == "LoadBalancer":
        given = addresses_text(obj.get("status") or {})
        return ",".join([*filter(None, [given]), *own]) or "<pending>"
    return ",".join(own) or NONE if kind else "<unknown>"


def _service(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    ports = ",".join(
        f"{item['port']}:{item['nodePort']}/{item['protocol']}"
        if item.get("nodePort")
        else f"{item['port']}/{item['protocol']}"
        for item in spec.get("ports") or []
    )
    return [
        name_of(obj), spec.get("type", ""), spec.get("clusterIP") or NONE, _external(obj),
        ports or NONE, age_of(obj, now), labels_text(spec.get("selector")),
    ]  # fmt: skip


def _hosts(rules: list[Object]) -> str:
    """Return the first three hosts of an ingress; what is more is counted in rules."""
    hosts: list[str] = []
    for rule in rules:
        if len(hosts) == 3:
            return f"{','.join(hosts)} + {len(rules) - 3} more..."
        if rule.get("host"):
            hosts.append(rule["host"])
    return ",".join(hosts) or "*"


def _ingress(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    return [
        name_of(obj), spec.get("ingressClassName", NONE), _hosts(spec.get("rules") or []),
        addresses_text(obj.get("status") or {}), "80, 443" if spec.get("tls") else "80",
        age_of(obj, now),
    ]  # fmt: skip


def _ingress_class(obj: Object, now: dt.datetime) -> list[Any]:
    spec, shown = obj["spec"], NONE
    parameters = spec.get("parameters")
    if parameters:
        group = parameters.get("apiGroup")
        shown = parameters.get("kind", "") + ("" if group is None else f".{group}")
        shown += f"/{parameters.get('name', '')}"
    return [name_of(obj), spec.get("controller", ""), shown, age_of(obj, now)]


def _policy(obj: Object, now: dt.datetime) -> list[Any]:
    return [name_of(obj), selector_text(obj["spec"].get("podSelector")), age_of(obj, now)]


def _place(address: Object, port: Object | None) -> str:
    """Return where an endpoint is; an IPv6 address with a port stands in brackets."""
    host = str(address["ip"])
    if port is None:
        return host
    return f"[{host}]:{port['port']}" if ":" in host else f"{host}:{port['port']}"


def _endpoints(obj: Object, now: dt.datetime) -> list[Any]:
    subsets = obj.get("subsets") or []
    places = [
        _place(address, port)
        for subset in subsets
        for port in subset.get("ports") or [None]
        for address in subset.get("addresses") or []
    ]
    return [name_of(obj), shortened(places) if subsets else NONE, age_of(obj, now)]


def _port(port: Object) -> str:
    if port.get("port") is not None:
        return str(port["port"])
    name = port.get("name")
    return "*" if name is None else str(name)


def _slice(obj: Object, now: dt.datetime) -> list[Any]:
    ports = shortened([_port(item) for item in obj.get("ports") or []])
    places = [a for item in obj.get("endpoints") or [] for a in item.get("addresses") or []]
    return [
        name_of(obj), obj.get("addressType", ""), ports or UNSET, shortened(places) or UNSET,
        age_of(obj, now),
    ]  # fmt: skip


def _network(obj: Object, now: dt.datetime) -> list[Any]:
    return [name_of(obj), ",".join(obj["spec"].get("cidrs") or []), age_of(obj, now)]


def _address(obj: Object, now: dt.datetime) -> list[Any]:
    """Return an address's cells; there is one more than columns, upstream's age without title."""
    parent, shown = obj["spec"].get("parentRef"), NONE
    if parent:
        group = parent.get("group")
        shown = (parent.get("resource", "") + (f".{group}" if group else "")).lower()
        shown = "/".join([shown, *filter(None, [parent.get("namespace")]), parent.get("name", "")])
    return [name_of(obj), shown, age_of(obj, now)]


MAKERS: dict[str, Maker] = {
    "/endpoints": _endpoints,
    "/services": _service,
    "discovery.k8s.io/endpointslices": _slice,
    "networking.k8s.io/ingressclasses": _ingress_class,
    "networking.k8s.io/ingresses": _ingress,
    "networking.k8s.io/ipaddresses": _address,
    "networking.k8s.io/networkpolicies": _policy,
    "networking.k8s.io/servicecidrs": _network,
}
