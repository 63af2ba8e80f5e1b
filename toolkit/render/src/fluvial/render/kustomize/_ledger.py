"""Where the values of one resource come from: which file and place, and which step set them last.

While a build runs only what happened is written down; a step pays for one entry per value that it
sets. The table of origins by pointer is made when somebody asks for it.
"""

from array import array
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from fluvial.render.kustomize._cache import Parsed
from fluvial.render.kustomize._collector import paused
from fluvial.render.objects import Origin, nearest
from fluvial.render.yaml import PLACE_BITS, pointers

__all__ = ["Amended", "Entry", "Ledger", "Read", "Redone", "Set", "Table", "Whole"]

Table = dict[str, Origin]
"""Origins by RFC 6901 pointer, for the pointers at which one starts."""

_COLUMN = (1 << PLACE_BITS) - 1
_origin = partial(tuple.__new__, Origin)  # half the time of calling the class, and often called


class Source(Protocol):
    """What an object was before any step."""

    def table(self) -> Table:
        """Return a new table of its origins."""


class Read(NamedTuple):
    """An object as it was read from `file`, `by` being what it was read for."""

    document: Parsed
    file: str
    by: str

    def table(self) -> Table:
        """Return where each value stands in the file."""
        file, by = self.file, self.by
        places = array("Q", self.document.places or b"")
        names = pointers(self.document.decode())
        return {
            name: _origin((file, (place >> PLACE_BITS) + 1, (place & _COLUMN) + 1, by))
            for name, place in zip(names, places, strict=True)
        }


class Whole(NamedTuple):
    """An object all of which has one origin."""

    origin: Origin

    def table(self) -> Table:
        """Return that origin for the root."""
        return {"": self.origin}


class Entry(Protocol):
    """Something that happened to an object."""

    @property
    def cost(self) -> int:
        """About how many bytes are kept for it."""

    def apply(self, table: Table) -> Table:
        """Return the table afterwards; the one before may change."""


class Set(NamedTuple):
    """A step set the value at a pointer; `deep` if it was, or became, a map or a list."""

    pointer: str
    origin: Origin
    deep: bool

    @property
    def cost(self) -> int:
        """About how many bytes are kept for it."""
        return 200

    def apply(self, table: Table) -> Table:
        """Say so, of all below it too."""
        if self.deep:
            below = f"{self.pointer}/"
            for known in [name for name in table if name.startswith(below)]:
                del table[known]
        table[self.pointer] = self.origin
        return table


class Amended(NamedTuple):
    """A step changed the value at a pointer, which stays where it was written in `file`."""

    pointer: str
    by: str
    file: str

    @property
    def cost(self) -> int:
        """About how many bytes are kept for it."""
        return 200

    def apply(self, table: Table) -> Table:
        """Say so of the value, or of the nearest that holds it and has an origin."""
        known = nearest(table, self.pointer) or Origin(self.file, 0, 0, self.by)
        table[self.pointer] = known._replace(by=self.by)
        return table


class Redone(NamedTuple):
    """A step moved values: it is done again on the object that it met, to see which ones."""

    redo: Callable[[Table], Table]
    cost: int

    def apply(self, table: Table) -> Table:
        """Return what it makes of the table."""
        return self.redo(table)


class Ledger:
    """The origins of a resource's values: where it started, and what happened to it since."""

    __slots__ = ("entries", "source")

    def __init__(self, source: Source, entries: list[Entry] | None = None) -> None:
        self.source = source
        self.entries = [] if entries is None else entries

    def copy(self) -> "Ledger":
        """Copy it, for a copy of the resource."""
        return Ledger(self.source, list(self.entries))

    def table(self) -> Table:
        """Return the table of the object as it is now."""
        with paused():
            table = self.source.table()
            for entry in self.entries:
                table = entry.apply(table)
            return table
