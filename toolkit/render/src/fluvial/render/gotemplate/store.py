"""Parsed templates on disk: what one process has parsed, the next one reads.

    keep_parsed(ParsedStore(Path("~/.cache/fluvial/templates").expanduser()))

A file holds the trees of all texts of a chart as plain data, named by the digest of their names,
their content and the form of the data; nothing in it can name code. The folder belongs to one user
(mode 0700): one that is a link, belongs to another or is open to others is not used. A file that is
damaged, of another version, or that others may write to, counts as missing. When the folder has
grown beyond its budget, the files used longest ago go.
"""

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from fluvial.render.gotemplate._parse import Parsed
from fluvial.render.gotemplate._plain import from_plain, to_plain
from fluvial.render.gotemplate._values import to_bytes

__all__ = ["ParsedStore"]

_FORM: Final = b"4"
"""Goes with what the parser makes of a text: to be raised when either changes."""

_SMALLEST: Final = 256
_LARGEST: Final = 16 * 2**20
_DIGEST: Final = 32


class ParsedStore:
    """A folder of parsed templates; `budget` is its size in bytes.

    Processes may share one. Raises OSError when the folder cannot be made, PermissionError when it
    is not safe to use.
    """

    def __init__(self, folder: Path, budget: int = 64 * 2**20) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is not a folder of this user")
        if found.st_mode & 0o077:
            raise PermissionError(f"{folder} is open to others: chmod 700 it, or name another")
        self._folder, self._budget = folder, budget
        self._size = sum(size for _, size, _ in self._files())

    def load(self, texts: Mapping[str, str]) -> dict[str, Parsed] | None:
        """Return what is kept of the texts of a chart, by name; None when that is not all."""
        path = self._path(texts)
        if path is None:
            return None
        try:
            data = _read(path)
            digest, data = data[:_DIGEST], data[_DIGEST:]
            if hashlib.sha256(data).digest() != digest:
                return None
            return from_plain(msgspec.msgpack.decode(data), list(texts))
        except (OSError, msgspec.DecodeError, ValueError, LookupError, TypeError, RecursionError):
            return None

    def save(self, texts: Mapping[str, str], parsed: Mapping[str, Parsed]) -> None:
        """Keep what was parsed. A full disk, or a folder that went away, is no error."""
        path = self._path(texts)
        if path is None:
            return
        data = msgspec.msgpack.encode(to_plain([parsed[name] for name in texts]))
        if len(data) > min(_LARGEST, self._budget):
            return
        with contextlib.suppress(OSError):
            handle, temporary = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(data).digest())
                    file.write(data)
                Path(temporary).replace(path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._size += len(data) + _DIGEST
            if self._size > self._budget:
                self._shrink()

    def _path(self, texts: Mapping[str, str]) -> Path | None:
        """Return the place of a set; None for one that is parsed as soon as it is read."""
        if sum(map(len, texts.values())) < _SMALLEST:
            return None
        digest = hashlib.sha256(_FORM)
        for part in (part for item in texts.items() for part in item):
            data = to_bytes(part)
            digest.update(len(data).to_bytes(8))
            digest.update(data)
        return self._folder / digest.hexdigest()

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return time, size and place of every file; others may remove some meanwhile."""
        found = []
        for entry in os.scandir(self._folder):
            with contextlib.suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                found.append((facts.st_mtime, facts.st_size, Path(entry.path)))
        return found

    def _shrink(self) -> None:
        """Remove the files used longest ago until half of the budget is free."""
        found = self._files()
        self._size = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if self._size <= self._budget // 2:
                break
            path.unlink(missing_ok=True)
            self._size -= size


def _read(path: Path) -> bytes:
    """Read a file that only this user may write to, and note its use. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError(f"{path} is not of this user alone")
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST + _DIGEST:
            raise OSError(f"{path} is none of the files that are kept")
        os.utime(handle)
        return file.read()
