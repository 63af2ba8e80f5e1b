"""Objects in memory by namespace and name, with indexes."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from fluvial.apis.ids import Unstructured

__all__ = ["Indexer", "Key", "Store", "key_of", "supersedes", "version_of"]


class Key(NamedTuple):
    """Names an object within its kind; the namespace of cluster-scoped ones is empty."""

    namespace: str
    """The namespace; empty for cluster-scoped objects."""
    name: str
    """The name."""

    def __str__(self) -> str:
        """Print as `namespace/name`, or only the name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


Indexer: TypeAlias = Callable[[Unstructured], Iterable[str]]
"""The values under which an object is found in an index."""


def key_of(obj: Unstructured) -> Key:
    """Read namespace and name of a decoded object."""
    metadata = obj.get("metadata") or {}
    return Key(metadata.get("namespace") or "", metadata.get("name") or "")


def version_of(obj: Unstructured) -> int:
    """Return the resourceVersion as a number; they are comparable since Kubernetes 1.35.

    Servers before had the same numbers without promising it. Anything else counts as 0.
    """
    version = (obj.get("metadata") or {}).get("resourceVersion") or ""
    return int(version) if version.isdigit() else 0


def supersedes(new: Unstructured, old: Unstructured) -> bool:
    """Whether `new` is a later state than `old`; unknown versions count as later if they differ."""
    ours, theirs = version_of(old), version_of(new)
    if ours and theirs:
        return theirs > ours
    return bool(new["metadata"].get("resourceVersion") != old["metadata"].get("resourceVersion"))


class Store:
    """What an informer knows. Objects in it are shared: read them, never change them."""

    def __init__(self) -> None:
        self._objects: dict[Key, Unstructured] = {}
        self._indexers: dict[str, Indexer] = {}
        self._indexes: dict[str, dict[str, set[Key]]] = {}
        self._values: dict[tuple[str, Key], tuple[str, ...]] = {}

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self._objects)

    def __iter__(self) -> Iterator[Unstructured]:
        """Yield all objects, in no order."""
        return iter(self._objects.values())

    def get(self, namespace: str, name: str) -> Unstructured | None:
        """Return an object, or None."""
        return self._objects.get(Key(namespace, name))

    def keys(self) -> list[Key]:
        """Return the keys of all objects."""
        return list(self._objects)

    def by_index(self, index: str, value: str) -> list[Unstructured]:
        """Return what the indexer put under `value`, in order. KeyError: no such index."""
        found = self._indexes[index].get(value, ())
        return [self._objects[key] for key in sorted(found)]

    def add_index(self, name: str, indexer: Indexer) -> None:
        """Keep an index from now on; an object that its function cannot read is not in it."""
        self._indexers[name] = indexer
        self._indexes[name] = {}
        for key, obj in self._objects.items():
            self._index(name, key, obj)

    def put(self, obj: Unstructured) -> None:
        """Add or replace an object."""
        key = key_of(obj)
        self._objects[key] = obj
        for name in self._indexers:
            self._unindex(name, key)
            self._index(name, key, obj)

    def remove(self, key: Key) -> Unstructured | None:
        """Remove an object and return it."""
        for name in self._indexers:
            self._unindex(name, key)
        return self._objects.pop(key, None)

    def _index(self, name: str, key: Key, obj: Unstructured) -> None:
        try:
            # An object may name the same thing twice.
            values = tuple(dict.fromkeys(self._indexers[name](obj)))
        except (AttributeError, KeyError, TypeError, ValueError):
            return  # an object that is not of its kind's form; decoding will say so
        if values:
            self._values[name, key] = values
        for value in values:
            self._indexes[name].setdefault(value, set()).add(key)

    def _unindex(self, name: str, key: Key) -> None:
        index = self._indexes[name]
        for value in self._values.pop((name, key), ()):
            index[value].discard(key)
            if not index[value]:
                del index[value]
