"""A Gateway's listeners: which can serve, why others cannot, and Envoy's form of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from fluvial.cluster.gateway.routes import Entry
from fluvial.cluster.objects import Object, name_of, namespace_of

__all__ = ["Verdict", "envoy_listener", "judge", "program_name", "route_table"]


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """Why a listener cannot serve: a reason of its conditions; empty when it can."""

    reason: str = ""
    message: str = ""


def judge(gateway: Object) -> dict[str, Verdict]:
    """Return a verdict on each listener, by name."""
    listeners: list[Object] = gateway["spec"]["listeners"]
    found = {}
    for each in listeners:
        same = [
            other["name"]
            for other in listeners
            if (other["port"], other.get("hostname")) == (each["port"], each.get("hostname"))
        ]
        if each["protocol"] != "HTTP" or each.get("tls"):
            text = f"protocol {each['protocol']}: only HTTP without tls is served"
            found[each["name"]] = Verdict("UnsupportedProtocol", text)
        elif len(same) > 1:
            text = f"listeners {', '.join(same)} have the same port and host name"
            found[each["name"]] = Verdict("HostnameConflict", text)
        else:
            found[each["name"]] = Verdict()
    return found


def program_name(gateway: Object, port: int) -> str:
    """Return the name of Envoy's listener, and of its routes, for a port of a Gateway."""
    return f"{namespace_of(gateway)}_{name_of(gateway)}_{port}".replace(".", "-")


def envoy_listener(name: str, address: str, port: int, routes: str) -> Object:
    """Return Envoy's listener; `routes` is the file with its routes."""
    source = {"path_config_source": {"path": routes}, "resource_api_version": "V3"}
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
        },
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
        "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "use_remote_address": True,
        "normalize_path": True,
        # Envoy holds a connection for a second after an answer of its own, for slow networks.
        "delayed_close_timeout": "0.010s",
        "rds": {"route_config_name": name, "config_source": source},
        "http_filters": [router],
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "name": name,
        "address": {"socket_address": {"address": address, "port_value": port}},
        # A second process at the same place must fail, not share the traffic.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [network]}],
    }


def route_table(name: str, hosts: Mapping[str, Sequence[Entry]]) -> Object:
    """Return Envoy's RouteConfiguration: the entries of each host name, in order."""
    virtual_hosts = [
        {
            "name": host,
            "domains": [host],
            "routes": [
                route
                for entry in sorted(entries, key=lambda each: each.order)
                for route in entry.routes
            ],
        }
        for host, entries in sorted(hosts.items())
    ]
    return {
        "name": name,
        "virtual_hosts": virtual_hosts,
        "ignore_port_in_host_matching": True,
    }
