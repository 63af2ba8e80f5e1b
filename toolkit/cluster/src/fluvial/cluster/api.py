"""In-process access to the control plane, for the parts that live inside it.

`Api` has the system's own identity (`system:masters`); everything else is the path that HTTP
requests take: admission, defaulting, validation, managedFields, watches. The stand-ins for the
cluster's controllers and the node are written against this class only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from fluvial.cluster.endpoints.reads import ListOptions
from fluvial.cluster.endpoints.target import SYSTEM, Target, User, WriteOptions
from fluvial.cluster.errors import StatusError, page_not_found
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.resources import Gvr, Resource

if TYPE_CHECKING:
    from fluvial.cluster.endpoints import Endpoints

__all__ = ["Api", "StatusError"]


class Api:
    """Reads, writes and watches for one component; `manager` is its field manager.

    `resource` is everywhere a `Gvr` or its text, such as `apps/v1/deployments` or `v1/pods`.
    Objects that come out are the caller's own: they may be changed freely. All calls raise
    `StatusError` with the code and reason that an HTTP client would get.
    """

    def __init__(
        self, endpoints: Endpoints, manager: str = "fluvial-cluster", user: User = SYSTEM
    ) -> None:
        self._endpoints = endpoints
        self._manager = manager
        self._user = user

    def as_manager(self, manager: str) -> Api:
        """Return the same access under another field manager."""
        return Api(self._endpoints, manager, self._user)

    def acting(self, user: User, manager: str) -> Api:
        """Return access as another user: admission is told of it; nothing is forbidden by it."""
        return Api(self._endpoints, manager, user)

    def serves(self, resource: str | Gvr) -> bool:
        """Tell whether the resource exists at this moment."""
        return self._endpoints.catalog.find(_gvr(resource)) is not None

    def resource_of(self, api_version: str, kind: str) -> Gvr | None:
        """Return the endpoint of a kind, or None when it is not served."""
        group, _, version = api_version.rpartition("/")
        found = self._endpoints.catalog.find_kind(group, version, kind)
        return found.gvr if found else None

    def resources(self) -> list[Resource]:
        """Return everything that is served, built-in and custom.

        The versions in which custom objects are stored come first: what needs any version of them
        takes one that no webhook has to make.
        """
        return sorted(self._endpoints.catalog, key=lambda resource: not resource.is_stored)

    async def get(self, resource: str | Gvr, namespace: str | None, name: str) -> Object:
        """Read one object; `namespace` is None for cluster-scoped ones."""
        target = self._target(resource, namespace, name)
        await self._endpoints.load(target)
        return self._endpoints.get(target)

    async def list(
        self,
        resource: str | Gvr,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> list[Object]:
        """Read all objects, of one namespace or of all."""
        target = self._target(resource, namespace, "")
        options = ListOptions(label_selector or "", field_selector or "")
        await self._endpoints.load_page(target, options)
        return self._endpoints.page(target, options).objects

    def watch(
        self,
        resource: str | Gvr,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[tuple[str, Object]]:
        """Yield `(type, object)`: what is there as ADDED, then live, without end.

        Types are ADDED, MODIFIED and DELETED. Raises `StatusError` 410 when the consumer fell
        behind the history that is kept, 404 when the resource is not (or no longer) served.
        """
        target = self._target(resource, namespace, "")
        return self._endpoints.follow(target, label_selector or "", field_selector or "")

    async def create(self, obj: Object, subresource: str = "") -> Object:
        """Create an object; kind and namespace are its own."""
        target, body = self._target_of(obj, subresource), self._endpoints.access.copy(obj)
        return await self._endpoints.create(target, body, self._options())

    async def update(self, obj: Object, subresource: str = "") -> Object:
        """Replace an object, or its `status`; 409 when `resourceVersion` is stale."""
        target, body = self._target_of(obj, subresource), self._endpoints.access.copy(obj)
        return await self._endpoints.update(target, body, self._options())

    async def update_status(self, obj: Object) -> Object:
        """Replace the status of an object through its status subresource."""
        return await self.update(obj, "status")

    async def patch_merge(
        self,
        resource: str | Gvr,
        namespace: str | None,
        name: str,
        patch: Object,
        subresource: str = "",
    ) -> Object:
        """Apply a JSON merge patch (RFC 7396)."""
        target = self._target(resource, namespace, name, subresource)
        return await self._endpoints.patch(target, patch, "merge", self._options())

    async def apply(self, obj: Object, *, force: bool = True, subresource: str = "") -> Object:
        """Apply an object server-side, taking over conflicting fields unless `force` is off."""
        target = self._target_of(obj, subresource)
        return await self._endpoints.patch(target, obj, "apply", self._options(force=force))

    async def delete(
        self,
        resource: str | Gvr,
        namespace: str | None,
        name: str,
        propagation: str | None = None,
        *,
        grace: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Object:
        """Delete an object; `propagation` is Orphan, Background or Foreground.

        Returns what the API answers: the object when it still terminates, else a Status or the
        object by its kind. `uid` and `resource_version` are preconditions (409 when they fail).
        """
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        body: dict[str, Any] = {
            "propagationPolicy": propagation,
            "gracePeriodSeconds": grace,
            "preconditions": {k: v for k, v in preconditions.items() if v} or None,
        }
        options = {key: value for key, value in body.items() if value is not None}
        target = self._target(resource, namespace, name)
        return await self._endpoints.delete(target, options, self._options())

    def _target(
        self, resource: str | Gvr, namespace: str | None, name: str, subresource: str = ""
    ) -> Target:
        found = self._endpoints.catalog.find(_gvr(resource))
        if found is None:
            raise page_not_found()
        return Target(found, (namespace or "") if found.namespaced else "", name, subresource)

    def _target_of(self, obj: Object, subresource: str) -> Target:
        gvr = self.resource_of(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
        if gvr is None:
            raise page_not_found()
        return self._target(gvr, namespace_of(obj), name_of(obj), subresource)

    def _options(self, *, force: bool = False) -> WriteOptions:
        return WriteOptions(
            manager=self._manager, force=force, validation="Strict", user=self._user
        )


def _gvr(resource: str | Gvr) -> Gvr:
    return resource if isinstance(resource, Gvr) else Gvr.parse(resource)
