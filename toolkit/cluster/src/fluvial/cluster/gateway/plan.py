"""From the cluster's objects to Envoy's program, and to what each status must say. Pure."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fluvial.cluster.gateway.attachment import Attachment, attach, names_gateway
from fluvial.cluster.gateway.backends import Backend, FindService, assignment, cluster, resolve
from fluvial.cluster.gateway.errors import UnresolvedError, UnsupportedError
from fluvial.cluster.gateway.files import Program
from fluvial.cluster.gateway.listeners import (
    Verdict,
    envoy_listener,
    judge,
    program_name,
    route_table,
)
from fluvial.cluster.gateway.routes import Compiled, Entry, compile_route
from fluvial.cluster.objects import Object, namespace_of
from fluvial.cluster.standins.metadata import uid_of

__all__ = ["Parent", "Plan", "Snapshot", "make_plan"]


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """What a plan is made from.

    - `gateways`: those of this controller's classes that have an address in `addresses` (by uid).
    - `slices`: the EndpointSlices of a Service, by namespace and name.
    - `labels`: the labels of a namespace.
    - `path`: the file of Envoy's resource of a kind and name.
    """

    gateways: Sequence[Object]
    addresses: Mapping[str, str]
    routes: Sequence[Object]
    service: FindService
    slices: Callable[[str, str], Sequence[Object]]
    labels: Callable[[str], Mapping[str, str]]
    path: Callable[[str, str], Path]


@dataclasses.dataclass(frozen=True, slots=True)
class Parent:
    """One parentRef of a route to one of the gateways, and what became of it."""

    ref: Object
    attachment: Attachment
    problems: tuple[UnresolvedError, ...]


@dataclasses.dataclass(slots=True)
class Plan:
    """`parents` is by uid of the route; `attached` counts routes by gateway uid and listener."""

    program: Program = dataclasses.field(default_factory=Program)
    parents: dict[str, list[Parent]] = dataclasses.field(default_factory=dict)
    attached: collections.Counter[tuple[str, str]] = dataclasses.field(
        default_factory=collections.Counter
    )
    verdicts: dict[str, dict[str, Verdict]] = dataclasses.field(default_factory=dict)


def make_plan(snapshot: Snapshot) -> Plan:
    """Decide everything at once: a plan holds no state of an earlier one."""
    plan = Plan()
    plan.verdicts = {uid_of(each): judge(each) for each in snapshot.gateways}
    hosts: dict[tuple[str, int], dict[str, list[Entry]]] = collections.defaultdict(
        lambda: collections.defaultdict(list)
    )
    backends: set[Backend] = set()
    for route in snapshot.routes:
        _place(route, snapshot, plan, hosts, backends)
    for gateway in snapshot.gateways:
        address = snapshot.addresses[uid_of(gateway)]
        for port in sorted({each["port"] for each in _usable(gateway, plan)}):
            name = program_name(gateway, port)
            file = str(snapshot.path("routes", name))
            plan.program.listeners.append(envoy_listener(name, address, port, file))
            plan.program.routes[name] = route_table(name, hosts[uid_of(gateway), port])
    for backend in sorted(backends):
        service = snapshot.service(backend.namespace, backend.service)
        assert service is not None, "a backend was resolved from it"
        file = str(snapshot.path("endpoints", backend.cluster))
        plan.program.clusters.append(cluster(backend, file))
        slices = snapshot.slices(backend.namespace, backend.service)
        plan.program.endpoints[backend.cluster] = assignment(backend, service, slices)
    return plan


def _usable(gateway: Object, plan: Plan) -> list[Object]:
    verdicts = plan.verdicts[uid_of(gateway)]
    return [each for each in gateway["spec"]["listeners"] if not verdicts[each["name"]].reason]


def _place(
    route: Object,
    snapshot: Snapshot,
    plan: Plan,
    hosts: Mapping[tuple[str, int], dict[str, list[Entry]]],
    backends: set[Backend],
) -> None:
    """Attach one route to the gateways that it names."""
    used: set[Backend] = set()

    def name_cluster(ref: Object) -> str:
        backend = resolve(ref, namespace_of(route), snapshot.service)
        used.add(backend)
        return backend.cluster

    refusal = ""
    try:
        compiled = compile_route(route, name_cluster)
    except UnsupportedError as error:
        compiled, refusal = Compiled((), ()), str(error)
    labels = snapshot.labels(namespace_of(route))
    parents = []
    # A listener takes a route once, however many parentRefs lead to it.
    taken: set[tuple[str, str]] = set()
    for ref in route["spec"].get("parentRefs") or []:
        for gateway in snapshot.gateways:
            if not names_gateway(ref, route, gateway):
                continue
            attachment = attach(ref, route, gateway, _usable(gateway, plan), labels)
            if refusal and attachment.hosts:
                attachment = Attachment({}, "UnsupportedValue", refusal)
            parents.append(Parent(ref, attachment, compiled.problems))
            for listener in gateway["spec"]["listeners"]:
                key = (uid_of(gateway), listener["name"])
                if key in taken or listener["name"] not in attachment.hosts:
                    continue
                taken.add(key)
                plan.attached[key] += 1
                backends |= used
                for host in attachment.hosts[listener["name"]]:
                    hosts[uid_of(gateway), listener["port"]][host] += compiled.entries
    if parents:
        plan.parents[uid_of(route)] = parents
