"""The storage protocol, and the one rule that decides what is garbage."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import NamedTuple, Protocol

from ._errors import PathRejected

__all__ = ["Chunks", "Reading", "Store", "Stored", "check_path", "check_prefix", "garbage"]

Chunks = AsyncIterable[bytes] | Iterable[bytes]
"""Content in pieces. A plain iterable is drawn from in a thread, so it may read and compress."""


class Stored(NamedTuple):
    """A file in a store.

    `size` in bytes, `modified` in seconds since 1970; `digest` is `<algorithm>:<hex>`, empty where
    it was not computed (only `write` computes it).
    """

    path: str
    """The path below the store's root."""
    size: int
    modified: float
    digest: str = ""


class Reading(Protocol):
    """A stored file being read: an iterator of chunks, to be closed by whoever opened it."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the chunks in order."""

    async def aclose(self) -> None:
        """Close, also before the end; the end closes by itself."""


class Store(Protocol):
    """Where artifacts are kept, by paths of the form `<kind>/<namespace>/<name>/<file>`.

    Every method raises PathRejected for a path of any other form.
    """

    async def write(self, path: str, chunks: Chunks) -> Stored:
        """Store a file whole: it is visible, with all its bytes, once this returns.

        Cancelled or failed: nothing is visible, nothing is left. (A cancellation that comes after
        the last byte, during the final rename, is too late: then the file is there, whole.)
        """

    async def stat(self, path: str) -> Stored | None:
        """Size and modification time, None for what is not there."""

    async def verify(self, path: str, digest: str) -> bool:
        """Hash what is stored; False for other bytes and for a missing file."""

    async def collect(self, prefix: str, keep: str | None, ttl: float, records: int) -> list[str]:
        """Remove the garbage of one object (`<kind>/<namespace>/<name>`) and return its paths."""

    async def remove(self, prefix: str) -> None:
        """Remove everything of one object."""

    async def link(self, path: str, name: str) -> str:
        """Let `name`, in the same folder, stand for the file from now on; return its URL."""

    def url(self, path: str) -> str:
        """Name the address at which consumers find the file. Not escaped, as upstream's is not."""

    async def open(self, path: str, start: int = 0, stop: int | None = None) -> Reading:
        """Read bytes `start` (inclusive) to `stop` (exclusive, None: the end), in chunks.

        The file is open once this returns, so a later removal does not cut the reader short.
        Raises ArtifactNotFound.
        """


def garbage(
    files: Iterable[Stored], keep: str | None, ttl: float, records: int, now: float
) -> list[str]:
    """Decide which files go; upstream's rule, in order of removal, oldest first.

    Never `keep`; everything older than `ttl` seconds; then, while more than `records` remain (the
    kept one counts), the oldest, however young.
    """
    aged = sorted((file for file in files), key=lambda file: (file.modified, file.path))
    condemned = [file.path for file in aged if file.path != keep and now - file.modified > ttl]
    rest = [file.path for file in aged if file.path not in set(condemned)]
    surplus = max(0, len(rest) - records)
    return condemned + [path for path in rest if path != keep][:surplus]


def check_path(path: str) -> tuple[str, ...]:
    """Split a storage path into its four parts. Raises PathRejected."""
    return _check(path, 4, "<kind>/<namespace>/<name>/<file>")


def check_prefix(prefix: str) -> tuple[str, ...]:
    """Split an object's prefix into its three parts. Raises PathRejected."""
    return _check(prefix, 3, "<kind>/<namespace>/<name>")


def _check(path: str, count: int, form: str) -> tuple[str, ...]:
    parts = tuple(path.split("/"))
    # A leading dot would meet the store's own temporary files, and covers `.` and `..`.
    sound = len(parts) == count and all(
        part
        and not part.startswith(".")
        and "\\" not in part
        and part.isprintable()
        and len(part.encode(errors="surrogateescape")) <= 255
        for part in parts
    )
    if not sound:
        raise PathRejected(f"storage path {path!r} is not of the form {form}")
    return parts
