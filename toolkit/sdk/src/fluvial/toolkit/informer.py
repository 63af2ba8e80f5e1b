"""A local, always current picture of a collection of objects, kept by list and watch."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.client import (
    Client,
    ClientError,
    Gone,
    Invalid,
    NotFound,
    Resource,
    TransportError,
    UnknownKind,
    WatchEvent,
)
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.logs import logger
from fluvial.toolkit.store import Key, Store, key_of, supersedes

__all__ = ["Change", "Handler", "Informer", "Picture", "Selection", "Transform", "trim"]

Transform: TypeAlias = Callable[[Unstructured], Unstructured]
"""Reduces an object to what is worth keeping; may change its argument."""

_BACKOFF, _BACKOFF_CAP = 0.8, 30.0
_INITIAL_END = "k8s.io/initial-events-end"


class Change(NamedTuple):
    """What happened to one object: `old` is None when added, `new` is None when deleted."""

    type: Literal["added", "updated", "deleted"]
    """What happened, in a word."""
    old: Unstructured | None
    new: Unstructured | None

    @property
    def object(self) -> Unstructured:
        """The newest state that is known."""
        found = self.new if self.new is not None else self.old
        assert found is not None
        return found

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return key_of(self.object)


Handler: TypeAlias = Callable[[Change], None]
"""Told of each change, in order, on the event loop; must be quick."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What an informer follows: equal selections share one watch."""

    resource: Resource
    """The endpoint."""
    namespace: str | None = None
    """One namespace; None for all."""
    label_selector: str = ""
    """Only objects with these labels; empty for all."""
    field_selector: str = ""
    """Only objects with these fields; empty for all."""
    metadata_only: bool = False
    """Objects have their metadata only."""


def trim(obj: Unstructured) -> Unstructured:
    """Drop `managedFields` and kubectl's copy of the object: often most of an object's size."""
    metadata = obj.get("metadata") or {}
    metadata.pop("managedFields", None)
    annotations = metadata.get("annotations")
    if annotations:
        annotations.pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return obj


class Picture(Protocol):
    """Where an informer keeps what it knows: a `Store`, or one that keeps less of each object.

    `get` returns at least name, namespace, uid and resourceVersion.
    """

    def get(self, namespace: str, name: str) -> Unstructured | None:
        """Return an object, or None."""

    def keys(self) -> list[Key]:
        """Return the keys of all objects."""

    def put(self, obj: Unstructured) -> None:
        """Add or replace an object."""

    def remove(self, key: Key) -> Unstructured | None:
        """Remove an object and return it."""


class Informer:
    """Lists, then watches, and never loses a deletion.

    `synced` is set once the first list is in, or it is known that the kind has no definition.
    `run` goes on until it is cancelled, through closed streams, expired versions (410: a new list
    is compared with the store, so that deletions in the gap are reported), connections that break
    or are silent for `idle` seconds, missing rights and missing definitions.
    Handlers are plain functions, called in order on the event loop, and must be quick.
    """

    def __init__(
        self,
        client: Client,
        selection: Selection,
        clock: Clock,
        *,
        transform: Transform = trim,
        streaming: bool = True,
        idle: float = 90.0,
        picture: Picture | None = None,
    ) -> None:
        self.selection = selection
        """What it follows."""
        self._picture = Store() if picture is None else picture
        self.synced = asyncio.Event()
        self.last_seen = -1.0
        """Monotonic time of the last sign of life: an event, a bookmark or a list."""
        self._client = client
        self._clock = clock
        self._transform = transform
        self._streaming = streaming
        self._idle = idle
        self._handlers: list[Handler] = []
        self._version: str | None = None
        self._log = logger("informer", resource=str(selection.resource))

    @property
    def store(self) -> Store:
        """The objects, with indexes; TypeError where another picture was given."""
        if not isinstance(self._picture, Store):
            raise TypeError(f"{self.selection.resource} are not kept in a Store")
        return self._picture

    def add_handler(self, handler: Handler) -> None:
        """Call `handler` for every change from now on, first for what is already there."""
        self._handlers.append(handler)
        known = self._picture.keys()
        for key in known:
            handler(Change("added", None, self._picture.get(*key)))

    def remove_handler(self, handler: Handler) -> None:
        """Stop calling a handler."""
        self._handlers.remove(handler)

    def alive(self, within: float = 90.0) -> bool:
        """Whether the picture is complete and a sign of life came within so many seconds."""
        return self.synced.is_set() and self._clock.monotonic() - self.last_seen <= within

    async def run(self) -> None:
        """Follow the collection until cancelled."""
        failures = 0
        while True:
            try:
                if self._version is None:
                    await self._fill()
                failures = 0
                await self._follow()
            except Gone:
                self._log.debug("the version is too old: listing again")
                self._version = None
            except ClientError as error:
                await self._missing(error)
                failures += 1
                level = self._log.error if failures == 3 else self._log.debug
                level("list or watch failed", error=str(error))
            # Also after an orderly end: a server that closes at once must not be hammered.
            delay = min(_BACKOFF * 2 ** max(failures - 1, 0), _BACKOFF_CAP)
            await self._clock.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311

    async def _missing(self, error: ClientError) -> None:
        """Forget all objects when their definition is gone, and only then."""
        if not isinstance(error, NotFound):
            return
        resource = self.selection.resource
        try:
            await self._client.mapper.refresh()
            await self._client.mapper.resource(resource.group, resource.kind, resource.version)
        except UnknownKind:
            # Without a definition there are no objects; nobody shall wait for them.
            self._version = None
            self._replace(())
            self.synced.set()
        except ClientError as trouble:
            self._log.debug("discovery failed", error=str(trouble))

    async def _fill(self) -> None:
        if self._streaming:
            try:
                await self._stream_list()
            except Invalid:
                self._streaming = False  # the server does not offer it
            else:
                return
        selection = self.selection
        found = await self._client.list(
            selection.resource,
            selection.namespace,
            label_selector=selection.label_selector,
            field_selector=selection.field_selector,
            metadata_only=selection.metadata_only,
        )
        self._replace(found.items)
        self._version = found.resource_version
        self._signal()

    async def _stream_list(self) -> None:
        """List by a watch that sends the present state first; Invalid when not offered."""
        collected: dict[Key, Unstructured] = {}
        async with aclosing(self._open(None, initial=True)) as events:
            async for event in events:
                if event.type == "BOOKMARK":
                    metadata = event.object.get("metadata") or {}
                    if (metadata.get("annotations") or {}).get(_INITIAL_END) != "true":
                        break  # a server that ignores the parameter
                    self._replace(collected.values())
                    self._version = metadata["resourceVersion"]
                    self._signal()
                    return
                if event.type == "DELETED":
                    collected.pop(key_of(event.object), None)
                else:
                    collected[key_of(event.object)] = event.object
        raise Invalid("the server streams no lists", code=400)

    async def _follow(self) -> None:
        async with aclosing(self._open(self._version)) as events:
            async for event in events:
                self._apply(event)
                self._signal()

    def _open(
        self, version: str | None, *, initial: bool = False
    ) -> AsyncGenerator[WatchEvent, None]:
        selection = self.selection
        return self._client.watch(
            selection.resource,
            selection.namespace,
            resource_version=version,
            label_selector=selection.label_selector,
            field_selector=selection.field_selector,
            metadata_only=selection.metadata_only,
            initial_events=initial,
            idle=self._idle,
        )

    def _signal(self) -> None:
        self.last_seen = self._clock.monotonic()
        self.synced.set()

    def _apply(self, event: WatchEvent) -> None:
        obj = event.object
        version = (obj.get("metadata") or {}).get("resourceVersion")
        if not version:
            raise TransportError(f"a {event.type} event has no resourceVersion")
        late = self._is_past(version)
        if not late:
            self._version = version
        if event.type == "BOOKMARK":
            return
        old = self._picture.get(*key_of(obj))
        if event.type == "DELETED":
            # A late echo about an earlier life of the name is no deletion of this one.
            if old is not None and not supersedes(old, obj):
                self._picture.remove(key_of(obj))
                self._notify(Change("deleted", self._transform(obj), None))
        elif (old is None and not late) or (old is not None and supersedes(obj, old)):
            # A late echo must not bring back what is deleted.
            self._put(old, obj)

    def _is_past(self, version: str) -> bool:
        """Whether the stream was further than that already; a server sends in order."""
        known = self._version or ""
        return version.isdigit() and known.isdigit() and int(version) < int(known)

    def _replace(self, items: Iterable[Unstructured]) -> None:
        gone = set(self._picture.keys())
        for obj in items:
            key = key_of(obj)
            gone.discard(key)
            old = self._picture.get(*key)
            if old is None or supersedes(obj, old):
                self._put(old, obj)
        for key in gone:
            self._notify(Change("deleted", self._picture.remove(key), None))

    def _put(self, old: Unstructured | None, obj: Unstructured) -> None:
        new = self._transform(obj)
        if old is not None and old["metadata"].get("uid") != new["metadata"].get("uid"):
            # Deleted and created anew while we did not look: two changes, not one.
            self._picture.remove(key_of(old))
            self._notify(Change("deleted", old, None))
            old = None
        self._picture.put(new)
        self._notify(Change("updated" if old is not None else "added", old, new))

    def _notify(self, change: Change) -> None:
        for handler in self._handlers:
            try:
                handler(change)
            except Exception as error:  # noqa: BLE001 - one bad object must not end the watch
                self._log.error("handler failed", error=error, object=str(change.key))
