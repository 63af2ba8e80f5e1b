"""The consumer's side: from the URL and digest of a status to files on this machine."""

import asyncio
import os
import shutil
import stat
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from yarl import URL

from ._digest import Digest, new_hash
from ._errors import (
    ArtifactError,
    ArtifactNotFound,
    DigestMismatch,
    FetchFailed,
    LimitExceeded,
)
from .unpacking import Limits, unpack

__all__ = ["Fetcher"]

_CHUNK = 1 << 18
_WAIT_FIRST, _WAIT_MOST = 5.0, 30.0


class Fetcher:
    """Downloads artifacts, checks their digest, and then keeps what they hold, by digest.

    `directory` belongs to this object alone: it is made with mode 0700 and emptied on entering and
    leaving, for nothing that an earlier process left there has been verified. `archive_bytes`
    bounds a download, `limits` what it may unpack to; `budget_bytes` is what is kept for later
    once nobody uses it, the least recently used going first. `retries` is upstream's
    `--http-retry`: further tries after a connection error, 429 or 5xx, 5 to 30 s apart, or as a
    Retry-After says. `sleep` waits, `environ` holds upstream's host overrides.

    Use as an async context manager around `tree` and `file`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        session: aiohttp.ClientSession | None = None,
        archive_bytes: int = 512 << 20,
        limits: Limits | None = None,
        budget_bytes: int = 256 << 20,
        retries: int = 9,
        timeout: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._directory = directory
        self._session = session
        self._own_session = session is None
        self._archive_bytes = archive_bytes
        self._limits = limits or Limits()
        self._budget = budget_bytes
        self._retries = retries
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
        self._sleep = sleep
        self._environ = environ
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._flights: dict[str, _Flight] = {}

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(_empty, self._directory)
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kept.clear()
        if self._own_session and self._session is not None:
            await self._session.close()
        await asyncio.to_thread(_empty, self._directory)

    @asynccontextmanager
    async def tree(self, url: str, digest: str) -> AsyncIterator[Path]:
        """Provide the unpacked artifact: a read-only folder that stays for as long as this is open.

        Raises ArtifactNotFound (404), FetchFailed, DigestMismatch, DigestUnsupported, and
        ArchiveRejected with LimitExceeded.
        """
        async with self._lease("tree", url, digest) as path:
            yield path

    @asynccontextmanager
    async def file(self, url: str, digest: str) -> AsyncIterator[Path]:
        """Provide the artifact as it was served: a read-only file, for archives that others read.

        Raises as `tree` does, less ArchiveRejected (but LimitExceeded).
        """
        async with self._lease("file", url, digest) as path:
            yield path

    @asynccontextmanager
    async def _lease(self, form: str, url: str, digest: str) -> AsyncIterator[Path]:
        wanted = Digest.parse(digest)
        key = f"{form}-{wanted.algorithm}-{wanted.hex}"
        kept = self._kept.get(key) or await self._share(key, form, url, wanted)
        kept.users += 1
        self._kept.move_to_end(key)
        try:
            yield kept.path
        finally:
            kept.users -= 1
            await self._evict()

    async def _share(self, key: str, form: str, url: str, digest: Digest) -> "_Kept":
        """Fetch once for all who ask meanwhile; they share a failure, too."""
        flight = self._flights.setdefault(key, _Flight())
        flight.waiting += 1
        try:
            async with flight.lock:
                if flight.failure is not None:
                    raise flight.failure
                if key not in self._kept:
                    try:
                        self._kept[key] = await self._make(key, form, url, digest)
                    except ArtifactError as error:
                        flight.failure = error
                        raise
                return self._kept[key]
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                del self._flights[key]

    async def _make(self, key: str, form: str, url: str, digest: Digest) -> "_Kept":
        archive = self._directory / f".{key}.download"
        target = self._directory / key
        try:
            size = await self._download(url, digest, archive)
            if form == "file":
                await asyncio.to_thread(_settle, archive, target)
            else:
                size = await asyncio.to_thread(self._unpack, archive, target)
        finally:
            await asyncio.to_thread(archive.unlink, missing_ok=True)
        return _Kept(target, size)

    def _unpack(self, archive: Path, target: Path) -> int:
        draft = target.with_name(f".{target.name}.draft")
        try:
            with archive.open("rb") as source:
                unpacked = unpack(source, draft, self._limits, read_only=True)
            draft.rename(target)
        finally:
            if draft.exists():
                _remove(draft)
        # A file takes up a block at least.
        return unpacked.bytes + 4096 * unpacked.files

    async def _download(self, url: str, digest: Digest, archive: Path) -> int:
        address = self._address(url)
        for attempt in range(self._retries + 1):
            try:
                return await self._attempt(address, digest, archive)
            except (aiohttp.ClientError, TimeoutError, _TryAgain) as error:
                if attempt == self._retries:
                    status = error.status if isinstance(error, _TryAgain) else 0
                    raise FetchFailed(
                        f"artifact {url}: gave up after {attempt + 1} tries: {_why(error)}", status
                    ) from error
                asked = error.retry_after if isinstance(error, _TryAgain) else None
            await self._sleep(min(_WAIT_FIRST * 2**attempt, _WAIT_MOST) if asked is None else asked)
        raise AssertionError("the last try returns or raises")

    async def _attempt(self, address: str, digest: Digest, archive: Path) -> int:
        assert self._session is not None, "use the Fetcher as an async context manager"
        # As it stands: an upstream URL holds `:` and `+` unescaped. Never decompressed: the digest
        # is that of the bytes as served.
        async with self._session.get(
            URL(address, encoded=True),
            headers={"Accept-Encoding": "identity"},
            timeout=self._timeout,
            auto_decompress=False,
        ) as response:
            if response.status == 404:
                raise ArtifactNotFound(f"artifact {address} not found")
            if response.status == 429 or response.status >= 500:
                raise _TryAgain(response.status, response.headers.get("Retry-After", ""))
            if response.status != 200:
                raise FetchFailed(
                    f"artifact {address}: HTTP status {response.status}", response.status
                )
            computed, size = new_hash(digest.algorithm), 0
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(archive, flags, 0o600), "wb") as file:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    size += len(chunk)
                    if size > self._archive_bytes:
                        raise LimitExceeded(
                            f"artifact {address} is larger than {self._archive_bytes} bytes"
                        )
                    computed.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
        if not digest.matches(computed.hexdigest()):
            raise DigestMismatch(
                f"artifact {address}: computed digest {digest.algorithm}:{computed.hexdigest()} "
                f"does not match {digest}"
            )
        return size

    def _address(self, url: str) -> str:
        """Apply upstream's overrides of the host, meant for running outside of the cluster."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise FetchFailed(f"artifact {url!r}: not an HTTP URL")
        watcher = parts.hostname.startswith("source-watcher")
        name = "SOURCE_WATCHER_LOCALHOST" if watcher else "SOURCE_CONTROLLER_LOCALHOST"
        host = self._environ.get(name, "")
        return urlunsplit(parts._replace(netloc=host)) if host else url

    async def _evict(self) -> None:
        total = sum(kept.size for kept in self._kept.values())
        for key in list(self._kept):
            if total <= self._budget:
                return
            kept = self._kept[key]
            if not kept.users:
                del self._kept[key]
                total -= kept.size
                # Renamed at once, so that the same digest can be fetched anew meanwhile.
                grave = kept.path.with_name(f".{kept.path.name}.{id(kept):x}.gone")
                kept.path.rename(grave)
                await asyncio.to_thread(_remove, grave)


class _Kept:
    """Something in the directory, and how many use it now."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.users = 0


class _Flight:
    """One download under way."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0
        self.failure: ArtifactError | None = None


class _TryAgain(Exception):  # noqa: N818  (never leaves this module)
    """An answer that a later try may better."""

    def __init__(self, status: int, retry_after: str) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.retry_after = float(min(int(retry_after), 300)) if retry_after.isdecimal() else None


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


def _settle(archive: Path, target: Path) -> None:
    archive.chmod(0o400)
    archive.rename(target)


def _empty(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    for child in directory.iterdir():
        _remove(child)


def _remove(path: Path) -> None:
    """Remove a file, or a folder that is read-only at every level; links are never followed."""
    if not stat.S_ISDIR(path.lstat().st_mode):
        path.unlink()
        return
    for folder, below, _ in os.walk(path):
        Path(folder).chmod(0o700)
        for name in below:
            child = Path(folder, name)
            if not child.is_symlink():
                child.chmod(0o700)
    shutil.rmtree(path)
