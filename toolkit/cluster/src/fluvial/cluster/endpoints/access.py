"""What every verb needs: objects between the store's version and the served one, and lookups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from fluvial.cluster.builtin import Strategy
from fluvial.cluster.builtin.conversion import convert
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import StatusError, not_found
from fluvial.cluster.objects import Object, rfc3339
from fluvial.cluster.resources import Gvr, Resource
from fluvial.cluster.storage import Entry, MemoryStore

if TYPE_CHECKING:
    from fluvial.cluster.endpoints import Endpoints

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
        """Return the object in the version in which it is stored."""
        stored = self.storage_resource(resource)
        if stored is resource:
            return obj
        result = convert(obj, stored.api_version)
        if stored.custom is not None:
            stored.custom.decode(result)
        return result

    def view(self, resource: Resource, entry: Entry) -> Object:
        """Return a stored object as the resource's version shows it; shared, not to be changed."""
        if resource.custom is None and entry.object.get("apiVersion") == resource.api_version:
            return entry.object
        key = ("object", resource)
        cached = entry.views.get(key)
        if cached is None:
            obj = convert(self.copy(entry.object), resource.api_version)
            if resource.custom is not None:
                resource.custom.decode(obj)
            cached = entry.views[key] = obj
        assert isinstance(cached, dict)
        return cached

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
