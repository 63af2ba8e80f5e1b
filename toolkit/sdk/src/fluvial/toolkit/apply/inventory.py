"""The record of what was applied, in upstream's form."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

from fluvial.apis import meta
from fluvial.apis.ids import ObjectId, Unstructured, split_api_version

__all__ = ["Entry", "Inventory"]


class Entry(NamedTuple):
    """One object: its identity, and the API version (without group) it was applied at."""

    id: ObjectId
    """Namespace, name, group and kind."""
    version: str
    """The API version, without its group."""


class Inventory:
    """An ordered set of entries, one per identity; immutable, compared by its entries in order.

    Where an identity is given twice, the first place and the last version count.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._versions = {entry.id: entry.version for entry in entries}

    @classmethod
    def from_status(cls, status: meta.Inventory | None) -> Self:
        """Read a status. Entries of any other form are dropped: they name nothing."""
        entries = []
        for entry in status.entries if status else ():
            try:
                entries.append(Entry(ObjectId.parse(entry.id), entry.v))
            except ValueError:
                continue
        return cls(entries)

    @classmethod
    def of(cls, objects: Iterable[Unstructured]) -> Self:
        """List decoded objects as they stand. Raises ValueError for one without identity."""
        return cls(
            Entry(ObjectId.from_object(obj), split_api_version(obj["apiVersion"])[1])
            for obj in objects
        )

    def to_status(self) -> meta.Inventory:
        """Write for a status."""
        return meta.Inventory(
            entries=[
                meta.InventoryEntry(id=entry.id.inventory_id, v=entry.version) for entry in self
            ]
        )

    @property
    def ids(self) -> list[ObjectId]:
        """The identities, in order."""
        return list(self._versions)

    def version(self, id: ObjectId) -> str | None:
        """Return the API version that an identity was applied at, None if it is not listed."""
        return self._versions.get(id)

    def difference(self, other: "Inventory") -> "Inventory":
        """Return what is here and not in `other`, by identity."""
        return Inventory(entry for entry in self if entry.id not in other)

    def union(self, other: "Inventory") -> "Inventory":
        """Everything of both; `other` decides the version of what is in both."""
        return Inventory((*self, *other))

    def __iter__(self) -> Iterator[Entry]:
        return (Entry(*item) for item in self._versions.items())

    def __len__(self) -> int:
        return len(self._versions)

    def __contains__(self, id: object) -> bool:
        return id in self._versions

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Inventory):
            return NotImplemented
        return list(self._versions.items()) == list(other._versions.items())

    __hash__ = None  # type: ignore[assignment]  # compared by content, never a key

    def __repr__(self) -> str:
        return f"Inventory({[entry.id.inventory_id for entry in self]})"
