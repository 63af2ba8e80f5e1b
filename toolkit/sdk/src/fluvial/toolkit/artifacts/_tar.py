"""The tar layer of the hardened reader: headers in, facts out."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ._errors import ArchiveRejected, LimitExceeded
from ._inflate import Inflating

__all__ = ["Header", "read_headers"]

_RECORD = 512
_EXTRA = 1 << 16
"""Bytes of extended headers before one entry, and of a GNU long name."""

_KINDS: dict[bytes, Literal["file", "folder", "symlink"]] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"5": "folder",
    b"2": "symlink",
}
_REFUSED = {
    b"1": "a hard link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"S": "a sparse file",
}


class Header(NamedTuple):
    """One entry; the bytes of a file follow in the stream and must be read before the next."""

    name: bytes
    kind: Literal["file", "folder", "symlink"]
    mode: int
    size: int


def read_headers(stream: Inflating, longest_name: int) -> Iterator[Header]:
    """Walk the entries, extended headers resolved. Raises ArchiveRejected.

    A symbolic link's data and the padding of files are passed over here.
    """
    name: bytes | None = None
    size: int | None = None
    extra = 0
    while True:
        block = stream.read_up_to(_RECORD)
        if not block or block == bytes(_RECORD):
            # One zero record ends the archive for lenient readers, and none for broken writers;
            # both are read as Go reads them.
            if extra:
                raise ArchiveRejected("archive ends after an extended header")
            return
        if len(block) < _RECORD:
            raise ArchiveRejected("archive is cut short in a header")
        _check(block)
        kind = block[156:157]
        length = _number(block[124:136], "size")
        if kind in b"xgLK":
            extra += length + _RECORD
            if extra > _EXTRA:
                raise LimitExceeded(f"archive has more than {_EXTRA} bytes of extended headers")
            body = stream.read(length)
            stream.skip(-length % _RECORD)
            if kind == b"x":
                name, size = _records(body, name, size)
            elif kind == b"L":
                name = body.partition(b"\0")[0]
            continue
        if name is None:
            name = _ustar_name(block)
        if size is None:
            size = length
        if kind not in _KINDS:
            what = _REFUSED.get(kind, f"of an unknown type {kind!r}")
            shown = name[:longest_name].decode(errors="backslashreplace")
            raise ArchiveRejected(f"entry {shown!r} is {what}: refused")
        # Old archives mark a folder only by its slash.
        form = "folder" if name.endswith(b"/") and _KINDS[kind] == "file" else _KINDS[kind]
        mode = _number(block[100:108], "mode")
        if form == "file":
            yield Header(name, form, mode, size)
        else:
            yield Header(name, form, mode, 0)
            stream.skip(size)
        stream.skip(-size % _RECORD)
        name = size = None
        extra = 0


def _check(block: bytes) -> None:
    stated = _number(block[148:156], "checksum")
    blanked = block[:148] + b" " * 8 + block[156:]
    if stated == sum(blanked):
        return
    # Some old writers summed signed bytes.
    if stated != sum(byte - 256 if byte > 127 else byte for byte in blanked):
        raise ArchiveRejected("archive has a damaged header (checksum)")


def _number(field: bytes, what: str) -> int:
    if field[0] & 0x80:
        # Base 256; the second bit is the sign.
        if field[0] & 0x40:
            raise ArchiveRejected(f"archive has an entry with a negative {what}")
        return int.from_bytes(bytes((field[0] & 0x3F,)) + field[1:], "big")
    text = field.partition(b"\0")[0].strip(b" ")
    if text and not (text.isdigit() and text.isascii() and max(text) <= ord("7")):
        raise ArchiveRejected(f"archive has an entry with a malformed {what}: {text!r}")
    return int(text or b"0", 8)


def _ustar_name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].partition(b"\0")[0]
        if prefix:
            return prefix + b"/" + name
    return name


def _records(body: bytes, name: bytes | None, size: int | None) -> tuple[bytes | None, int | None]:
    """Read PAX records, lines of `<length> <key>=<value>`; only name and size matter here."""
    while body:
        digits, blank, _ = body.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 8 else 0
        record = body[len(digits) + 1 : length]
        key, equals, value = record.partition(b"=")
        if not blank or length <= len(digits) + 1 or length > len(body) or not equals:
            raise ArchiveRejected("archive has a malformed extended header")
        if not value.endswith(b"\n"):
            raise ArchiveRejected("archive has a malformed extended header")
        value = value[:-1]
        if key == b"path":
            name = value
        elif key == b"size":
            if not value.isdigit() or len(value) > 18:
                raise ArchiveRejected(f"archive has an entry with a malformed size: {value!r}")
            size = int(value)
        elif key.startswith(b"GNU.sparse."):
            raise ArchiveRejected("archive has a sparse file: refused")
        body = body[length:]
    return name, size
