"""Which routes attach to which listeners of a Gateway, and for which host names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.metadata import matches

__all__ = ["GROUP", "Attachment", "attach", "common_hosts", "names_gateway"]

GROUP = "gateway.networking.k8s.io"


@dataclasses.dataclass(frozen=True, slots=True)
class Attachment:
    """The host names for which a route attaches, by listener name; or why it does not.

    `reason` and `message` are those of the route's condition Accepted.
    """

    hosts: Mapping[str, tuple[str, ...]]
    reason: str = "Accepted"
    message: str = "The route is accepted"


def names_gateway(ref: Object, route: Object, gateway: Object) -> bool:
    """Tell whether a parentRef of a route names a Gateway."""
    return (
        ref.get("group", GROUP) == GROUP
        and ref.get("kind", "Gateway") == "Gateway"
        and ref["name"] == name_of(gateway)
        and (ref.get("namespace") or namespace_of(route)) == namespace_of(gateway)
    )


def attach(
    ref: Object,
    route: Object,
    gateway: Object,
    usable: Sequence[Object],
    labels: Mapping[str, str],
) -> Attachment:
    """Decide one parentRef; `usable` are the listeners that can serve, `labels` the namespace's."""
    named = [
        each
        for each in usable
        if ref.get("sectionName", each["name"]) == each["name"]
        and ref.get("port", each["port"]) == each["port"]
    ]
    if not named:
        wanted = ref.get("sectionName") or ref.get("port") or "any listener"
        text = f"Gateway {name_of(gateway)} has no usable listener for this parentRef ({wanted})"
        return Attachment({}, "NoMatchingParent", text)
    allowed = [each for each in named if _allows(each, route, gateway, labels)]
    if not allowed:
        names = ", ".join(each["name"] for each in named)
        text = f"allowedRoutes of the listeners ({names}) admit no HTTPRoute of namespace "
        return Attachment({}, "NotAllowedByListeners", text + namespace_of(route))
    wanted_hosts = route["spec"].get("hostnames") or []
    hosts = {each["name"]: common_hosts(each.get("hostname"), wanted_hosts) for each in allowed}
    hosts = {name: found for name, found in hosts.items() if found}
    if not hosts:
        text = "no host name of the route is one of a listener's"
        return Attachment({}, "NoMatchingListenerHostname", text)
    return Attachment(hosts)


def _allows(listener: Object, route: Object, gateway: Object, labels: Mapping[str, str]) -> bool:
    allowed = listener.get("allowedRoutes") or {}
    kinds = allowed.get("kinds")
    if kinds and not any(
        (each.get("group", GROUP), each["kind"]) == (GROUP, "HTTPRoute") for each in kinds
    ):
        return False
    namespaces = allowed.get("namespaces") or {}
    origin = namespaces.get("from", "Same")
    if origin == "All":
        return True
    if origin == "Selector":
        return matches(namespaces.get("selector"), labels)
    return bool(origin == "Same" and namespace_of(route) == namespace_of(gateway))


def common_hosts(listener: str | None, route: Sequence[str]) -> tuple[str, ...]:
    """Return the host names that a listener and a route have in common, `*` for every one."""
    if not listener:
        return tuple(route) or ("*",)
    if not route:
        return (listener,)
    found = []
    for host in route:
        if host == listener or _covers(listener, host):
            found.append(host)
        elif _covers(host, listener):
            found.append(listener)
    return tuple(dict.fromkeys(found))


def _covers(wildcard: str, host: str) -> bool:
    return wildcard.startswith("*.") and host.endswith(wildcard[1:]) and host != wildcard
