"""Digests in the form `<algorithm>:<hex>`."""

import hashlib
import hmac
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from ._errors import DigestUnsupported

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

__all__ = ["ALGORITHMS", "Digest", "hash_file", "new_hash"]

ALGORITHMS = {"sha256": 64, "sha384": 96, "sha512": 128}
"""Algorithms that can be checked here, with the number of hex digits of each."""

_HEX = re.compile(r"[0-9a-f]+")


def new_hash(algorithm: str) -> "Hash":
    """Start a hash. Raises DigestUnsupported for what consumers cannot check."""
    if algorithm == "blake3":
        raise DigestUnsupported(
            "digest algorithm blake3 is not available here: let the producer use sha256, sha384 "
            "or sha512 (--artifact-digest-algo)"
        )
    if algorithm not in ALGORITHMS:
        raise DigestUnsupported(
            f"digest algorithm {algorithm!r} is not supported: use {', '.join(ALGORITHMS)}"
        )
    return hashlib.new(algorithm)


class Digest(NamedTuple):
    """A parsed digest."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<algorithm>:<hex>`; bare hex is sha256, as upstream reads it.

        Raises DigestUnsupported for an empty or malformed text and for unsupported algorithms.
        """
        algorithm, colon, value = text.rpartition(":")
        if not colon:
            algorithm = "sha256"
        value = value.lower()
        new_hash(algorithm)
        if len(value) != ALGORITHMS[algorithm] or not _HEX.fullmatch(value):
            raise DigestUnsupported(f"not a digest: {text!r}")
        return cls(algorithm, value)

    def matches(self, value: str) -> bool:
        """Compare with a computed hex value."""
        return hmac.compare_digest(self.hex, value)

    def __str__(self) -> str:
        """`<algorithm>:<hex>`."""
        return f"{self.algorithm}:{self.hex}"


def hash_file(path: Path, algorithm: str) -> str:
    """Hash a file and return the hex value. Blocking: call it off the event loop."""
    new_hash(algorithm)
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
