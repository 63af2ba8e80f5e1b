"""watch: history first, then live, filtered by selectors.

A watcher is a cursor over the store's history of one resource, so nothing is queued per watcher;
one that falls behind the compaction ends with 410, as upstream.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.reads import Matcher, list_options_error, parse_version
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import StatusError, expired
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource
from fluvial.cluster.storage import CompactedError, Entry, Event

__all__ = ["Change", "WatchOptions", "Watcher"]

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
UNCACHED = {"/events"}
"""Resources that upstream serves without a watch cache: the message of a 410 differs."""


@dataclasses.dataclass(frozen=True, slots=True)
class WatchOptions:
    """The query of a watch; `initial` is `sendInitialEvents`."""

    label_selector: str = ""
    field_selector: str = ""
    version: str = ""
    match: str = ""
    bookmarks: bool = False
    initial: bool | None = None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One event of a watch. BOOKMARK changes have no entry, only a revision."""

    type: str
    entry: Entry | None
    revision: int
    initial_end: bool = False


class Watcher:
    """watch over one control plane. `bookmark_interval` is in seconds."""

    def __init__(self, access: Access, bookmark_interval: float = 60.0) -> None:
        self._access = access
        self.bookmark_interval = bookmark_interval

    def open(self, target: Target, options: WatchOptions) -> AsyncIterator[Change]:
        """Check the options (raises `StatusError`) and return the stream of changes."""
        labels, fields = options.label_selector, options.field_selector
        matcher = Matcher(self._access, target.resource, labels, fields)
        self._check(options)
        start = parse_version(options.version)
        return self._stream(target, options, matcher, start)

    async def follow(
        self, target: Target, labels: str, fields: str
    ) -> AsyncIterator[tuple[str, Object]]:
        """Yield `(type, object)` for in-process consumers."""
        options = WatchOptions(label_selector=labels, field_selector=fields)
        async for change in self.open(target, options):
            if change.entry is not None:
                view = self._access.view(target.resource, change.entry)
                yield change.type, self._access.copy(view)

    async def _stream(
        self, target: Target, options: WatchOptions, matcher: Matcher, start: int
    ) -> AsyncIterator[Change]:
        store, prefix = self._access.store, target.resource.prefix
        cursor = start
        if not options.version or start == 0 or options.initial:
            cursor = store.revision
            for entry in store.entries(prefix, target.namespace):
                if matcher.matches(self._view(target.resource, entry)):
                    yield Change("ADDED", entry, entry.revision)
            if options.initial and options.bookmarks:
                yield Change("BOOKMARK", None, cursor, initial_end=True)
        elif start < store.compacted:
            raise self._too_old(prefix, start, store.compacted)
        announced = cursor
        while True:
            try:
                events = store.events(prefix, cursor)
            except CompactedError as error:
                raise self._too_old(prefix, cursor, error.revision) from None
            for event in events:
                cursor = event.revision
                change = self._change(target, matcher, event)
                if change is not None:
                    yield change
            if events:
                continue
            if self._access.endpoints.catalog.find(target.resource.gvr) is None:
                return
            try:
                async with asyncio.timeout(self.bookmark_interval if options.bookmarks else None):
                    await store.changed(prefix, cursor)
            except TimeoutError:
                cursor = max(cursor, store.revision)
                if cursor != announced:
                    announced = cursor
                    yield Change("BOOKMARK", None, cursor)

    def _change(self, target: Target, matcher: Matcher, event: Event) -> Change | None:
        if target.namespace and event.entry.key[0] != target.namespace:
            return None
        before = event.previous is not None and matcher.matches(
            self._view(target.resource, event.previous)
        )
        if event.deleted:
            return Change("DELETED", event.entry, event.revision) if before else None
        after = matcher.matches(self._view(target.resource, event.entry))
        if after:
            kind = "MODIFIED" if before else "ADDED"
            return Change(kind, event.entry, event.revision)
        if before:
            assert event.previous is not None
            last = self._access.copy(event.previous.object)
            last["metadata"]["resourceVersion"] = str(event.revision)
            return Change("DELETED", event.entry.with_object(event.revision, last), event.revision)
        return None

    def _view(self, resource: Resource, entry: Entry) -> Object:
        return self._access.view(resource, entry)

    @staticmethod
    def _too_old(prefix: str, cursor: int, oldest: int) -> StatusError:
        if prefix in UNCACHED:
            return expired("The resourceVersion for the provided watch is too old.")
        return expired(f"too old resource version: {cursor} ({oldest})")

    @staticmethod
    def _check(options: WatchOptions) -> None:
        causes = []
        field, forbidden = "resourceVersionMatch", "FieldValueForbidden"
        if options.initial is not None:
            if options.match != "NotOlderThan":
                text = (
                    "Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
                    "NotOlderThan"
                )
                causes.append((field, forbidden, text))
            if options.match and options.match != "NotOlderThan":
                text = f'Unsupported value: "{options.match}": supported values: "NotOlderThan"'
                causes.append((field, "FieldValueNotSupported", text))
        elif options.match:
            text = (
                "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents "
                "is provided"
            )
            causes.append((field, forbidden, text))
        if causes:
            raise list_options_error(causes)
