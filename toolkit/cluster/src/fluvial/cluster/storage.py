"""The store: objects by prefix, namespace and name, one growing revision, and history.

`Store` is the interface; `MemoryStore` keeps everything in this process, `DatabaseStore` (in
`fluvial.cluster.database`) in a file as well. All calls are synchronous and atomic: the server
reads, decides and writes without giving the event loop away, so a write needs no transaction.

Entries (`fluvial.cluster.entries`) are immutable.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

import msgspec

from fluvial.cluster.entries import Entry, Key, Recent
from fluvial.cluster.errors import ClusterError
from fluvial.cluster.objects import Object
from fluvial.cluster.pulse import Pulse

__all__ = ["CompactedError", "Entry", "Event", "Key", "MemoryStore", "Store"]

HISTORY_LIMIT = 20_000
"""Events kept over all prefixes before the oldest half is compacted by itself."""


class CompactedError(ClusterError):
    """The history after a revision is no longer complete; `revision` is the oldest that is."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"history before revision {revision} was compacted")
        self.revision = revision


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One change: `previous` is None for a creation, `deleted` marks the last version."""

    revision: int
    entry: Entry
    previous: Entry | None
    deleted: bool = False


class Store(Protocol):
    """What the server needs of a store."""

    @property
    def revision(self) -> int:
        """The revision of the newest write."""

    @property
    def compacted(self) -> int:
        """The newest revision whose history is gone."""

    def get(self, prefix: str, key: Key) -> Entry | None:
        """Return an object, or None."""

    def entries(self, prefix: str, namespace: str = "", at: int | None = None) -> list[Entry]:
        """Return objects by key, as of revision `at`; raises `CompactedError`."""

    def put(self, prefix: str, key: Key, obj: Object) -> Entry:
        """Write an object; sets its `metadata.resourceVersion`."""

    def remove(self, prefix: str, key: Key, last: Object) -> Entry:
        """Delete an object; `last` is what watchers see."""

    def events(self, prefix: str, after: int, limit: int = HISTORY_LIMIT) -> list[Event]:
        """Return the first changes after a revision, oldest first; raises `CompactedError`."""

    def compact(self, revision: int) -> None:
        """Forget the history up to and including a revision."""

    async def changed(self, prefix: str, after: int, *, at_once: bool = False) -> None:
        """Wait until the prefix has a change after a revision."""


class _Prefix:
    """The objects and the history of one resource."""

    def __init__(self) -> None:
        self.objects: dict[Key, Entry] = {}
        self.history: list[Event] = []
        self.last = 0
        self.lost = 0
        self.pulse = Pulse()
        self.urgent = Pulse(rest=0.0)

    def record(self, event: Event) -> None:
        self.history.append(event)
        self.last = event.revision
        self.urgent.wake()
        self.pulse.wake()


class MemoryStore:
    """A store without a disk, which begins at revision `start`: older ones count as compacted."""

    def __init__(self, start: int = 100) -> None:
        self._revision = start
        self._compacted = start
        self._events = 0
        self._prefixes: defaultdict[str, _Prefix] = defaultdict(_Prefix)
        self._recent = Recent()

    @property
    def revision(self) -> int:
        """The revision of the newest write."""
        return self._revision

    @property
    def compacted(self) -> int:
        """The newest revision whose history is gone."""
        return self._compacted

    def get(self, prefix: str, key: Key) -> Entry | None:
        """Return an object, or None."""
        found = self._prefixes.get(prefix)
        return found.objects.get(key) if found else None

    def entries(self, prefix: str, namespace: str = "", at: int | None = None) -> list[Entry]:
        """Return objects by key, as of revision `at`; raises `CompactedError`."""
        found = self._prefixes.get(prefix)
        if at is not None and at < self._compacted:
            raise CompactedError(self._compacted)
        if found is None:
            return []
        objects = found.objects
        if at is not None and at < found.last:
            objects = dict(objects)
            for event in reversed(found.history):
                if event.revision <= at:
                    break
                if event.previous is None:
                    objects.pop(event.entry.key, None)
                else:
                    objects[event.entry.key] = event.previous
        keys = sorted(key for key in objects if not namespace or key[0] == namespace)
        return [objects[key] for key in keys]

    def put(self, prefix: str, key: Key, obj: Object) -> Entry:
        """Write an object; sets its `metadata.resourceVersion`."""
        found = self._prefixes[prefix]
        entry = self._advance(key, obj)
        event = Event(entry.revision, entry, found.objects.get(key))
        self._record(prefix, event)
        found.objects[key] = entry
        return entry

    def remove(self, prefix: str, key: Key, last: Object) -> Entry:
        """Delete an object; `last` is what watchers see."""
        found = self._prefixes[prefix]
        entry = self._advance(key, last)
        self._record(prefix, Event(entry.revision, entry, found.objects[key], deleted=True))
        del found.objects[key]
        return entry

    def events(self, prefix: str, after: int, limit: int = HISTORY_LIMIT) -> list[Event]:
        """Return the first changes after a revision, oldest first; raises `CompactedError`."""
        found = self._prefixes.get(prefix)
        if found is None or after >= found.last:
            return []
        if after < found.lost:
            raise CompactedError(self._compacted)
        index = bisect.bisect_right(found.history, after, key=lambda event: event.revision)
        return found.history[index : index + limit]

    def compact(self, revision: int) -> None:
        """Forget the history up to and including a revision."""
        self._compacted = max(self._compacted, min(revision, self._revision))
        self._events = 0
        for found in self._prefixes.values():
            kept = [event for event in found.history if event.revision > self._compacted]
            if len(kept) < len(found.history):
                found.lost = found.history[-len(kept) - 1].revision
            found.history = kept
            self._events += len(found.history)

    def wake(self, prefix: str) -> None:
        """End the waiting of everyone who follows a prefix."""
        if prefix in self._prefixes:
            self._prefixes[prefix].urgent.wake()
            self._prefixes[prefix].pulse.wake()

    async def changed(self, prefix: str, after: int, *, at_once: bool = False) -> None:
        """Wait until the prefix has a change after a revision, or `wake`.

        `at_once` is for the server's own parts, which clients must not see lag behind.
        """
        found = self._prefixes[prefix]
        if found.last <= after:
            await (found.urgent if at_once else found.pulse).wait()

    def _advance(self, key: Key, obj: Object) -> Entry:
        self._revision += 1
        obj.setdefault("metadata", {})["resourceVersion"] = str(self._revision)
        return self._entry(key, self._revision, msgspec.json.encode(obj))

    def _entry(self, key: Key, revision: int, data: bytes) -> Entry:
        return Entry(key, revision, data, self._recent)

    def _begin(self, revision: int, lost: Mapping[str, int]) -> None:
        """Begin at a compaction; `lost` is the newest change of each prefix that it forgot."""
        self._revision = self._compacted = revision
        for prefix, newest in lost.items():
            found = self._prefixes[prefix]
            found.lost = found.last = newest

    def _restore(self, prefix: str, entry: Entry) -> None:
        """Take in an object as it was at the beginning."""
        self._prefixes[prefix].objects[entry.key] = entry

    def _replay(self, prefix: str, entry: Entry, *, deleted: bool) -> None:
        """Take in a change that was made since."""
        found = self._prefixes[prefix]
        previous = found.objects.pop(entry.key, None)
        if not deleted:
            found.objects[entry.key] = entry
        found.record(Event(entry.revision, entry, previous, deleted))
        self._events += 1
        self._revision = entry.revision

    def _record(self, prefix: str, event: Event) -> None:
        self._prefixes[prefix].record(event)
        self._events += 1
        if self._events > HISTORY_LIMIT:
            self.compact(self._revision - HISTORY_LIMIT // 2)
