"""From an artifact to objects: fetch, then build in a worker process."""

import asyncio
import posixpath
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fluvial.apis.ids import Unstructured
from fluvial.apis.kustomize import Kustomization
from fluvial.apis.meta import Artifact
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.jobs import BUILD_JOB, BuildReply, BuildRequest
from fluvial.kustomize.state import retry_interval
from fluvial.toolkit import Transient, Waiting
from fluvial.toolkit.artifacts import ArtifactError, ArtifactNotFound, Fetcher
from fluvial.toolkit.workers import JobError, WorkerError, WorkerPool

__all__ = ["Builder", "Built", "folder_of"]


@dataclass(frozen=True, slots=True)
class Built:
    """The objects to apply, decoded, and the digest of all of them for the history."""

    objects: list[Unstructured]
    digest: str


def folder_of(obj: Kustomization) -> str:
    """Return `spec.path` relative to the artifact's root, empty for the root itself.

    Upstream joins it so that `..` at the root stays there; so does this.
    """
    return posixpath.normpath(f"/{obj.spec.path}").lstrip("/")


class Builder:
    """Fetches artifacts and has them built; `fetcher` and `pool` belong to the process."""

    def __init__(self, fetcher: Fetcher, pool: WorkerPool, flags: KustomizeFlags) -> None:
        self._fetcher = fetcher
        self._pool = pool
        self._flags = flags

    @asynccontextmanager
    async def fetch(self, obj: Kustomization, artifact: Artifact) -> AsyncIterator[Path]:
        """Provide the unpacked artifact, in which `spec.path` is known to be.

        Raises Waiting when the artifact is gone (a new one is on its way), and Transient with the
        reason ArtifactFailed for everything else.
        """
        retry = retry_interval(obj)
        lease = self._fetcher.tree(artifact.url, artifact.digest)
        try:
            root = await lease.__aenter__()
        except ArtifactNotFound as error:
            raise Waiting("ArtifactFailed", f"artifact not found, retrying: {error}") from error
        except ArtifactError as error:
            raise Transient("ArtifactFailed", str(error), retry_after=retry) from error
        try:
            folder = folder_of(obj)
            if not await asyncio.to_thread((root / folder).exists):
                raise Transient(
                    "ArtifactFailed",
                    f"kustomization path not found: stat {folder}: no such file or directory",
                    retry_after=retry,
                )
            yield root
        finally:
            await lease.__aexit__(None, None, None)

    async def build(
        self, obj: Kustomization, root: Path, variables: Mapping[str, str] | None
    ) -> Built:
        """Build what `obj` wants of the tree at `root`; `variables` None: no substitution.

        Raises Transient (BuildFailed) that names file and line.
        """
        request = BuildRequest(
            root=str(root),
            path=folder_of(obj),
            obj=obj,
            variables=None if variables is None else dict(variables),
            strict=self._flags.enabled("StrictPostBuildSubstitutions"),
        )
        try:
            reply = await self._pool.run(
                BUILD_JOB,
                request,
                BuildReply,
                key=f"{obj.metadata.namespace}/{obj.metadata.name}",
                deadline=self._flags.build_timeout,
            )
        except JobError as error:
            raise Transient(
                "BuildFailed", error.message, retry_after=retry_interval(obj)
            ) from error
        except WorkerError as error:
            raise Transient(
                "BuildFailed", f"build failed: {error}", retry_after=retry_interval(obj)
            ) from error
        return Built([rendered.decode() for rendered in reply.objects], reply.digest)
