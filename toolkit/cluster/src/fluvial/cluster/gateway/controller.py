"""The stand-in for a gateway controller: follows the objects, programs Envoy, writes statuses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from fluvial.cluster.gateway.envoy import Envoy
from fluvial.cluster.gateway.listeners import program_name
from fluvial.cluster.gateway.plan import Plan, Snapshot, make_plan
from fluvial.cluster.gateway.status import (
    CONTROLLER,
    Serving,
    class_status,
    gateway_status,
    route_status,
)
from fluvial.cluster.node.addresses import AddressError
from fluvial.cluster.node.runner import NodeServices
from fluvial.cluster.objects import Object, name_of
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting, labels_of, uid_of
from fluvial.cluster.standins.resources import ENDPOINT_SLICES, NAMESPACES, SERVICES
from fluvial.cluster.standins.view import View

__all__ = ["CLASSES", "GATEWAYS", "ROUTES", "Gateways"]

CLASSES = "gateway.networking.k8s.io/v1/gatewayclasses"
GATEWAYS = "gateway.networking.k8s.io/v1/gateways"
ROUTES = "gateway.networking.k8s.io/v1/httproutes"

_LOG = logging.getLogger(__name__)
_ALL: Key = ("", "all")
_PATIENCE = 2.0
_IMPATIENCE = 0.05
_AGAIN = 1.0
_SERVICE_NAME = "kubernetes.io/service-name"


class Gateways:
    """Serves every Gateway of this controller's classes with one Envoy.

    `admin` is the address of Envoy's admin interface, with its metrics; empty while it does not
    run. `changed` is called when it changes.
    """

    def __init__(
        self,
        view: View,
        node: NodeServices,
        changed: Callable[[], None],
    ) -> None:
        self._view = view
        self._timer = node.timer
        self._pool = node.addresses
        self._addresses: dict[str, str] = {}
        # What Envoy refused the last time: everything else must not wait for it.
        self._refused: set[str] = set()
        self._envoy = Envoy(node.directory / "gateway", node.processes)
        self._changed = changed
        self._tasks: asyncio.TaskGroup | None = None
        self.controller = Controller("gateway", self._reconcile, node.timer)
        for resource in (CLASSES, GATEWAYS, ROUTES, SERVICES, ENDPOINT_SLICES, NAMESPACES):
            view.follow(resource, self._news)

    @property
    def admin(self) -> str:
        """`HOST:PORT` of Envoy's admin interface."""
        return self._envoy.admin

    async def run(self) -> None:
        """Run Envoy and follow the objects until cancelled. Raises `EnvoyError` without Envoy."""
        await self._envoy.prepare()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._envoy.run(self._envoy_changed), name="envoy")
            group.create_task(self.controller.run(), name="gateways")

    def _news(self, _: Object) -> None:
        # One plan for everything: it takes a millisecond, and nothing can be forgotten.
        self.controller.add(_ALL)

    def _envoy_changed(self) -> None:
        self.controller.add(_ALL)
        self._changed()

    def _served(self) -> list[Object]:
        """Return the Gateways of this controller's classes."""
        classes = {
            name_of(each)
            for each in self._view.all(CLASSES)
            if each["spec"]["controllerName"] == CONTROLLER
            and not each["spec"].get("parametersRef")
        }
        return [
            each
            for each in self._view.all(GATEWAYS)
            if each["spec"]["gatewayClassName"] in classes and not is_deleting(each)
        ]

    def _take_addresses(self, gateways: list[Object]) -> None:
        wanted = {uid_of(each) for each in gateways}
        for uid in self._addresses.keys() - wanted:
            self._pool.give_back(self._addresses.pop(uid))
        for uid in wanted - self._addresses.keys():
            try:
                self._addresses[uid] = self._pool.take(claim=True)
            except AddressError as error:
                _LOG.warning("no address for a Gateway: %s", error)

    async def _reconcile(self, _: Key) -> float | None:
        served = self._served()
        for each in self._view.all(CLASSES):
            if each["spec"]["controllerName"] == CONTROLLER:
                await self._view.set_status(CLASSES, each, class_status(each, self._timer.now()))
        refusals = {uid_of(each): _refusal(each) for each in served}
        self._take_addresses([each for each in served if refusals[uid_of(each)] is None])
        usable = [each for each in served if uid_of(each) in self._addresses]
        snapshot = self._snapshot(usable)
        plan = make_plan(snapshot)
        versions = await asyncio.to_thread(self._envoy.files.write, plan.program)
        refused = await self._refusals(versions)
        await self._write_routes(snapshot.routes, plan)
        waiting = False
        for gateway in served:
            uid = uid_of(gateway)
            serving = await self._serving(gateway, plan, refused, refusals[uid])
            waiting = waiting or bool(serving.problems)
            attached = {name: n for (owner, name), n in plan.attached.items() if owner == uid}
            verdicts = plan.verdicts.get(uid, {})
            now = self._timer.now()
            status = gateway_status(gateway, verdicts, attached, serving, now)
            await self._view.set_status(GATEWAYS, gateway, status)
        return _AGAIN if waiting else None

    async def _refusals(self, versions: dict[str, str]) -> set[str]:
        """Return which files Envoy has not taken over."""
        known = {name: version for name, version in versions.items() if name in self._refused}
        fresh = {name: version for name, version in versions.items() if name not in known}
        refused = await self._envoy.refused(fresh, _PATIENCE)
        if known:
            refused |= await self._envoy.refused(known, _IMPATIENCE)
        self._refused = refused
        return refused

    def _snapshot(self, gateways: list[Object]) -> Snapshot:
        view = self._view

        def slices(namespace: str, name: str) -> list[Object]:
            return view.labelled(ENDPOINT_SLICES, namespace, {_SERVICE_NAME: name})

        return Snapshot(
            gateways=gateways,
            addresses=self._addresses,
            routes=[each for each in view.all(ROUTES) if not is_deleting(each)],
            service=lambda namespace, name: view.get(SERVICES, namespace, name),
            slices=slices,
            labels=lambda name: labels_of(view.get(NAMESPACES, "", name) or {}),
            path=self._envoy.files.path,
        )

    async def _serving(
        self, gateway: Object, plan: Plan, refused: set[str], refusal: tuple[str, str] | None
    ) -> Serving:
        """Find out whether a Gateway's listeners do what they should."""
        address = self._addresses.get(uid_of(gateway), "")
        problems = {}
        verdicts = plan.verdicts.get(uid_of(gateway), {})
        ports = {
            each["port"]
            for each in gateway["spec"]["listeners"]
            if each["name"] in verdicts and not verdicts[each["name"]].reason
        }
        for port in sorted(ports):
            name = program_name(gateway, port)
            if not self.admin:
                problems[port] = "Envoy is not running (yet)"
            elif f"http.{name}.rds.{name}" in refused or "cluster_manager.cds" in refused:
                problems[port] = f"port {port}: Envoy does not take it (is the port free?)"
            elif not await self._envoy.listens(address, port, _PATIENCE):
                problems[port] = f"port {port} of {address} cannot be bound"
        return Serving(address, problems, refusal)

    async def _write_routes(self, routes: Iterable[Object], plan: Plan) -> None:
        """Write the statuses of routes as they were planned: they may have changed since."""
        for route in routes:
            parents = plan.parents.get(uid_of(route), [])
            if parents or (route.get("status") or {}).get("parents"):
                status = route_status(route, parents, self._timer.now())
                await self._view.set_status(ROUTES, route, status)


def _refusal(gateway: Object) -> tuple[str, str] | None:
    """Return why a whole Gateway cannot be served, as reason and message."""
    if gateway["spec"].get("addresses"):
        return "UnsupportedAddress", "spec.addresses: addresses are chosen here, remove the field"
    if gateway["spec"].get("infrastructure"):
        return "InvalidParameters", "spec.infrastructure is not supported"
    return None
