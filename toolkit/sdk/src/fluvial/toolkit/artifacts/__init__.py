"""Artifacts: packed, stored, served and fetched, whole or not at all.

A producer packs a tree (`pack`), writes it to a `Store` and serves that with `ArtifactServer`. A
consumer downloads with `Fetcher`, which checks the digest before it unpacks (`unpack`). Formats
and rules equal upstream's (docs/spec, "Artifacts"); what is refused is in `unpack`.
"""

import importlib
from typing import TYPE_CHECKING

from ._digest import ALGORITHMS, Digest, hash_file, new_hash
from ._errors import (
    ArchiveRejected,
    ArtifactError,
    ArtifactNotFound,
    DigestMismatch,
    DigestUnsupported,
    FetchFailed,
    LimitExceeded,
    PathRejected,
)
from .packing import Entry, Packed, pack, pack_file, walk
from .store import Store, Stored, garbage
from .unpacking import Limits, Unpacked, unpack

if TYPE_CHECKING:
    from .bucket import Bucket, BucketStore
    from .fetcher import Fetcher
    from .local import LocalStore
    from .server import ArtifactServer

__all__ = [
    "ALGORITHMS",
    "ArchiveRejected",
    "ArtifactError",
    "ArtifactNotFound",
    "ArtifactServer",
    "Bucket",
    "BucketStore",
    "Digest",
    "DigestMismatch",
    "DigestUnsupported",
    "Entry",
    "FetchFailed",
    "Fetcher",
    "LimitExceeded",
    "Limits",
    "LocalStore",
    "Packed",
    "PathRejected",
    "Store",
    "Stored",
    "Unpacked",
    "garbage",
    "hash_file",
    "new_hash",
    "pack",
    "pack_file",
    "unpack",
    "walk",
]

_LATE = {
    "ArtifactServer": ".server",
    "Bucket": ".bucket",
    "BucketStore": ".bucket",
    "Fetcher": ".fetcher",
    "LocalStore": ".local",
}


def __getattr__(name: str) -> object:
    """Import what needs asyncio and aiohttp only where it is used: workers pack without."""
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
