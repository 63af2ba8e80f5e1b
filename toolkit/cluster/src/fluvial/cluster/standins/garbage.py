"""The garbage collector: deletes what has lost its owners, in the background or foreground."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, metadata
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import uid_of
from fluvial.cluster.standins.ownership import FOREGROUND, ORPHAN, Graph, Item, judge
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["GarbageCollector"]

_DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions"
_UNKNOWN_KIND = 30.0
_RESTART = 1.0
"""Seconds until a resource is watched again that could not be, such as by a dead webhook."""

_IGNORED = {"v1/events", "events.k8s.io/v1/events"}


class GarbageCollector:
    """Watches every resource that can be deleted, also those that come and go with CRDs."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self._api = view.api
        self._graph = Graph()
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._rescan = asyncio.Event()
        self.controller = Controller("garbage", self._reconcile, timer)
        view.follow(_DEFINITIONS, self._definition_changed)

    def _definition_changed(self, _definition: Object) -> None:
        self._rescan.set()

    async def run(self) -> None:
        """Watch and collect until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.controller.run())
            while True:
                self._scan(group)
                await self._rescan.wait()
                self._rescan.clear()

    def _scan(self, group: asyncio.TaskGroup) -> None:
        """Start a watch for each new resource; those of gone ones end by themselves."""
        served: dict[str, str] = {}
        for resource in self._api.resources():
            if {"delete", "list", "watch"} <= set(resource.verbs):
                served.setdefault(resource.prefix, str(resource.gvr))
        for name in served.values():
            task = self._watches.get(name)
            if name not in _IGNORED and (task is None or task.done()):
                self._watches[name] = group.create_task(self._watch(name), name=f"gc {name}")

    async def _watch(self, resource: str) -> None:
        """Keep the graph up to date with one resource, until it is no longer served."""
        while True:
            try:
                listed = await self._api.list(resource)
                present = {uid_of(obj) for obj in listed}
                known = [item for item in self._graph.items.values() if item.resource == resource]
                for item in known:
                    if item.uid not in present:
                        self._gone(item.uid)
                async with contextlib.aclosing(self._api.watch(resource)) as events:
                    async for type_, obj in events:
                        if type_ == "DELETED":
                            self._gone(uid_of(obj))
                        else:
                            self._entered(Item.of(resource, obj))
                        await asyncio.sleep(0)
            except StatusError as error:
                if error.code == 404:
                    break
                if error.code != 410:
                    await asyncio.sleep(_RESTART)
        for item in [each for each in self._graph.items.values() if each.resource == resource]:
            self._gone(item.uid)

    def _entered(self, item: Item) -> None:
        self._graph.put(item)
        if item.owners or item.awaits_dependents or item.orphans_dependents:
            self.controller.add(("", item.uid))
        if item.awaits_dependents:
            for dependent in self._graph.dependents(item.uid):
                self.controller.add(("", dependent.uid))

    def _gone(self, uid: str) -> None:
        item = self._graph.items.get(uid)
        self._graph.drop(uid)
        for dependent in self._graph.dependents(uid):
            self.controller.add(("", dependent.uid))
        for owner in item.owners if item else ():
            if (found := self._graph.items.get(owner["uid"])) and found.awaits_dependents:
                self.controller.add(("", found.uid))

    async def _reconcile(self, key: Key) -> float | None:
        item = self._graph.items.get(key[1])
        if item is None:
            return None
        if item.orphans_dependents:
            await self._let_go(item)
            return None
        if item.awaits_dependents:
            if not any(each.blocks(item.uid) for each in self._graph.dependents(item.uid)):
                await self._remove_finalizer(item, FOREGROUND)
            return None
        absent = []
        for owner in item.owners:
            exists = await self._exists(owner, item.namespace)
            if exists is None:
                return _UNKNOWN_KIND
            if not exists:
                absent.append(owner["uid"])
        verdict = judge(item, absent, self._graph)
        if verdict.release:
            await self._release(item, verdict.release)
        if verdict.delete:
            await self._delete(item, verdict.delete)
        return None

    async def _exists(self, owner: Object, namespace: str) -> bool | None:
        """Tell whether an owner exists; None when its kind is not known (now)."""
        if owner["uid"] in self._graph.items:
            return True
        gvr = self._api.resource_of(owner["apiVersion"], owner["kind"])
        if gvr is None:
            return None
        namespaced = any(each.gvr == gvr and each.namespaced for each in self._api.resources())
        if namespaced and not namespace:
            return None
        try:
            found = await self._api.get(str(gvr), namespace if namespaced else None, owner["name"])
        except StatusError as error:
            if error.code == 404:
                return False
            raise
        return bool(uid_of(found) == owner["uid"])

    async def _delete(self, item: Item, policy: str) -> None:
        namespace = item.namespace or None
        try:
            await self._api.delete(item.resource, namespace, item.name, policy, uid=item.uid)
        except StatusError as error:
            if error.code not in {404, 409}:
                raise

    async def _let_go(self, item: Item) -> None:
        """Take an orphaning owner out of its dependents, then let it go."""
        for dependent in self._graph.dependents(item.uid):
            await self._release(dependent, (item.uid,))
        await self._remove_finalizer(item, ORPHAN)

    async def _release(self, item: Item, owners: Sequence[str]) -> None:
        live = await self._live(item)
        if live is None:
            return
        references = metadata(live).get("ownerReferences") or []
        kept = [ref for ref in references if ref["uid"] not in owners]
        await self._patch(item, live, {"ownerReferences": kept or None})

    async def _remove_finalizer(self, item: Item, finalizer: str) -> None:
        live = await self._live(item)
        if live is None:
            return
        finalizers = metadata(live).get("finalizers") or []
        if finalizer in finalizers:
            kept = [each for each in finalizers if each != finalizer]
            await self._patch(item, live, {"finalizers": kept or None})

    async def _live(self, item: Item) -> Object | None:
        try:
            found = await self._api.get(item.resource, item.namespace or None, item.name)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        return found if uid_of(found) == item.uid else None

    async def _patch(self, item: Item, live: Object, change: Object) -> None:
        """Patch metadata, only if the object is still as it was read."""
        version = metadata(live)["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version, **change}}
        namespace = item.namespace or None
        try:
            await self._api.patch_merge(item.resource, namespace, item.name, patch)
        except StatusError as error:
            if error.code != 404:
                raise
