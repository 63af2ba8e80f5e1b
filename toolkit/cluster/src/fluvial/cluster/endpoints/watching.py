"""watch: history first, then live, filtered by selectors.

A watcher is a cursor over the store's history of one resource, so nothing is queued per watcher;
one that falls behind the compaction ends with 410, as upstream. What a watcher sees is made by a
`Feed`, which all that ask for the same share.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.feeds import BATCH_LIMIT, Batch, Change, Feed
from fluvial.cluster.endpoints.reads import Matcher, list_options_error, parse_version
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import StatusError, expired
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource
from fluvial.cluster.storage import CompactedError, Entry

__all__ = ["WatchOptions", "Watcher"]

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


class _Loader:
    """Has a webhook convert what a watch is about to match and show, where one converts.

    A failed conversion is raised as the 500 that upstream gives, and ends the watch.
    """

    def __init__(self, access: Access, target: Target, matcher: Matcher) -> None:
        self._access = access
        self._target = target
        self._matcher = matcher

    async def everything(self) -> None:
        """Load what is there."""
        target, store = self._target, self._access.store
        await self._access.load(
            target.resource, lambda: store.entries(target.resource.prefix, target.namespace)
        )

    async def after(self, cursor: int) -> None:
        """Load what the next changes are matched by: objects before and after them."""
        if self._matcher.everything or not self._target.resource.converts:
            return
        store, resource = self._access.store, self._target.resource

        def current() -> list[Entry]:
            events = store.events(resource.prefix, cursor, BATCH_LIMIT)
            found = [entry for event in events for entry in (event.entry, event.previous)]
            return [entry for entry in found if entry is not None]

        await self._access.load(resource, current)

    async def shown(self, batch: Batch) -> None:
        """Load what a batch shows."""
        if self._target.resource.converts:
            entries = [change.entry for change in batch.changes if change.entry is not None]
            await self._access.load(self._target.resource, lambda: entries)


class Watcher:
    """watch over one control plane. `bookmark_interval` is in seconds."""

    def __init__(self, access: Access, bookmark_interval: float = 60.0) -> None:
        self._access = access
        self.bookmark_interval = bookmark_interval
        self._feeds: WeakValueDictionary[tuple[Resource, str, str, str], Feed] = (
            WeakValueDictionary()
        )

    def open(
        self, target: Target, options: WatchOptions, *, at_once: bool = False
    ) -> AsyncIterator[Batch]:
        """Check the options (raises `StatusError`) and return the stream of changes.

        Changes that come fast are seen together, unless `at_once`.
        """
        labels, fields = options.label_selector, options.field_selector
        matcher = Matcher(self._access, target.resource, labels, fields)
        self._check(options)
        start = parse_version(options.version)
        key = (target.resource, target.namespace, labels, fields)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._access, target, matcher)
        loader = _Loader(self._access, target, matcher)
        return self._stream(target.resource, options, feed, start, loader, at_once=at_once)

    async def follow(
        self, target: Target, labels: str, fields: str
    ) -> AsyncIterator[tuple[str, Object]]:
        """Yield `(type, object)` for in-process consumers."""
        options = WatchOptions(label_selector=labels, field_selector=fields)
        async for batch in self.open(target, options, at_once=True):
            for change in batch.changes:
                if change.entry is not None:
                    yield change.type, self._access.own(target.resource, change.entry)

    async def _stream(
        self,
        resource: Resource,
        options: WatchOptions,
        feed: Feed,
        start: int,
        loader: _Loader,
        *,
        at_once: bool,
    ) -> AsyncIterator[Batch]:
        store, prefix = self._access.store, resource.prefix
        cursor = start
        if not options.version or start == 0 or options.initial:
            await loader.everything()
            cursor = store.revision
            for batch in feed.initial():
                yield batch
            if options.initial and options.bookmarks:
                yield Batch([Change("BOOKMARK", None, cursor, initial_end=True)])
        elif start < store.compacted:
            raise self._too_old(prefix, start, store.compacted)
        announced = cursor
        interval = self.bookmark_interval if options.bookmarks else None
        while True:
            try:
                await loader.after(cursor)
                reached, batch = feed.after(cursor)
            except CompactedError as error:
                raise self._too_old(prefix, cursor, error.revision) from None
            if reached > cursor:
                cursor = reached
                if batch.changes:
                    await loader.shown(batch)
                    yield batch
                    if len(batch.changes) == BATCH_LIMIT:
                        # There is more: others get their turn, and those that are equally far
                        # take the next batch together.
                        await asyncio.sleep(0)
                continue
            if self._access.endpoints.catalog.find(resource.gvr) is not resource:
                return  # its definition went or has changed: upstream ends such watches too
            try:
                async with asyncio.timeout(interval):
                    await store.changed(prefix, cursor, at_once=at_once)
            except TimeoutError:
                # A change may be there whose waking is still to come: no bookmark may pass it.
                if self._is_behind(prefix, cursor):
                    continue
                cursor = max(cursor, store.revision)
                if cursor != announced:
                    announced = cursor
                    yield Batch([Change("BOOKMARK", None, cursor)])

    def _is_behind(self, prefix: str, cursor: int) -> bool:
        try:
            return bool(self._access.store.events(prefix, cursor, 1))
        except CompactedError:
            return True

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
