"""A store on a local file system."""

import asyncio
import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import IO, Self

from ._digest import Digest, new_hash
from ._errors import ArtifactNotFound
from .store import Chunks, Reading, Stored, check_path, check_prefix, garbage

__all__ = ["LocalStore"]

_BLOCK = 1 << 18
"""Bytes moved per hop between the event loop and a thread."""

_EXAMINED = 1000
"""How many files of one object a collection looks at, as upstream bounds it."""


class LocalStore:
    """Files below `root`, in upstream's layout, so that a volume can change hands.

    `address` is what consumers put before a path: a host with or without `http://`. `algorithm`
    is that of the digests computed here. `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        root: Path,
        address: str,
        *,
        algorithm: str = "sha256",
        clock: Callable[[], float] = time.time,
    ) -> None:
        new_hash(algorithm)
        self.root = root
        self._base = address if "://" in address else f"http://{address}"
        self._base = self._base.rstrip("/")
        self._algorithm = algorithm
        self._clock = clock

    async def write(self, path: str, chunks: Chunks) -> Stored:
        """Stream to a temporary sibling, fsync it, rename it, fsync the folder."""
        target = self.root.joinpath(*check_path(path))
        draft = await asyncio.to_thread(_Draft.begin, self.root, target, self._algorithm)
        try:
            if isinstance(chunks, AsyncIterable):
                async for chunk in chunks:
                    await asyncio.to_thread(draft.feed, chunk)
            else:
                iterator = iter(chunks)
                while await asyncio.to_thread(draft.draw, iterator):
                    pass
            digest, size, modified = await asyncio.shield(asyncio.to_thread(draft.commit))
        except BaseException:
            await asyncio.to_thread(draft.abort)
            raise
        return Stored(path, size, modified, digest)

    async def stat(self, path: str) -> Stored | None:
        """Size and modification time; of the file that is meant, for a link."""
        parts = check_path(path)

        def look() -> Stored | None:
            try:
                with _open(self.root, parts) as file:
                    found = os.fstat(file.fileno())
            except ArtifactNotFound:
                return None
            return Stored(path, found.st_size, found.st_mtime)

        return await asyncio.to_thread(look)

    async def verify(self, path: str, digest: str) -> bool:
        """Hash the stored file with the digest's own algorithm."""
        parts = check_path(path)
        wanted = Digest.parse(digest)

        def check() -> bool:
            try:
                with _open(self.root, parts) as file:
                    found = hashlib.file_digest(file, wanted.algorithm).hexdigest()
            except ArtifactNotFound:
                return False
            return wanted.matches(found)

        return await asyncio.to_thread(check)

    async def collect(self, prefix: str, keep: str | None, ttl: float, records: int) -> list[str]:
        """Remove garbage, the Go controller's lock files of it, and drafts of killed processes."""
        folder = self.root.joinpath(*check_prefix(prefix))

        def sweep() -> list[str]:
            now = self._clock()
            files = []
            for name, found in _files(folder):
                if name.startswith("."):
                    if now - found.st_mtime > ttl:
                        (folder / name).unlink(missing_ok=True)
                elif not name.endswith(".lock"):
                    files.append(Stored(f"{prefix}/{name}", found.st_size, found.st_mtime))
            gone = garbage(files, keep, ttl, records, now)
            for path in gone:
                (self.root / path).unlink(missing_ok=True)
                (self.root / f"{path}.lock").unlink(missing_ok=True)
            return gone

        return await asyncio.to_thread(sweep)

    async def remove(self, prefix: str) -> None:
        """Remove the object's folder; not an error when there is none."""
        folder = self.root.joinpath(*check_prefix(prefix))

        def clear() -> None:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)

        await asyncio.to_thread(clear)

    async def link(self, path: str, name: str) -> str:
        """Make a symbolic link beside the file; it is replaced in one step."""
        parts = check_path(path)
        alias = check_path("/".join((*parts[:3], name)))
        folder = self.root.joinpath(*parts[:3])

        def replace() -> None:
            draft = folder / f".{name}.{secrets.token_hex(8)}"
            draft.symlink_to(parts[3])
            draft.replace(folder / name)

        await asyncio.to_thread(replace)
        return self.url("/".join(alias))

    def url(self, path: str) -> str:
        """`<address>/<path>`."""
        check_path(path)
        return f"{self._base}/{path}"

    async def open(self, path: str, start: int = 0, stop: int | None = None) -> Reading:
        """Open now, read in a thread as the iterator is drawn from."""
        file = await asyncio.to_thread(_open, self.root, check_path(path))
        return _Reading(file, start, stop)


class _Draft:
    """A file that is being written beside its place."""

    def __init__(self, file: IO[bytes], draft: Path, target: Path, algorithm: str) -> None:
        self._file = file
        self._draft = draft
        self._target = target
        self._algorithm = algorithm
        self._hash = new_hash(algorithm)
        self._size = 0
        # A cancelled write leaves its thread running: abort has to wait for it.
        self._lock = threading.Lock()

    @classmethod
    def begin(cls, root: Path, target: Path, algorithm: str) -> Self:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = root
        for part in target.parent.relative_to(root).parts:
            folder = folder / part
            folder.mkdir(mode=0o700, exist_ok=True)
        draft = target.parent / f".{secrets.token_hex(12)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return cls(os.fdopen(os.open(draft, flags, 0o600), "wb"), draft, target, algorithm)

    def feed(self, chunk: bytes) -> None:
        with self._lock:
            self._hash.update(chunk)
            self._size += len(chunk)
            self._file.write(chunk)

    def draw(self, chunks: Iterator[bytes]) -> bool:
        """Take about one block; False at the end."""
        until = self._size + _BLOCK
        for chunk in chunks:
            self.feed(chunk)
            if self._size >= until:
                return True
        return False

    def commit(self) -> tuple[str, int, float]:
        with self._lock:
            self._file.flush()
            os.fsync(self._file.fileno())
            modified = os.fstat(self._file.fileno()).st_mtime
            self._file.close()
            self._draft.replace(self._target)
            folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return f"{self._algorithm}:{self._hash.hexdigest()}", self._size, modified

    def abort(self) -> None:
        with self._lock:
            # Closing flushes, which fails again on a full disk.
            with contextlib.suppress(OSError):
                self._file.close()
            self._draft.unlink(missing_ok=True)


class _Reading(AsyncIterator[bytes]):
    """Chunks of an open file; closes it at the end, on error, and on `aclose`."""

    def __init__(self, file: FileIO, start: int, stop: int | None) -> None:
        self._file = file
        self._left = stop - start if stop is not None else None
        file.seek(start)

    async def __anext__(self) -> bytes:
        size = _BLOCK if self._left is None else min(_BLOCK, self._left)
        try:
            chunk = await asyncio.to_thread(self._file.read, size) if size > 0 else b""
        except BaseException:
            self._file.close()
            raise
        if not chunk:
            self._file.close()
            raise StopAsyncIteration
        if self._left is not None:
            self._left -= len(chunk)
        return chunk

    async def aclose(self) -> None:
        """Close before the end is reached."""
        self._file.close()


def _open(root: Path, parts: tuple[str, ...]) -> FileIO:
    """Open a regular file; a link is followed once, to a file of the same folder only."""
    path = root.joinpath(*parts)
    if path.is_symlink():
        # The Go controller writes absolute links, so only the last part counts, and only if it
        # points into this folder.
        aim = path.readlink()
        if aim.is_absolute() and aim.parent != path.parent:
            raise ArtifactNotFound(f"{'/'.join(parts)} is a link out of its folder")
        if not aim.is_absolute() and len(aim.parts) != 1:
            raise ArtifactNotFound(f"{'/'.join(parts)} is a link out of its folder")
        path = path.parent / aim.name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            raise ArtifactNotFound(f"no artifact {'/'.join(parts)}") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactNotFound(f"{'/'.join(parts)} is not a file")
    return os.fdopen(descriptor, "rb", buffering=0)


def _files(folder: Path) -> list[tuple[str, os.stat_result]]:
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for _, entry in zip(range(_EXAMINED), entries, strict=False):
            with contextlib.suppress(FileNotFoundError):
                # A link is of interest only as a draft that a killed process left.
                if entry.is_file(follow_symlinks=False) or entry.name.startswith("."):
                    found.append((entry.name, entry.stat(follow_symlinks=False)))
    return found
