"""`Feed`: the live changes of a resource as one pair of selectors shows them.

All watches with the same target and selectors share a feed, and those that are equally far share
its newest batches: each change is matched once and written as JSON once, however many follow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.reads import Matcher
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.storage import Entry, Event

__all__ = ["BATCH_LIMIT", "Batch", "Change", "Feed"]

BATCH_LIMIT = 64
"""Changes in one batch: what a watch writes at a time, and has in memory if its client is slow."""

BATCHES_KEPT = 4
"""How many batches a feed keeps for watches that are a little behind the others."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One event of a watch. BOOKMARK changes have no entry, only a revision."""

    type: str
    entry: Entry | None
    revision: int
    initial_end: bool = False


class Batch:
    """Some changes one after the other, and their bytes in the representations asked for."""

    __slots__ = ("_forms", "changes")

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes
        self._forms: dict[Hashable, bytes] = {}

    def form(self, key: Hashable, encode: Callable[[Sequence[Change]], bytes]) -> bytes:
        """Return all changes in one representation, made at the first call with this key."""
        found = self._forms.get(key)
        if found is None:
            found = self._forms[key] = encode(self.changes)
        return found


class Feed:
    """What watches of one target with the same selectors see."""

    def __init__(self, access: Access, target: Target, matcher: Matcher) -> None:
        self._access = access
        self._target = target
        self._matcher = matcher
        self._newest: dict[tuple[int, int], Batch] = {}

    def initial(self) -> list[Batch]:
        """Return the objects that are there, as ADDED changes."""
        prefix, namespace = self._target.resource.prefix, self._target.namespace
        added = [
            Change("ADDED", entry, entry.revision)
            for entry in self._access.store.entries(prefix, namespace)
            if self._matches(entry)
        ]
        return [
            Batch(added[start : start + BATCH_LIMIT]) for start in range(0, len(added), BATCH_LIMIT)
        ]

    def after(self, cursor: int) -> tuple[int, Batch]:
        """Return the next changes after a revision, and up to where they go.

        That is `cursor` itself when there are none. Raises `CompactedError`.
        """
        events = self._access.store.events(self._target.resource.prefix, cursor, BATCH_LIMIT)
        if not events:
            return cursor, Batch(())
        end = events[-1].revision
        batch = self._newest.get((cursor, end))
        if batch is None:
            batch = Batch([c for c in map(self._change, events) if c is not None])
            self._newest[cursor, end] = batch
            if len(self._newest) > BATCHES_KEPT:
                del self._newest[next(iter(self._newest))]
        return end, batch

    def _change(self, event: Event) -> Change | None:
        target = self._target
        if target.namespace and event.entry.key[0] != target.namespace:
            return None
        before = event.previous is not None and self._matches(event.previous)
        if event.deleted:
            return Change("DELETED", event.entry, event.revision) if before else None
        if self._matches(event.entry):
            kind = "MODIFIED" if before else "ADDED"
            return Change(kind, event.entry, event.revision)
        if before:
            assert event.previous is not None
            last = self._access.copy(event.previous.object)
            last["metadata"]["resourceVersion"] = str(event.revision)
            return Change("DELETED", event.entry.with_object(event.revision, last), event.revision)
        return None

    def _matches(self, entry: Entry) -> bool:
        if self._matcher.everything:
            return True
        return self._matcher.matches(self._access.view(self._target.resource, entry))
