"""A local, indexed copy of the objects that the stand-ins watch, and the writes they make.

Reads cost no request. A write's answer enters the copy at once, so a controller sees what it has
just created and needs no bookkeeping of expectations. Objects in the copy are shared: read them,
never change them.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from fluvial.cluster.endpoints.target import User
from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, metadata, name_of, namespace_of
from fluvial.cluster.resources import Gvr
from fluvial.cluster.standins.metadata import (
    controller_of,
    is_deleting,
    labels_of,
    owner_reference,
    uid_of,
)

__all__ = ["ApiAccess", "Handler", "View"]

Handler = Callable[[Object], None]
"""Called with every object that came, changed or went; in the last case with its last state."""

_REMEMBERED = 4096
_RESTART = 0.2


class ApiAccess(Protocol):
    """What the stand-ins need of `fluvial.cluster.api.Api`."""

    async def get(self, resource: str, namespace: str | None, name: str) -> Object:
        """Read one object."""

    async def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        """Read all objects of a resource."""

    def watch(self, resource: str) -> Any:
        """Yield `(type, object)`: what is there as ADDED, then live."""

    async def create(self, obj: Object, subresource: str = "") -> Object:
        """Create an object."""

    async def patch_merge(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        patch: Object,
        subresource: str = "",
    ) -> Object:
        """Apply a JSON merge patch."""

    async def update(self, obj: Object, subresource: str = "") -> Object:
        """Replace an object."""

    async def delete(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        propagation: str | None = None,
        *,
        grace: int | None = None,
        uid: str | None = None,
    ) -> Object:
        """Delete an object."""

    def resource_of(self, api_version: str, kind: str) -> Gvr | None:
        """Return the endpoint of a kind."""

    def resources(self) -> Iterable[Any]:
        """Return everything that is served."""

    def acting(self, user: User, manager: str) -> ApiAccess:
        """Return the same access as another user."""


class _Copy:
    """The objects of one resource, with indexes by owner, namespace and label."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.by_namespace: dict[str, dict[str, Object]] = {}
        self.by_owner: dict[str, set[tuple[str, str]]] = {}
        self.by_label: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
        self.uncontrolled: dict[str, set[tuple[str, str]]] = {}
        self.gone: collections.OrderedDict[str, None] = collections.OrderedDict()
        self.handlers: list[Handler] = []
        self.loaded = asyncio.Event()

    def put(self, obj: Object) -> bool:
        """Enter an object; False when the copy already has it or a later state.

        Kept without its managedFields, which nobody here reads and which may be half of it.
        """
        key = (namespace_of(obj), name_of(obj))
        if uid_of(obj) in self.gone:
            return False
        old = self.objects.get(key)
        if old is not None:
            if uid_of(old) == uid_of(obj) and _version(old) >= _version(obj):
                return False
            self._unindex(key, old)
        if "managedFields" in metadata(obj):
            obj = {**obj, "metadata": {**obj["metadata"]}}
            del obj["metadata"]["managedFields"]
        self.objects[key] = obj
        self.by_namespace.setdefault(key[0], {})[key[1]] = obj
        for index, entry in self._entries(key, obj):
            index.setdefault(entry, set()).add(key)
        return True

    def drop(self, obj: Object) -> None:
        """Forget an object, and refuse late news of it."""
        key = (namespace_of(obj), name_of(obj))
        self.gone[uid_of(obj)] = None
        if len(self.gone) > _REMEMBERED:
            self.gone.popitem(last=False)
        old = self.objects.get(key)
        if old is not None and uid_of(old) == uid_of(obj):
            self._unindex(key, old)
            del self.objects[key]
            del self.by_namespace[key[0]][key[1]]

    def _entries(self, key: tuple[str, str], obj: Object) -> list[tuple[dict[Any, Any], Any]]:
        """Return the places in the indexes where an object belongs."""
        places: list[tuple[dict[Any, Any], Any]] = [
            (self.by_label, (key[0], name, value)) for name, value in labels_of(obj).items()
        ]
        references = metadata(obj).get("ownerReferences") or []
        places += [(self.by_owner, reference["uid"]) for reference in references]
        if controller_of(obj) is None:
            places.append((self.uncontrolled, key[0]))
        return places

    def _unindex(self, key: tuple[str, str], obj: Object) -> None:
        for index, entry in self._entries(key, obj):
            keys = index.get(entry, set())
            keys.discard(key)
            if not keys:
                index.pop(entry, None)


class View:
    """Reads from the copy, writes through to the API."""

    def __init__(self, api: ApiAccess, copies: dict[str, _Copy] | None = None) -> None:
        self.api = api
        self._copies: dict[str, _Copy] = {} if copies is None else copies

    def acting(self, user: User, manager: str) -> View:
        """Return a view of the same objects whose writes another user makes."""
        return View(self.api.acting(user, manager), self._copies)

    def follow(self, resource: str, handler: Handler | None = None) -> None:
        """Keep a copy of a resource; `handler` hears of every change. Call before `run`."""
        copy = self._copies.setdefault(resource, _Copy())
        if handler is not None:
            copy.handlers.append(handler)

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Start one watch per resource in `group`; return when every copy is complete."""
        for resource in self._copies:
            group.create_task(self._watch(resource), name=f"watch {resource}")
        for copy in self._copies.values():
            await copy.loaded.wait()

    async def _watch(self, resource: str) -> None:
        """Follow a resource for ever; list again when the watch fell behind."""
        copy = self._copies[resource]
        while True:
            try:
                # No suspension lies between the list and the watch's registration, so nothing
                # can be missed in between.
                listed = await self.api.list(resource)
                present = {uid_of(obj) for obj in listed}
                for old in [obj for obj in copy.objects.values() if uid_of(obj) not in present]:
                    self._enter(copy, "DELETED", old)
                for obj in listed:
                    self._enter(copy, "ADDED", obj)
                copy.loaded.set()
                async with contextlib.aclosing(self.api.watch(resource)) as events:
                    async for type_, obj in events:
                        self._enter(copy, type_, obj)
                        # A long backlog comes without a suspension: others get their turn.
                        await asyncio.sleep(0)
            except StatusError as error:
                if error.code != 410:
                    # Not served (yet): an optional API. The others must not wait for it.
                    copy.loaded.set()
                    await asyncio.sleep(_RESTART)

    def _enter(self, copy: _Copy, type_: str, obj: Object) -> None:
        if type_ == "DELETED":
            copy.drop(obj)
        elif not copy.put(obj):
            known = copy.objects.get((namespace_of(obj), name_of(obj)))
            # Our own write came back. Others may still need to hear of it.
            if known is None or _version(known) != _version(obj):
                return
        for handler in copy.handlers:
            handler(obj)

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """Return one object, None when there is none."""
        return self._copies[resource].objects.get((namespace, name))

    def all(self, resource: str, namespace: str | None = None) -> list[Object]:
        """Return the objects of one namespace, or of every one."""
        copy = self._copies[resource]
        if namespace is None:
            return list(copy.objects.values())
        return list(copy.by_namespace.get(namespace, {}).values())

    def labelled(self, resource: str, namespace: str, labels: Mapping[str, str]) -> list[Object]:
        """Return the objects of a namespace that have all these labels (at least one)."""
        copy = self._copies[resource]
        sets = [copy.by_label.get((namespace, *pair), set()) for pair in labels.items()]
        return [copy.objects[key] for key in sorted(set.intersection(*sets))]

    def owned(self, resource: str, owner: Object) -> list[Object]:
        """Return the objects that `owner` controls, oldest first by name."""
        copy = self._copies[resource]
        keys = sorted(copy.by_owner.get(uid_of(owner), ()))
        found = [copy.objects[key] for key in keys]
        return [obj for obj in found if (controller_of(obj) or {}).get("uid") == uid_of(owner)]

    async def create(self, resource: str, obj: Object) -> Object:
        """Create an object and enter it. Raises `StatusError`."""
        made = await self.api.create(obj)
        self._note(resource, made)
        return made

    async def patch(
        self, resource: str, obj: Object, patch: Object, subresource: str = ""
    ) -> Object:
        """Merge `patch` into an object and enter the result. Raises `StatusError`."""
        namespace = namespace_of(obj) or None
        made = await self.api.patch_merge(resource, namespace, name_of(obj), patch, subresource)
        self._note(resource, made)
        return made

    async def set_status(self, resource: str, obj: Object, status: Object) -> Object:
        """Write the members of `status` that differ; None removes one. No change, no request."""
        old = obj.get("status") or {}
        changed = {key: value for key, value in status.items() if old.get(key) != value}
        if not changed:
            return obj
        return await self.patch(resource, obj, {"status": _exact(changed, old)}, "status")

    async def delete(
        self,
        resource: str,
        obj: Object,
        propagation: str | None = None,
        *,
        grace: int | None = None,
    ) -> None:
        """Delete exactly this object; one that is gone already is fine."""
        try:
            await self.api.delete(
                resource,
                namespace_of(obj) or None,
                name_of(obj),
                propagation,
                grace=grace,
                uid=uid_of(obj),
            )
        except StatusError as error:
            if error.code not in {404, 409}:
                raise

    async def claim(
        self,
        resource: str,
        owner: Object,
        selects: Callable[[Object], bool],
    ) -> list[Object]:
        """Return the objects that `owner` controls, after taking in and letting go.

        Objects that are selected and have no controller are adopted; owned ones that are no
        longer selected are released, as the controllers of upstream do.
        """
        kept = []
        for obj in self.owned(resource, owner):
            if selects(obj):
                kept.append(obj)
                continue
            references = metadata(obj).get("ownerReferences") or []
            others = [ref for ref in references if ref["uid"] != uid_of(owner)]
            await self.patch(resource, obj, {"metadata": {"ownerReferences": others or None}})
        copy = self._copies[resource]
        for key in sorted(copy.uncontrolled.get(namespace_of(owner), ())):
            obj = copy.objects[key]
            if is_deleting(obj) or not selects(obj):
                continue
            references = [*(metadata(obj).get("ownerReferences") or []), owner_reference(owner)]
            patch = {"metadata": {"uid": uid_of(obj), "ownerReferences": references}}
            kept.append(await self.patch(resource, obj, patch))
        return kept

    def _note(self, resource: str, obj: Object) -> None:
        """Enter what a write returned, if the resource is followed."""
        copy = self._copies.get(resource)
        if copy is not None:
            copy.put(obj)


def _exact(new: Object, old: Object) -> Object:
    """Return the merge patch that makes each member of `new` exactly that, nested maps too."""
    patch: Object = {}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            removed = dict.fromkeys(before.keys() - value.keys())
            patch[key] = {**_exact(value, before), **removed}
        else:
            patch[key] = value
    return patch


def _version(obj: Object) -> int:
    return int(metadata(obj).get("resourceVersion") or 0)
