"""The graph of owners and dependents over all resources, and what to do with an object: pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from fluvial.cluster.objects import Object, metadata, name_of, namespace_of
from fluvial.cluster.standins.metadata import uid_of

__all__ = ["FOREGROUND", "ORPHAN", "Graph", "Item", "Verdict", "judge"]

FOREGROUND = "foregroundDeletion"
"""Finalizer of an object that waits for its dependents to be deleted."""
ORPHAN = "orphan"
"""Finalizer of an object that waits for its dependents to be let go."""


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """What the garbage collector keeps of an object."""

    resource: str
    namespace: str
    name: str
    uid: str
    owners: tuple[Object, ...]
    finalizers: tuple[str, ...]
    deleting: bool

    @classmethod
    def of(cls, resource: str, obj: Object) -> Item:
        """Reduce an object."""
        meta = metadata(obj)
        return cls(
            resource=resource,
            namespace=namespace_of(obj),
            name=name_of(obj),
            uid=uid_of(obj),
            owners=tuple(meta.get("ownerReferences") or ()),
            finalizers=tuple(meta.get("finalizers") or ()),
            deleting=bool(meta.get("deletionTimestamp")),
        )

    @property
    def awaits_dependents(self) -> bool:
        """Tell whether it is being deleted in the foreground."""
        return self.deleting and FOREGROUND in self.finalizers

    @property
    def orphans_dependents(self) -> bool:
        """Tell whether it is being deleted and leaves its dependents behind."""
        return self.deleting and ORPHAN in self.finalizers

    def blocks(self, owner: str) -> bool:
        """Tell whether it keeps an owner from going in the foreground."""
        return any(ref["uid"] == owner and ref.get("blockOwnerDeletion") for ref in self.owners)


class Graph:
    """All items by uid, and each one's dependents."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._dependents: dict[str, set[str]] = {}

    def put(self, item: Item) -> None:
        """Enter an item, or its new state."""
        self._unlink(item.uid)
        self.items[item.uid] = item
        for owner in item.owners:
            self._dependents.setdefault(owner["uid"], set()).add(item.uid)

    def drop(self, uid: str) -> None:
        """Forget an item; its dependents stay linked to its uid."""
        self._unlink(uid)
        self.items.pop(uid, None)

    def _unlink(self, uid: str) -> None:
        old = self.items.get(uid)
        for owner in old.owners if old else ():
            siblings = self._dependents.get(owner["uid"], set())
            siblings.discard(uid)
            if not siblings:
                self._dependents.pop(owner["uid"], None)

    def dependents(self, uid: str) -> list[Item]:
        """Return what names this uid as an owner."""
        return [self.items[each] for each in sorted(self._dependents.get(uid, ()))]


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What is to happen to an item.

    `delete` is the propagation policy to delete it with (empty: not at all), `release` the uids
    of owners that are to be taken out of its references.
    """

    delete: str = ""
    release: tuple[str, ...] = ()


def judge(item: Item, absent: Iterable[str], graph: Graph) -> Verdict:
    """Decide by the owners: `absent` are the uids of those that do not exist.

    One owner that stays keeps the object; owners that are gone, or wait for their dependents,
    are then only taken out of its references. Same as upstream's `attemptToDeleteItem`.
    """
    if item.deleting or not item.owners:
        return Verdict()
    gone = set(absent)
    waiting = {
        owner["uid"]
        for owner in item.owners
        if owner["uid"] not in gone and _awaits(graph, owner["uid"])
    }
    leaving = [owner["uid"] for owner in item.owners if owner["uid"] in gone | waiting]
    if len(leaving) < len(item.owners):
        return Verdict(release=tuple(leaving))
    if waiting and graph.dependents(item.uid):
        return Verdict(delete="Foreground")
    return Verdict(delete=_policy(item.finalizers))


def _awaits(graph: Graph, uid: str) -> bool:
    owner = graph.items.get(uid)
    return owner is not None and owner.awaits_dependents


def _policy(finalizers: Sequence[str]) -> str:
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"
