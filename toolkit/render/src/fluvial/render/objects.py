"""What an engine returns: rendered objects, with provenance when it was asked for."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from fluvial.apis.ids import ObjectId, Unstructured, split_api_version

__all__ = ["LateOrigins", "Origin", "Provenance", "Rendered", "freeze", "nearest", "render"]


class Origin(NamedTuple):
    """Where a value was written, and what set it last.

    `line` and `column` count from 1; 0 means the file is known and the place in it is not.
    `by` is `resource`, or the transformer, patch, values file or template that set the value.
    """

    file: str
    line: int
    column: int
    by: str

    def __str__(self) -> str:
        """Print as compilers do: `file:line:column (by)`."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place} ({self.by})"


class LateOrigins(Mapping[str, Origin]):
    """Origins by JSON pointer that are only made when somebody asks, and then kept."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Mapping[str, Origin]]) -> None:
        self._make: Callable[[], Mapping[str, Origin]] | None = make
        self._made: Mapping[str, Origin] = {}

    def _table(self) -> Mapping[str, Origin]:
        make = self._make
        if make is not None:
            self._made = make()
            self._make = None
        return self._made

    def __getitem__(self, pointer: str) -> Origin:
        """Return the origin that starts at `pointer`; KeyError when none does."""
        return self._table()[pointer]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the pointers at which an origin starts."""
        return iter(self._table())

    def __len__(self) -> int:
        """Count the origins."""
        return len(self._table())


def nearest(origins: Mapping[str, Origin], pointer: str) -> Origin | None:
    """Return the origin of a value: its own, or that of the nearest that holds it and has one."""
    while pointer and pointer not in origins:
        pointer = pointer.rpartition("/")[0]
    return origins.get(pointer)


class Provenance(Mapping[str, Origin]):
    """Origins by RFC 6901 JSON pointer; a pointer without an entry has its nearest parent's."""

    __slots__ = ("_origins",)

    def __init__(self, origins: Mapping[str, Origin]) -> None:
        self._origins = dict(origins)

    def __getitem__(self, pointer: str) -> Origin:
        """Return the origin of the value at `pointer`; KeyError when not even the root has one."""
        origin = nearest(self._origins, pointer)
        if origin is None:
            raise KeyError(pointer)
        return origin

    def __iter__(self) -> Iterator[str]:
        """Iterate over the pointers at which an origin starts."""
        return iter(self._origins)

    def __len__(self) -> int:
        """Count the stored origins."""
        return len(self._origins)


class Rendered(msgspec.Struct, frozen=True):
    """One object as an engine leaves it; see docs/decisions/2026-11-24-objects-and-provenance.md.

    `data` is compact JSON with keys in document order; `digest` is `sha256:<hex>` of it.
    """

    id: ObjectId
    version: str
    data: bytes
    digest: str
    provenance: Mapping[str, Origin] | None = None

    def decode(self) -> Unstructured:
        """Decode `data` anew; the caller owns the result."""
        obj: Unstructured = msgspec.json.decode(self.data)
        return obj

    def blame(self) -> Provenance:
        """Return the origins; empty when provenance was not asked for."""
        return Provenance(self.provenance or {})


def render(obj: Unstructured, provenance: Mapping[str, Origin] | None = None) -> Rendered:
    """Freeze a decoded object. Raises ValueError when it has no identity."""
    identity = ObjectId.from_object(obj)
    return freeze(
        msgspec.json.encode(obj), identity, split_api_version(obj["apiVersion"])[1], provenance
    )


def freeze(
    data: bytes,
    identity: ObjectId,
    version: str,
    provenance: Mapping[str, Origin] | None = None,
) -> Rendered:
    """Pack an object whose identity and compact JSON the caller has at hand."""
    return Rendered(
        id=identity,
        version=version,
        data=data,
        digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        provenance=provenance,
    )
