"""Parsed templates on disk: what one process has parsed, the next one reads.

    keep_parsed(ParsedStore(Path("~/.cache/fluvial/templates").expanduser()))

A file holds the trees of one text as plain data, named by the digest of the text and of the form
of the data; nothing in it can name code. The folder belongs to one user (mode 0700), and one that
others may write to, or that is a link, is not used. A file that is damaged, or of another version,
counts as missing. When the folder has grown beyond its budget, the files used longest ago go.
"""

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from fluvial.render.gotemplate._parse import Parsed
from fluvial.render.gotemplate._plain import from_plain, to_plain
from fluvial.render.gotemplate._values import to_bytes

__all__ = ["ParsedStore"]

_FORM: Final = b"1"
_SMALLEST: Final = 256
_LARGEST: Final = 16 * 2**20


class ParsedStore:
    """A folder of parsed templates; `budget` is its size in bytes.

    Raises OSError when the folder cannot be made, PermissionError when it is not safe to use.
    """

    def __init__(self, folder: Path, budget: int = 64 * 2**20) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is not a folder of this user")
        if found.st_mode & 0o077:
            raise PermissionError(f"{folder} is open to others: chmod 700 it, or name another")
        self._folder, self._budget = folder, budget
        self._size = sum(entry.stat().st_size for entry in os.scandir(folder))

    def load(self, name: str, text: str) -> Parsed | None:
        """Return what is kept of a text; its own template is called `name`."""
        path = self._path(text)
        if path is None:
            return None
        try:
            data = path.read_bytes()
            os.utime(path)
            return from_plain(msgspec.msgpack.decode(data), name)
        except (OSError, msgspec.DecodeError, ValueError, LookupError, TypeError, RecursionError):
            return None

    def save(self, text: str, parsed: Parsed) -> None:
        """Keep what was parsed. A full disk, or a folder that went away, is no error."""
        path = self._path(text)
        if path is None:
            return
        data = msgspec.msgpack.encode(to_plain(parsed))
        if len(data) > _LARGEST:
            return
        with contextlib.suppress(OSError):
            handle, temporary = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(temporary).replace(path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._size += len(data)
            if self._size > self._budget:
                self._shrink()

    def _path(self, text: str) -> Path | None:
        """Return the place of a text; None for one that is parsed as soon as it is read."""
        if len(text) < _SMALLEST:
            return None
        digest = hashlib.sha256(_FORM + to_bytes(text)).hexdigest()
        return self._folder / digest

    def _shrink(self) -> None:
        """Remove the files used longest ago until half of the budget is free."""
        found: list[tuple[float, int, Any]] = []
        for entry in os.scandir(self._folder):
            facts = entry.stat()
            found.append((facts.st_mtime, facts.st_size, entry.path))
        self._size = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if self._size <= self._budget // 2:
                break
            Path(path).unlink(missing_ok=True)
            self._size -= size
