"""A reader of `.tar.gz` archives that trusts nothing.

It writes plain files and folders below a folder that it made itself, so no link can be there to
be followed. Links in the archive are skipped (symbolic ones, as upstream does) or refused (hard
ones); devices, pipes, sparse files and everything unknown are refused. Names are refused when
they are empty, absolute, or hold a backslash, a NUL or a `..`.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from ._errors import ArchiveRejected, LimitExceeded
from ._inflate import Inflating
from ._tar import Header, read_headers

__all__ = ["Limits", "Unpacked", "unpack"]

_BLOCK = 1 << 18


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much an archive may cost.

    `bytes` counts the unpacked stream, headers included; `ratio` is that by the compressed bytes
    read, looked at after the first 16 MiB; `depth` counts the parts of a name, `path_bytes` its
    length; `seconds` is the whole time.
    """

    bytes: int = 2 << 30
    entries: int = 250_000
    """How many entries there may be."""
    depth: int = 64
    path_bytes: int = 1024
    ratio: int = 300
    seconds: float = 120.0


class Unpacked(NamedTuple):
    """What was written, and how many symbolic links were left out."""

    files: int
    """How many files were written."""
    bytes: int
    """How many bytes they have."""
    skipped: int
    """How many symbolic links were left out."""


def unpack(
    source: IO[bytes],
    target: Path,
    limits: Limits | None = None,
    *,
    read_only: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Unpacked:
    """Unpack into `target`, which must not exist yet; its parent must.

    Files get mode 0600, or 0700 with any execute bit; folders 0700; without the write bit with
    `read_only`. Raises ArchiveRejected (LimitExceeded among them) at the first entry that breaks a
    rule; what was written until then stays, for the caller to remove with the target. Blocking:
    call it off the event loop.
    """
    limits = limits or Limits()
    stream = Inflating(source, limits.bytes, limits.ratio)
    tree = _Tree(target, read_only=read_only)
    end = clock() + limits.seconds
    skipped = 0
    for entries, header in enumerate(read_headers(stream, limits.path_bytes), 1):
        if entries > limits.entries:
            raise LimitExceeded(f"archive has more than {limits.entries} entries")
        if clock() > end:
            raise LimitExceeded(f"unpacking took longer than {limits.seconds:g} s")
        parts = _parts(header, limits)
        if header.kind == "symlink":
            skipped += 1
        elif header.kind == "folder":
            tree.folder(parts, header)
        else:
            tree.file(parts, header, stream)
    tree.finish()
    return Unpacked(tree.files, tree.bytes, skipped)


def _parts(header: Header, limits: Limits) -> tuple[bytes, ...]:
    name = header.name
    if not name:
        raise ArchiveRejected("archive has an entry without a name")
    if len(name) > limits.path_bytes:
        raise LimitExceeded(f"entry {_shown(name)} has a name of {len(name)} bytes")
    parts = tuple(part for part in name.split(b"/") if part not in {b"", b"."})
    if name.startswith(b"/") or b"\\" in name or b"\0" in name or b".." in parts:
        raise ArchiveRejected(f"entry {_shown(name)} could leave the target: refused")
    if len(parts) > limits.depth:
        raise LimitExceeded(f"entry {_shown(name)} is more than {limits.depth} levels deep")
    if any(len(part) > 255 for part in parts):
        raise LimitExceeded(f"entry {_shown(name)} has a part longer than 255 bytes")
    if not parts and header.kind == "file":
        raise ArchiveRejected(f"entry {_shown(name)} is the root but not a folder")
    return parts


class _Tree:
    """The folder that is being filled."""

    def __init__(self, target: Path, *, read_only: bool) -> None:
        self._root = os.fsencode(target)
        self._read_only = read_only
        self._folders: set[tuple[bytes, ...]] = {()}
        self.files = 0
        self.bytes = 0
        target.mkdir(mode=0o700)

    def folder(self, parts: tuple[bytes, ...], header: Header) -> None:
        missing = []
        while parts not in self._folders:
            missing.append(parts)
            parts = parts[:-1]
        for folder in reversed(missing):
            try:
                os.mkdir(self._path(folder), 0o700)  # noqa: PTH102  (names are bytes here)
            except FileExistsError as error:
                raise ArchiveRejected(
                    f"entry {_shown(header.name)} makes a folder of a file"
                ) from error
            self._folders.add(folder)

    def file(self, parts: tuple[bytes, ...], header: Header, stream: Inflating) -> None:
        if parts in self._folders:
            raise ArchiveRejected(f"entry {_shown(header.name)} makes a file of a folder")
        self.folder(parts[:-1], header)
        path = self._path(parts)
        mode = 0o700 if header.mode & 0o111 else 0o600
        descriptor = _create(path, mode & 0o500 if self._read_only else mode)
        try:
            left = header.size
            while left:
                chunk = stream.read(min(left, _BLOCK))
                os.write(descriptor, chunk)
                left -= len(chunk)
        except OSError as error:
            error.filename = os.fsdecode(path)
            raise
        finally:
            os.close(descriptor)
        self.files += 1
        self.bytes += header.size

    def finish(self) -> None:
        if self._read_only:
            for folder in self._folders:
                os.chmod(self._path(folder), 0o500)  # noqa: PTH101  (names are bytes here)

    def _path(self, parts: tuple[bytes, ...]) -> bytes:
        return b"/".join((self._root, *parts))


def _create(path: bytes, mode: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, mode)
    except FileExistsError:
        # Of two entries with one name the last counts, its mode as well.
        os.unlink(path)  # noqa: PTH108  (names are bytes here)
        return os.open(path, flags, mode)


def _shown(name: bytes) -> str:
    text = name[:80].decode(errors="backslashreplace")
    return repr(text + "…" if len(name) > 80 else text)
