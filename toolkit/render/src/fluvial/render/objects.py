"""What an engine returns: rendered objects, with provenance when it was asked for."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from fluvial.apis.ids import ObjectId, Unstructured, split_api_version

__all__ = ["Origin", "Provenance", "Rendered", "freeze", "render"]


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


class Provenance(Mapping[str, Origin]):
    """Origins by RFC 6901 JSON pointer; a pointer without an entry has its nearest parent's."""

    __slots__ = ("_origins",)

    def __init__(self, origins: Mapping[str, Origin]) -> None:
        self._origins = dict(origins)

    def __getitem__(self, pointer: str) -> Origin:
        """Return the origin of the value at `pointer`; KeyError when not even the root has one."""
        probe = pointer
        while probe not in self._origins:
            if not probe:
                raise KeyError(pointer)
            probe = probe.rpartition("/")[0]
        return self._origins[probe]

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
    provenance: dict[str, Origin] | None = None

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
        provenance=None if provenance is None else dict(provenance),
    )
