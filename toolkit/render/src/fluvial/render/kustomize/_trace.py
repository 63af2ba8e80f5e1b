"""Origins that move with the values they belong to, while a patch is applied once more.

They are kept by the container that holds a value, so a list element that a patch moves takes those
of all it holds along.
"""

from typing import Any, NamedTuple

from fluvial.render.kustomize._ledger import Table
from fluvial.render.objects import Origin
from fluvial.render.pointers import escape

__all__ = ["Trace"]

Entries = dict[Any, Origin]


class _Record(NamedTuple):
    """A container, its own origin, and those of what is in it by key or index."""

    container: Any  # kept alive, so that no other gets its identity
    own: Origin | None
    entries: Entries


class Trace:
    """The origins of a tree's values; `origin` is what a patch gives to all that it sets."""

    def __init__(self, data: Any, table: Table, origin: Origin | None) -> None:
        self.origin = origin
        self._records: dict[int, _Record] = {}
        waiting = [(data, "", table.get(""))]
        while waiting:
            node, pointer, own = waiting.pop()
            entries = {}
            for key, item in _items(node):
                inner = f"{pointer}/{escape(key) if type(key) is str else key}"
                found = table.get(inner)
                if found is not None:
                    entries[key] = found
                if isinstance(item, dict | list):
                    waiting.append((item, inner, found or own))
            self._records[id(node)] = _Record(node, own, entries)

    def _entries(self, node: Any) -> Entries:
        record = self._records.get(id(node))
        if record is None:
            record = self._records[id(node)] = _Record(node, None, {})
        return record.entries

    def set(self, node: Any, key: Any) -> None:
        """Note that the patch has set the value at `key` of `node`, and all that is in it."""
        if self.origin is not None:
            self._entries(node)[key] = self.origin
        self._forget(node[key])

    def set_all(self, data: Any) -> None:
        """Note that the patch has put another object into the place of all."""
        self._forget(data)
        if isinstance(data, dict | list):
            self._records[id(data)] = _Record(data, self.origin, {})

    def _forget(self, value: Any) -> None:
        """Drop what is known of containers, so that they share the origin of what holds them."""
        waiting = [value] if isinstance(value, dict | list) else []
        while waiting:
            node = waiting.pop()
            self._records.pop(id(node), None)
            waiting += [item for _, item in _items(node) if isinstance(item, dict | list)]

    def inserted(self, node: list[Any], index: int) -> None:
        """Note that the patch has put a value into a list."""
        self._shift(node, lambda at: at + (at >= index))
        self.set(node, index)

    def removed(self, node: list[Any], index: int) -> None:
        """Note that the patch has taken a value out of a list."""
        self._entries(node).pop(index, None)
        self._shift(node, lambda at: at - (at > index))

    def _shift(self, node: list[Any], moved: Any) -> None:
        entries = self._entries(node)
        places = {moved(at): origin for at, origin in entries.items()}
        entries.clear()
        entries.update(places)

    def take(self, node: Any, key: Any, source: Any, place: Any) -> None:
        """Note that the value at `key` of `node` was at `place` of another container."""
        record = self._records.get(id(source))
        found = None if record is None else record.entries.get(place, record.own)
        origin = found or self.origin
        if origin is not None:
            self._entries(node)[key] = origin

    def records(self) -> dict[int, _Record]:
        """Return what is known, by the identity of containers."""
        return self._records

    def join(self, other: "Trace") -> None:
        """Take in what another knows of its containers, some of which may now be here."""
        self._records = {**other.records(), **self._records}

    def table(self, data: Any) -> Table:
        """Return the origins by pointer of the tree as it is now."""
        table: Table = {}
        record = self._records.get(id(data))
        own = None if record is None else record.own
        if own is not None:
            table[""] = own
        self._fill(table, data, "", own)
        return table

    def _fill(self, table: Table, node: Any, pointer: str, own: Origin | None) -> None:
        record = self._records.get(id(node))
        entries = {} if record is None else record.entries
        for key, item in _items(node):
            inner = f"{pointer}/{escape(key) if type(key) is str else key}"
            origin = entries.get(key)
            is_container = isinstance(item, dict | list)
            if is_container:
                below = self._records.get(id(item))
                origin = (below and below.own) or origin
            if origin is not None and origin != own:
                table[inner] = origin
            if is_container:
                self._fill(table, item, inner, origin or own)


def _items(node: Any) -> Any:
    return node.items() if isinstance(node, dict) else enumerate(node)
