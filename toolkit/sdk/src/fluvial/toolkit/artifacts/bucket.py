"""A store in an S3-compatible bucket: several replicas may serve it, and no volume is needed.

Needs the extra `s3` of this distribution (aiobotocore).
"""

import asyncio
import contextlib
import hashlib
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from types import TracebackType
from typing import IO, Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from ._digest import Digest, new_hash
from ._errors import ArtifactError, ArtifactNotFound, PathRejected
from .store import Chunks, Reading, Stored, check_path, check_prefix, garbage

__all__ = ["Bucket", "BucketStore"]

_BLOCK = 1 << 18
_EXAMINED = 1000
"""How many files of one object a collection looks at, as upstream bounds it."""

_LINKS = ".links"
"""Below an object's prefix: a small file per link, which holds the name that it stands for."""

_OPTIONS = frozenset({"endpoint", "region"})
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_TIMEOUT = 30.0


class Bucket(NamedTuple):
    """Where a bucket is: `s3://NAME[/PREFIX][?endpoint=URL&region=REGION]`.

    Without an endpoint it is AWS's. Credentials come as everywhere: from the environment, a web
    identity, or the machine.
    """

    name: str
    """The bucket's name."""
    prefix: str = ""
    """What every key begins with, without a slash at either end; empty for nothing."""
    endpoint: str | None = None
    """URL of the service, None for AWS."""
    region: str | None = None
    """Region, None for what the environment says, or us-east-1."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the URL. Raises ValueError, which says what is wrong with it."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc:
            raise ValueError(f"{url!r} is not of the form s3://bucket/prefix?endpoint=…&region=…")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(options.keys() - _OPTIONS):
            raise ValueError(f"{url!r}: unknown option {unknown[0]!r}; use endpoint or region")
        endpoint = options.get("endpoint")
        if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
            raise ValueError(f"{url!r}: endpoint={endpoint!r} is no http or https URL")
        return cls(parts.netloc, parts.path.strip("/"), endpoint, options.get("region"))


class BucketStore:
    """Files in a bucket, in the layout of the local store; an async context manager.

    `address` is what consumers put before a path: they come to an ArtifactServer, never to the
    bucket. `algorithm` is that of the digests computed here. `clock` gives seconds since 1970.
    A file is put whole, by one request, so there is never half a file. Every method raises
    ArtifactError where the bucket cannot be used.
    """

    def __init__(
        self,
        bucket: Bucket,
        address: str,
        *,
        algorithm: str = "sha256",
        clock: Callable[[], float] = time.time,
    ) -> None:
        new_hash(algorithm)
        self.bucket = bucket
        """Where the files are."""
        self._base = (address if "://" in address else f"http://{address}").rstrip("/")
        self._algorithm = algorithm
        self._clock = clock
        self._stack = contextlib.AsyncExitStack()
        self._s3: Any = None

    async def __aenter__(self) -> Self:
        # Imported here: half a second and 30 MB, for those who have a bucket.
        try:
            from aiobotocore.config import AioConfig  # noqa: PLC0415
            from aiobotocore.session import get_session  # noqa: PLC0415
        except ImportError as error:
            raise ArtifactError(
                "a bucket as artifact storage needs aiobotocore: install fluvial-toolkit[s3]"
            ) from error
        region = self.bucket.region
        session = get_session()
        if region is None and session.get_config_variable("region") is None:
            region = "us-east-1"
        client = session.create_client(
            "s3",
            region_name=region,
            endpoint_url=self.bucket.endpoint,
            config=AioConfig(
                connect_timeout=10,
                read_timeout=_TIMEOUT,
                retries={"mode": "standard", "max_attempts": 4},
            ),
        )
        self._s3 = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def write(self, path: str, chunks: Chunks) -> Stored:
        """Gather the content in a temporary file without a name, then put it in one request."""
        key = self._key(check_path(path))
        with tempfile.TemporaryFile() as file:
            digest, size = await _gather(chunks, file, self._algorithm)
            await self._call("put_object", Key=key, Body=file, ContentLength=size)
        return Stored(path, size, self._clock(), digest)

    async def stat(self, path: str) -> Stored | None:
        """Size and modification time; of the file that is meant, for a link."""
        try:
            key, head = await self._find(path)
        except ArtifactNotFound:
            return None
        del key
        return Stored(path, head["ContentLength"], head["LastModified"].timestamp())

    async def verify(self, path: str, digest: str) -> bool:
        """Read the stored file and hash it with the digest's own algorithm."""
        wanted = Digest.parse(digest)
        found = hashlib.new(wanted.algorithm)
        try:
            async with contextlib.aclosing(await self.open(path)) as chunks:
                async for chunk in chunks:
                    found.update(chunk)
        except ArtifactNotFound:
            return False
        return wanted.matches(found.hexdigest())

    async def collect(self, prefix: str, keep: str | None, ttl: float, records: int) -> list[str]:
        """Remove the garbage of one object; its links stay."""
        files = [
            Stored(f"{prefix}/{name}", found["Size"], found["LastModified"].timestamp())
            for name, found in await self._list(prefix)
            if "/" not in name
        ]
        gone = garbage(files, keep, ttl, records, self._clock())
        for path in gone:
            await self._call("delete_object", Key=self._key(check_path(path)))
        return gone

    async def remove(self, prefix: str) -> None:
        """Remove everything of one object, the links too."""
        while found := await self._list(prefix):
            for name, _ in found:
                await self._call("delete_object", Key=f"{self._folder(prefix)}{name}")

    async def link(self, path: str, name: str) -> str:
        """Write a small file that holds the name; it is replaced in one step."""
        parts = check_path(path)
        alias = check_path("/".join((*parts[:3], name)))
        await self._call("put_object", Key=self._link_key(alias), Body=parts[3].encode())
        return self.url("/".join(alias))

    def url(self, path: str) -> str:
        """`<address>/<path>`."""
        check_path(path)
        return f"{self._base}/{path}"

    async def open(self, path: str, start: int = 0, stop: int | None = None) -> Reading:
        """Ask for the bytes now; what is removed meanwhile is still given to its end."""
        key, head = await self._find(path)
        size = head["ContentLength"]
        stop = size if stop is None else min(stop, size)
        if start >= stop:
            return _Reading(None)
        # Only what was looked at: a file that is replaced in between fails instead.
        answer = await self._call(
            "get_object", Key=key, Range=f"bytes={start}-{stop - 1}", IfMatch=head["ETag"]
        )
        return _Reading(answer["Body"])

    async def _find(self, path: str) -> tuple[str, Mapping[str, Any]]:
        """Return key and head of a file, or of the file that a link stands for."""
        parts = check_path(path)
        key = self._key(parts)
        try:
            return key, await self._call("head_object", Key=key)
        except ArtifactNotFound:
            answer = await self._call("get_object", Key=self._link_key(parts))
        async with answer["Body"] as body:
            name = (await body.read(1024)).decode(errors="replace")
        try:
            key = self._key(check_path("/".join((*parts[:3], name))))
        except PathRejected:
            raise ArtifactNotFound(f"{path} is a link to nothing") from None
        return key, await self._call("head_object", Key=key)

    async def _list(self, prefix: str) -> list[tuple[str, Mapping[str, Any]]]:
        """List what lies below an object's prefix, by its name there."""
        folder = self._folder(prefix)
        answer = await self._call("list_objects_v2", Prefix=folder, MaxKeys=_EXAMINED)
        return [(found["Key"][len(folder) :], found) for found in answer.get("Contents", ())]

    def _folder(self, prefix: str) -> str:
        return "/".join((*self._root, *check_prefix(prefix), ""))

    def _key(self, parts: tuple[str, ...]) -> str:
        return "/".join((*self._root, *parts))

    def _link_key(self, parts: tuple[str, ...]) -> str:
        return "/".join((*self._root, *parts[:3], _LINKS, parts[3]))

    @property
    def _root(self) -> tuple[str, ...]:
        return (self.bucket.prefix,) if self.bucket.prefix else ()

    async def _call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """Do one request. Raises ArtifactNotFound for what is not there, ArtifactError else."""
        if self._s3 is None:
            raise RuntimeError("the bucket is not opened: use `async with`")
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            answer: Mapping[str, Any] = await getattr(self._s3, operation)(
                Bucket=self.bucket.name, **arguments
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            where = f"s3://{self.bucket.name}/{arguments.get('Key', arguments.get('Prefix', ''))}"
            if code in _MISSING:
                raise ArtifactNotFound(f"no artifact {where}") from error
            raise ArtifactError(f"{where}: {error}") from error
        except (BotoCoreError, TimeoutError) as error:
            raise ArtifactError(f"s3://{self.bucket.name}: {error}") from error
        return answer


class _Reading(AsyncIterator[bytes]):
    """Chunks of an answer's body; lets go of the connection at the end, on error, on `aclose`."""

    def __init__(self, body: Any) -> None:
        self._body = body

    async def __anext__(self) -> bytes:
        chunk: bytes = b""
        if self._body is not None:
            try:
                async with asyncio.timeout(_TIMEOUT):
                    chunk = await self._body.read(_BLOCK)
            except BaseException:
                await self.aclose()
                raise
        if not chunk:
            await self.aclose()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Close before the end is reached."""
        body, self._body = self._body, None
        if body is not None:
            body.close()


async def _gather(chunks: Chunks, file: IO[bytes], algorithm: str) -> tuple[str, int]:
    """Write content to a file and rewind it; returns its digest and size in bytes."""
    found = new_hash(algorithm)

    def feed(chunk: bytes) -> None:
        found.update(chunk)
        file.write(chunk)

    if isinstance(chunks, AsyncIterable):
        async for chunk in chunks:
            await asyncio.to_thread(feed, chunk)
    else:
        iterator: Iterator[bytes] = iter(chunks)

        def draw() -> None:
            for chunk in iterator:
                feed(chunk)

        await asyncio.to_thread(draw)
    size = await asyncio.to_thread(file.tell)
    await asyncio.to_thread(file.seek, 0)
    return f"{algorithm}:{found.hexdigest()}", size
