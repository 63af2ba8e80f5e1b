"""Where the artifacts are: what every source kind does with storage before and after its own work.

Nothing that a status says is trusted: before each attempt the file that it advertises is hashed.
One that is gone or damaged is forgotten, so that it is made anew.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeVar, cast

from fluvial.apis.meta import Artifact, ObjectMeta, Resource
from fluvial.apis.source import SourceStatus
from fluvial.source.conditions import ARTIFACT_IN_STORAGE
from fluvial.source.flags import SourceFlags
from fluvial.toolkit import Context, FlagError, Runtime, Transient, conditions, logger, rfc3339
from fluvial.toolkit.artifacts import (
    ArtifactError,
    ArtifactServer,
    Bucket,
    BucketStore,
    LocalStore,
    Store,
)
from fluvial.toolkit.conditions import Conditioned

__all__ = ["Source", "Storage", "prefix"]

M = TypeVar("M", bound=Resource)

_BLOCK: Final = 1 << 18
_COLLECT_TIMEOUT: Final = 5.0
"""Seconds, as upstream bounds it."""


class Source(Protocol):
    """Any object of a source kind, as far as storage is concerned."""

    kind: str
    metadata: ObjectMeta

    @property
    def status(self) -> SourceStatus:
        """The status, with the artifact."""


class Storage:
    """The artifacts of this process, served at `--storage-addr`.

    They are stored below `--storage-path`, or in the bucket of `--storage-bucket`. Raises FlagError
    where the folder is missing.
    """

    def __init__(self, flags: SourceFlags) -> None:
        self._flags = flags
        self._base = self._loopback = ""
        self._serving = asyncio.Event()
        self._log = logger("storage")
        self.store = _store(flags)

    def opened(self) -> AbstractAsyncContextManager[object]:
        """Hold the connections to a bucket; to be entered before anything is stored."""
        return self.store if isinstance(self.store, BucketStore) else nullcontext()

    async def serve(self, _: Runtime) -> None:
        """Serve until cancelled; only a leader does, so that the others do not look ready."""
        host, port = self._flags.storage_listen
        async with ArtifactServer(self.store, host=host, port=port) as server:
            address = self._flags.advertised(server.port)
            self._loopback = f"http://{_reachable(host)}:{server.port}"
            self._base = address if "://" in address else f"http://{address}"
            self._serving.set()
            self._log.info("serving artifacts", address=self._base)
            await asyncio.Event().wait()

    async def ready(self) -> None:
        """Wait until artifacts are served, and so their addresses are known."""
        await self._serving.wait()

    async def check(self, ctx: Context[M], obj: Source) -> None:
        """Collect garbage, then hold the advertised artifact against what is stored.

        A missing or damaged one leaves the status, with an event for the damaged one.
        """
        await self.ready()
        artifact = obj.status.artifact
        await self._collect(obj, artifact)
        if artifact is None:
            return
        try:
            sound = await self.store.verify(artifact.path, artifact.digest)
            there = sound or await self.store.stat(artifact.path) is not None
        except (ArtifactError, OSError) as error:
            ctx.log.info("stored artifact cannot be checked", error=str(error))
            sound = there = False
        if sound:
            artifact.url = self.url(artifact.path)
            return
        if there:
            ctx.event(
                "Warning",
                "ArtifactVerificationFailed",
                f"failed to verify artifact: the stored file is not {artifact.digest}",
            )
            # Served on, it would fail every consumer's check.
            with contextlib.suppress(ArtifactError, OSError):
                await self.store.collect(prefix(obj), None, -1.0, 0)
        obj.status.artifact = None
        conditions.delete(cast("Conditioned", obj), ARTIFACT_IN_STORAGE)
        await ctx.progress("building artifact: disappeared from storage")

    async def put(self, obj: Source, file: str, revision: str, content: Path) -> Artifact:
        """Store a file that was built, and describe it. Raises Transient."""
        path = f"{prefix(obj)}/{file}"
        try:
            stored = await self.store.write(path, _chunks(content))
        except (ArtifactError, OSError) as error:
            raise Transient(
                "ArchiveOperationFailed", f"unable to archive artifact to storage: {error}"
            ) from error
        return Artifact(
            path=path,
            url=self.url(path),
            revision=revision,
            digest=stored.digest,
            last_update_time=rfc3339(datetime.fromtimestamp(stored.modified, UTC)),
            size=stored.size,
        )

    async def file(self, path: str, folder: Path) -> Path:
        """Return a file with a stored artifact's bytes: itself, or a copy in `folder`.

        Raises ArtifactError.
        """
        if isinstance(self.store, LocalStore):
            return self.store.root / path
        copy = folder / path.replace("/", "_")
        with copy.open("wb") as out:
            async with contextlib.aclosing(await self.store.open(path)) as chunks:
                async for chunk in chunks:
                    await asyncio.to_thread(out.write, chunk)
        return copy

    async def link(self, obj: Source, artifact: Artifact, name: str) -> str | None:
        """Let `name` stand for an artifact and return its address; None where that fails.

        As upstream: a convenience, whose failure costs no artifact.
        """
        try:
            await self.store.link(artifact.path, name)
        except (ArtifactError, OSError) as error:
            self._log.info("link is not updated", error=str(error), object=str(obj))
            return None
        return self.url(f"{prefix(obj)}/{name}")

    async def remove(self, obj: Source) -> None:
        """Remove everything of an object that is being deleted. Raises Transient."""
        try:
            await self.store.remove(prefix(obj))
        except (ArtifactError, OSError) as error:
            raise Transient(
                "GarbageCollectionFailed",
                f"garbage collection for deleted resource failed: {error}",
            ) from error

    def url(self, path: str) -> str:
        """Name the address of a stored file; not escaped, as upstream's is not."""
        return f"{self._base}/{path}"

    def loopback(self, path: str) -> str:
        """Name the address at which this very process reaches a stored file."""
        return f"{self._loopback}/{path}"

    async def _collect(self, obj: Source, artifact: Artifact | None) -> None:
        try:
            async with asyncio.timeout(_COLLECT_TIMEOUT):
                await self.store.collect(
                    prefix(obj),
                    artifact.path if artifact else None,
                    self._flags.artifact_retention_ttl,
                    self._flags.artifact_retention_records,
                )
        except (ArtifactError, OSError, TimeoutError) as error:
            # Space only; the next attempt tries again.
            self._log.info("garbage is not collected", error=str(error), object=str(obj))


def _store(flags: SourceFlags) -> Store:
    if flags.storage_bucket:
        bucket = Bucket.parse(flags.storage_bucket)
        return BucketStore(bucket, "", algorithm=flags.artifact_digest_algo)
    root = Path(flags.storage_path)
    if not root.is_dir():
        raise FlagError(f"--storage-path: {root} is not a folder")
    return LocalStore(root, "", algorithm=flags.artifact_digest_algo)


def prefix(obj: Source) -> str:
    """`<kind>/<namespace>/<name>`, the folder of an object."""
    return f"{obj.kind.lower()}/{obj.metadata.namespace}/{obj.metadata.name}"


def _reachable(host: str) -> str:
    if host in {"", "0.0.0.0"}:  # noqa: S104  (compared, not bound)
        return "127.0.0.1"
    return f"[{'::1' if host == '::' else host}]" if ":" in host else host


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            yield chunk
