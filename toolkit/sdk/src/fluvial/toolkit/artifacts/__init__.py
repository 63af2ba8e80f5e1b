"""Artifacts: packed, stored, served and fetched, whole or not at all.

A producer packs a tree (`pack`), writes it to a `Store` and serves that with `ArtifactServer`. A
consumer downloads with `Fetcher`, which checks the digest before it unpacks (`unpack`). Formats
and rules equal upstream's (docs/spec, "Artifacts"); what is refused is in `unpack`.
"""

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
from .fetcher import Fetcher
from .local import LocalStore
from .packing import Entry, Packed, pack, pack_file, walk
from .server import ArtifactServer
from .store import Store, Stored, garbage
from .unpacking import Limits, Unpacked, unpack

__all__ = [
    "ALGORITHMS",
    "ArchiveRejected",
    "ArtifactError",
    "ArtifactNotFound",
    "ArtifactServer",
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
