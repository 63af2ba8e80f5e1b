"""A deterministic writer of `.tar.gz` archives.

The same entries give the same bytes, on every machine: owner 0, time 0, normalised modes, one
order. The format is upstream's: USTAR, with PAX records where a name or size does not fit; names
without a leading `./`, folders without a trailing slash; a gzip header without name and time.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from isal import isal_zlib

from ._digest import new_hash
from ._errors import ArchiveRejected

__all__ = ["Entry", "Packed", "pack", "pack_file", "walk"]

_RECORD = 512
_BLOCK = 1 << 18
_FOLDER, _FILE, _PROGRAM = 0o750, 0o600, 0o700
_USTAR_SIZE = 8**11
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LEVEL = 1


class Entry(NamedTuple):
    """One file or folder.

    `path` is relative, with slashes; the root is `.`. Of `mode` only the kind (folder) and whether
    any execute bit is set are kept. `data` gives exactly `size` bytes: all of them, or an iterable
    of pieces.
    """

    path: str
    mode: int
    size: int = 0
    data: bytes | Iterable[bytes] = b""

    @classmethod
    def folder(cls, path: str) -> Self:
        """Name a folder."""
        return cls(path, stat.S_IFDIR | _FOLDER)

    @classmethod
    def file(cls, path: str, data: bytes, *, executable: bool = False) -> Self:
        """Name a file held in memory."""
        return cls(path, stat.S_IFREG | (_PROGRAM if executable else _FILE), len(data), data)


class Packed(NamedTuple):
    """What was written: `<algorithm>:<hex>` and bytes."""

    digest: str
    """`<algorithm>:<hex>` of the compressed bytes."""
    size: int
    """The compressed bytes."""


def pack(entries: Iterable[Entry], *, level: int = _LEVEL) -> Iterator[bytes]:
    """Write entries as a gzipped tar, in pieces of some 256 KiB.

    Entries come in the order of a walk: parents first, names within a folder by their bytes.
    Raises ArchiveRejected for any other order (so also for duplicates), for a name that a reader
    would refuse, and for data that is not as long as announced. Blocking while it is drawn from:
    draw from it in a worker or a thread.
    """
    deflate = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15)
    checksum = total = 0
    pending = bytearray(_GZIP_HEADER)
    for piece in _blocks(_tar(entries)):
        checksum = isal_zlib.crc32(piece, checksum)
        total += len(piece)
        pending += deflate.compress(piece)
        if len(pending) >= _BLOCK:
            yield bytes(pending)
            pending.clear()
    pending += deflate.flush()
    pending += checksum.to_bytes(4, "little") + (total & 0xFFFFFFFF).to_bytes(4, "little")
    yield bytes(pending)


def pack_file(
    entries: Iterable[Entry], path: Path, *, algorithm: str = "sha256", level: int = _LEVEL
) -> Packed:
    """Pack into a new file of mode 0600, hashing while writing; nothing is left on failure."""
    digest, size = new_hash(algorithm), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            for chunk in pack(entries, level=level):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
    except FileExistsError:
        raise
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Packed(f"{algorithm}:{digest.hexdigest()}", size)


def walk(root: Path, include: Callable[[str, bool], bool] = lambda *_: True) -> Iterator[Entry]:
    """List a directory as entries, in packing order, the root first.

    Links and special files are left out and never followed. `include(path, is_folder)` filters;
    a folder that is left out is still descended into, as upstream does, so that a negated ignore
    rule can bring back what is below it.
    """
    yield Entry.folder(".")
    yield from _walk(root, "", include)


def _walk(folder: Path, prefix: str, include: Callable[[str, bool], bool]) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        children = sorted(found, key=lambda child: os.fsencode(child.name))
    for child in children:
        path = prefix + child.name
        if child.is_dir(follow_symlinks=False):
            if include(path, True):
                yield Entry.folder(path)
            yield from _walk(Path(child.path), f"{path}/", include)
        elif child.is_file(follow_symlinks=False) and include(path, False):
            status = child.stat(follow_symlinks=False)
            yield Entry(path, status.st_mode, status.st_size, _pieces(child.path))


def _pieces(path: str) -> Iterator[bytes]:
    """Read a file once its turn comes; not if it has become a link meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        while piece := file.read(_BLOCK):
            yield piece


def _tar(entries: Iterable[Entry]) -> Iterator[bytes]:
    last: tuple[bytes, ...] | None = None
    for entry in entries:
        name = _name(entry.path)
        order = () if name == b"." else tuple(name.split(b"/"))
        if last is not None and order <= last:
            raise ArchiveRejected(
                f"entry {entry.path!r} comes after {b'/'.join(last).decode(errors='replace')!r}: "
                "entries go in the order of a walk, each once"
            )
        last = order
        if stat.S_ISDIR(entry.mode):
            yield _header(name, _FOLDER, 0, b"5")
            continue
        yield _header(name, _PROGRAM if entry.mode & 0o111 else _FILE, entry.size, b"0")
        written = 0
        for piece in (entry.data,) if isinstance(entry.data, bytes) else entry.data:
            written += len(piece)
            if written > entry.size:
                break
            yield piece
        if written != entry.size:
            raise ArchiveRejected(
                f"entry {entry.path!r} gave {written} bytes or more, {entry.size} were announced"
            )
        yield bytes(-written % _RECORD)
    yield bytes(2 * _RECORD)


def _name(path: str) -> bytes:
    name = os.fsencode(path)
    parts = name.split(b"/")
    if path != "." and (
        b"\0" in name or b"\\" in name or any(part in {b"", b".", b".."} for part in parts)
    ):
        raise ArchiveRejected(f"entry {path!r} has a name that readers refuse")
    return name


def _header(name: bytes, mode: int, size: int, kind: bytes) -> bytes:
    records = b""
    prefix, short = _split(name)
    if short is None:
        records += _pax(b"path", name)
        prefix, short = b"", name[:100]
    if size >= _USTAR_SIZE:
        records += _pax(b"size", str(size).encode())
    head = b""
    if records:
        folder, _, base = name.rpartition(b"/")
        label = (folder + b"/" if folder else b"") + b"PaxHeaders.0/" + base
        # The label is for eyes only; readers take the name from the record.
        head = _block(b"", label[:100], 0, len(records), b"x") + records
        head += bytes(-len(records) % _RECORD)
    return head + _block(prefix, short, mode, size if size < _USTAR_SIZE else 0, kind)


def _split(name: bytes) -> tuple[bytes, bytes | None]:
    """Fit a name into USTAR's prefix of 155 and name of 100 bytes; None if it does not fit."""
    if not name.isascii():
        return b"", None
    if len(name) <= 100:
        return b"", name
    cut = name.rfind(b"/", 0, 156)
    if cut <= 0 or len(name) - cut - 1 > 100:
        return b"", None
    return name[:cut], name[cut + 1 :]


def _pax(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def _block(prefix: bytes, name: bytes, mode: int, size: int, kind: bytes) -> bytes:
    fields = (
        name.ljust(100, b"\0"),
        b"%07o\0" % mode,
        b"0000000\0" * 2,  # owner and group
        b"%011o\0" % size,
        b"00000000000\0",  # time
        b" " * 8,  # the checksum counts as blanks
        kind,
        bytes(100),
        b"ustar\x0000",
        bytes(64),  # names of owner and group
        b"0000000\0" * 2,  # device numbers
        prefix.ljust(155, b"\0"),
        bytes(12),
    )
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Gather small pieces, so that each call of the compressor is worth its price."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        if len(pending) >= _BLOCK:
            yield bytes(pending)
            pending.clear()
    yield bytes(pending)
