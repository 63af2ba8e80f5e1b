"""File systems to build from: a folder on disk, or a dict in memory.

Paths are relative to the tree's root, with `/` between parts and without `.` or `..`; the empty
path is the root itself. Nothing outside the root can be named.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from fluvial.render.kustomize._errors import LoadError

__all__ = ["DiskTree", "MemoryTree", "Tree", "join"]

_LARGEST_FILE = 64 * 1024 * 1024


class Tree(Protocol):
    """What the engine needs of a file system; nothing is ever written."""

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises LoadError when it is no readable file."""

    def exists(self, path: str) -> bool:
        """Say whether a regular file stands there."""

    def is_dir(self, path: str) -> bool:
        """Say whether a folder stands there."""

    def list(self, path: str) -> list[str]:
        """Return the sorted names in a folder. Raises LoadError when it is none."""


def join(base: str, path: str) -> str:
    """Resolve `path` against the folder `base`, both within the root.

    Raises LoadError when the result would leave the root, or when `path` is absolute or holds a
    NUL.
    """
    if path.startswith("/") or "\0" in path:
        raise LoadError(f"{path!r} must be a relative path inside the root")
    parts = base.split("/") if base else []
    for part in path.split("/"):
        if part in {"", "."}:
            continue
        if part == "..":
            if not parts:
                raise LoadError(
                    f"fs-security-constraint: {path!r} (from {base or '.'!r}) leaves the root"
                )
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


class DiskTree:
    """A folder on disk. Symbolic links count only when they lead to a place inside the root."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).resolve()
        self._real = str(self.root)
        self._prefix = f"{self._real}{os.sep}"
        self._folders = {"": self._real}

    def _confined(self, path: str) -> str:
        """Return the real place of `path`; raises LoadError when that is outside the root.

        Where a folder really is, is asked once: a chart has hundreds of files in a few folders.
        """
        folder, _, leaf = path.rpartition("/")
        place = self._folders.get(folder)
        if place is None:
            place = self._folders[folder] = self._resolved(folder)
        if leaf in {"", ".", ".."}:
            return self._resolved(path)
        real = f"{place}{os.sep}{leaf}"
        return self._resolved(path) if os.path.islink(real) else real  # noqa: PTH114 (hot)

    def _resolved(self, path: str) -> str:
        """Follow every link of `path`."""
        real = os.path.realpath(f"{self._prefix}{path}")
        if real != self._real and not real.startswith(self._prefix):
            raise LoadError(f"fs-security-constraint: {path!r} leads outside the root by a link")
        return real

    def read(self, path: str) -> bytes:
        """Return a file's content; regular files of at most 64 MiB only."""
        place = self._confined(path)
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise LoadError(f"cannot read {path!r}: {error.strerror}") from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise LoadError(f"cannot read {path!r}: not a regular file")
            if status.st_size > _LARGEST_FILE:
                raise LoadError(f"cannot read {path!r}: larger than {_LARGEST_FILE} bytes")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(status.st_size)
        finally:
            os.close(descriptor)

    def exists(self, path: str) -> bool:
        """Say whether a regular file stands there; False for what leads outside."""
        try:
            return os.path.isfile(self._confined(path))  # noqa: PTH113 (hot)
        except LoadError:
            return False

    def is_dir(self, path: str) -> bool:
        """Say whether a folder stands there; False for what leads outside."""
        try:
            return os.path.isdir(self._confined(path))  # noqa: PTH112 (hot)
        except LoadError:
            return False

    def list(self, path: str) -> list[str]:
        """Return the sorted names in a folder."""
        try:
            return sorted(os.listdir(self._confined(path)))  # noqa: PTH208 (hot)
        except OSError as error:
            raise LoadError(f"cannot list {path!r}: {error.strerror}") from None


class MemoryTree:
    """Files by path. `overlay` puts changed files over another tree, which stays as it is."""

    def __init__(self, files: Mapping[str, bytes | str], overlay: Tree | None = None) -> None:
        self._files = {
            join("", name): content.encode() if isinstance(content, str) else content
            for name, content in files.items()
        }
        self._below = overlay
        self._folders: dict[str, set[str]] = {"": set()}
        for name in self._files:
            child = name
            while child:
                parent, _, leaf = child.rpartition("/")
                self._folders.setdefault(parent, set()).add(leaf)
                child = parent

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        if path in self._files:
            return self._files[path]
        if self._below is not None:
            return self._below.read(path)
        problem = "is a directory" if path in self._folders else "no such file"
        raise LoadError(f"cannot read {path!r}: {problem}")

    def exists(self, path: str) -> bool:
        """Say whether a file stands there."""
        return path in self._files or (self._below is not None and self._below.exists(path))

    def is_dir(self, path: str) -> bool:
        """Say whether a folder stands there."""
        return path in self._folders or (self._below is not None and self._below.is_dir(path))

    def list(self, path: str) -> list[str]:
        """Return the sorted names in a folder."""
        names = set(self._folders.get(path, ()))
        if self._below is not None and self._below.is_dir(path):
            names.update(self._below.list(path))
        elif path not in self._folders:
            raise LoadError(f"cannot list {path!r}: no such folder")
        return sorted(names)
