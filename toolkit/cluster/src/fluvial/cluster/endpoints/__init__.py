"""The verbs of the API over the store, free of HTTP.

`Endpoints` is what both the HTTP server and the in-process `Api` call. Reading, writing, deleting
and watching live in a module each; the kinds' own rules are in `fluvial.cluster.builtin`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from fluvial.cluster.builtin import Strategies
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.calls import Caller
from fluvial.cluster.endpoints.admission.chain import Chain
from fluvial.cluster.endpoints.admission.services import Services
from fluvial.cluster.endpoints.conversion.calls import Conversions
from fluvial.cluster.endpoints.deletion import Deleter
from fluvial.cluster.endpoints.reads import ListOptions, Page, Reader
from fluvial.cluster.endpoints.subresources import Subresources
from fluvial.cluster.endpoints.target import Target, User, WriteOptions
from fluvial.cluster.endpoints.watching import Watcher, WatchOptions
from fluvial.cluster.endpoints.writes import Writer
from fluvial.cluster.objects import Clock, Object, system_clock
from fluvial.cluster.resources import Catalog
from fluvial.cluster.storage import MemoryStore

__all__ = ["Endpoints", "ListOptions", "Page", "Target", "User", "WatchOptions", "WriteOptions"]


class LogPath(Protocol):
    """Finds the file with a container's output, as the node does."""

    def __call__(
        self, namespace: str, name: str, container: str, *, previous: bool = False
    ) -> Path | None:
        """Return the file, or None when there is none."""


class Endpoints:
    """All verbs of all resources.

    `guard_roles` is set by the authorizer: it refuses roles and the like that give more than
    their author has.
    """

    def __init__(
        self,
        store: MemoryStore,
        catalog: Catalog,
        *,
        clock: Clock = system_clock,
        service_network: str = "10.0.0.0/16",
    ) -> None:
        self.store = store
        self.catalog = catalog
        self.clock = clock
        self.strategies = Strategies(service_network)
        self.guard_roles: Callable[[Object, Object | None, User], None] | None = None
        self.log_path: LogPath | None = None
        self.on_removed: Callable[[], None] | None = None
        access = Access(self)
        self.access = access
        caller = Caller(Services(access))
        self.admission = Chain(access, caller)
        self.conversions = Conversions(caller)
        self.reader = Reader(access)
        self.deleter = Deleter(access)
        self.writer = Writer(access, self.deleter)
        self.watcher = Watcher(access)
        self.subresources = Subresources(access, self.writer, self.deleter)

    async def load(self, target: Target) -> None:
        """Have an object converted, where a webhook does it, before `get` shows it."""
        if target.resource.converts:
            await self.access.loaded(target)

    async def load_page(self, target: Target, options: ListOptions) -> None:
        """Have objects converted, where a webhook does it, before `page` shows them."""
        if target.resource.converts:
            await self.reader.load(target, options)

    def get(self, target: Target) -> Object:
        """Read one object, or its `scale` or `status`."""
        if target.subresource not in ("", "status"):
            return self.subresources.get(target)
        return self.reader.get(target)

    def page(self, target: Target, options: ListOptions) -> Page:
        """Read a page of objects."""
        return self.reader.page(target, options)

    def follow(self, target: Target, labels: str, fields: str) -> AsyncIterator[tuple[str, Object]]:
        """Yield what is there as ADDED and then every change, without end."""
        return self.watcher.follow(target, labels, fields)

    async def create(self, target: Target, obj: Object, options: WriteOptions) -> Object:
        """Create an object, or use a subresource that is created (`token`, `eviction`)."""
        if target.subresource:
            return await self.subresources.create(target, obj, options)
        if target.resource.prefix == "/bindings":
            return await self.subresources.bind(target, obj, options)
        return await self.writer.create(target, obj, options)

    async def update(self, target: Target, obj: Object, options: WriteOptions) -> Object:
        """Replace an object or a subresource of it."""
        if target.subresource not in ("", "status"):
            return await self.subresources.update(target, obj, options)
        return await self.writer.update(target, obj, options)

    async def patch(
        self, target: Target, patch: object, form: str, options: WriteOptions
    ) -> Object:
        """Patch an object; `form` is one of json, merge, strategic, apply."""
        if target.subresource not in ("", "status"):
            return await self.subresources.patch(target, patch, form, options)
        return await self.writer.patch(target, patch, form, options)

    async def delete(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Delete an object; `body` is a `DeleteOptions`."""
        return await self.deleter.delete(target, body, options)

    async def delete_collection(
        self, target: Target, body: Object, listed: ListOptions, options: WriteOptions
    ) -> Page:
        """Delete every object that matches; returns them as they were."""
        await self.load_page(target, listed)
        page = self.reader.page(target, listed)
        for obj in page.objects:
            meta = obj["metadata"]
            one = Target(target.resource, meta.get("namespace", ""), meta["name"])
            await self.deleter.delete(one, dict(body), options, missing_ok=True, named=False)
        return page
