"""What every verb needs: objects between the store's version and the served one, and lookups."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from fluvial.cluster.builtin import Strategy
from fluvial.cluster.builtin.conversion import convert
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import StatusError, generic, internal, not_found
from fluvial.cluster.objects import Object, rfc3339
from fluvial.cluster.resources import Gvr, Resource
from fluvial.cluster.storage import Entry, MemoryStore

if TYPE_CHECKING:
    from fluvial.cluster.endpoints import Endpoints
    from fluvial.cluster.endpoints.conversion.calls import Forms

__all__ = ["Access"]


class Access:
    """Store and catalog of one control plane, with the conversions between versions."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    @property
    def store(self) -> MemoryStore:
        """The objects."""
        return self.endpoints.store

    def now(self) -> str:
        """Return the present second as a `Time`."""
        return rfc3339(self.endpoints.clock())

    def strategy(self, resource: Resource) -> Strategy:
        """Return the rules of a kind."""
        return self.endpoints.strategies.of(resource)

    def storage_resource(self, resource: Resource) -> Resource:
        """Return the version of a resource in which its objects are stored."""
        if resource.custom is not None:
            return resource.custom.storage or resource
        wanted = {"autoscaling": "v2", "events.k8s.io": "v1"}.get(resource.group)
        if wanted is None:
            return resource
        group = "" if resource.group == "events.k8s.io" else resource.group
        return self.endpoints.catalog.find(Gvr(group, wanted, resource.plural)) or resource

    def to_storage(self, resource: Resource, obj: Object) -> Object:
        """Return the object in the version in which it is stored.

        Where a webhook converts, it is left in the version that it has: whoever writes to the store
        asks `forms` before.
        """
        stored = self.storage_resource(resource)
        if stored is resource or resource.converts:
            return obj
        result = convert(obj, stored.api_version)
        if stored.custom is not None:
            stored.custom.decode(result)
        return result

    async def load(self, resource: Resource, current: Callable[[], list[Entry]]) -> None:
        """Make sure that `view` can show the entries that are current now, and were not before.

        Raises the 500 of a failed conversion. When it returns nothing has come in since `current`
        was called for the last time.
        """
        while resource.converts and await self.endpoints.conversions.load(resource, current()):
            pass

    async def loaded(self, target: Target) -> Entry | None:
        """Return the stored object, converted afresh where a webhook does it."""
        entry = self.store.get(target.resource.prefix, target.key)
        while entry is not None and target.resource.converts:
            await self.endpoints.conversions.load(target.resource, [entry], fresh=True)
            now = self.store.get(target.resource.prefix, target.key)
            if now is entry:
                break  # else another write came in
            entry = now
        return entry

    async def forms(self, resource: Resource, obj: Object) -> Forms | None:
        """Return what a webhook makes of an object about to be written; None without one."""
        return await self.endpoints.conversions.forms(resource, obj) if resource.converts else None

    def put(self, target: Target, obj: Object, forms: Forms | None) -> Object:
        """Store an object, which is taken over and changed.

        Returns it as the target's version shows it, the caller's own.
        """
        resource = target.resource
        if forms is None:
            stored = self.to_storage(resource, obj)
            entry = self.store.put(resource.prefix, target.key, stored)
        else:
            entry = self.store.put(resource.prefix, target.key, forms.stored)
            self.endpoints.conversions.keep(resource, entry, forms.shown)
        return self.own(resource, entry)

    async def shown(self, resource: Resource, answer: Object) -> Object:
        """Return an object in another version of its kind as that of `resource` shows it.

        Anything else, such as a Status, is returned as it is.
        """
        if answer.get("kind") != resource.kind or not resource.converts:
            return answer
        obj = await self.endpoints.conversions.shown(resource, answer)
        assert resource.custom is not None
        resource.custom.decode(obj)
        return obj

    def as_stored(self, target: Target) -> Target:
        """Return the target in the version in which its object is, where a webhook converts."""
        custom = target.resource.custom
        if custom is None or custom.conversion is None:
            return target
        own = custom.versions.get(str(self.find(target).object.get("apiVersion")), target.resource)
        if own.api_version == target.resource.api_version:
            return target
        return Target(own, target.namespace, target.name, target.subresource)

    def view(self, resource: Resource, entry: Entry) -> Object:
        """Return a stored object as the resource's version shows it; shared, not to be changed.

        What a webhook converts must have been loaded before.
        """
        if resource.custom is None and entry.object.get("apiVersion") == resource.api_version:
            return entry.object
        key = ("object", resource)
        cached = entry.views.get(key)
        if cached is None:
            obj = self._in_version(resource, entry)
            if resource.custom is not None:
                resource.custom.decode(obj)
            cached = entry.views[key] = obj
        assert isinstance(cached, dict)
        return cached

    def _in_version(self, resource: Resource, entry: Entry) -> Object:
        """Return a stored object in a version, the caller's own."""
        obj = self.copy(entry.object)
        if resource.custom is not None and obj.get("apiVersion") not in resource.custom.versions:
            given = obj.get("apiVersion")
            raise generic(500, "", f"request to convert CR from an invalid group/version: {given}")
        if not resource.converts or obj.get("apiVersion") == resource.api_version:
            return convert(obj, resource.api_version)
        data = entry.converted.get(resource)
        if data is None:
            raise internal(f"{resource.qualified} in version {resource.version} was not converted")
        result: Object = msgspec.json.decode(data)
        return result

    def encoded(self, resource: Resource, entry: Entry) -> bytes:
        """Return the JSON of the view; made once per stored version."""
        if resource.custom is None and self.storage_resource(resource) is resource:
            return entry.data
        key = ("json", resource)
        cached = entry.views.get(key)
        if cached is None:
            cached = entry.views[key] = msgspec.json.encode(self.view(resource, entry))
        assert isinstance(cached, bytes)
        return cached

    def own(self, resource: Resource, entry: Entry) -> Object:
        """Return the view as an object of one's own."""
        result: Object = msgspec.json.decode(self.encoded(resource, entry))
        return result

    @staticmethod
    def copy(obj: Object) -> Object:
        """Return an object of one's own."""
        result: Object = msgspec.json.decode(msgspec.json.encode(obj))
        return result

    def find(self, target: Target) -> Entry:
        """Return the stored object; raises 404."""
        entry = self.store.get(target.resource.prefix, target.key)
        if entry is None:
            raise self.missing(target)
        return entry

    @staticmethod
    def missing(target: Target) -> StatusError:
        """Return the 404 for a target."""
        return not_found(target.resource.group, target.resource.plural, target.name)
