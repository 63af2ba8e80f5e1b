"""The action for what is not stored yet: fetch, pack, store, advertise."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fluvial.apis.meta import Artifact
from fluvial.apis.source import GitRepository
from fluvial.source.conditions import (
    ARTIFACT_OUTDATED,
    FETCH_FAILED,
    STORAGE_OPERATION_FAILED,
    advertise,
)
from fluvial.source.git.mirror import Mirror
from fluvial.source.git.reference import Target
from fluvial.source.gitrepository.includes import overlays
from fluvial.source.gitrepository.state import Build
from fluvial.source.jobs import PackedTree, PackTree
from fluvial.source.storage import Storage
from fluvial.toolkit import Context, Transient
from fluvial.toolkit.workers import JobError, WorkerError, WorkerPool

__all__ = ["Builder"]

_DEADLINE: Final = 600.0
"""Seconds for packing one tree."""
_SUBJECT: Final = 50
"""Characters of a commit's subject that an event quotes, as upstream's do."""


class Builder:
    """Packs in `workers` what a mirror holds, and puts it into `storage`."""

    def __init__(self, storage: Storage, workers: WorkerPool) -> None:
        self._storage = storage
        self._workers = workers

    async def announce(self, ctx: Context[GitRepository], action: Build) -> None:
        """Say, before the work, that an artifact is on its way."""
        if action.outdated is not None:
            ctx.mark(ARTIFACT_OUTDATED, "True", action.outdated, action.message)
        await ctx.progress(f"building artifact: {action.message}")

    async def build(
        self,
        ctx: Context[GitRepository],
        target: Target,
        mirror: Mirror,
        included: Sequence[Artifact],
        *,
        recovered: bool,
    ) -> None:
        """Pack the commit that was fetched, store it, and advertise it in the status.

        `included` are the artifacts to lay over it; `recovered` as for `keep`. Raises Transient
        or Stalled, with the conditions set that say what failed.
        """
        obj = ctx.obj
        before = obj.status.artifact
        file = f"{target.commit}.tar.gz"
        with tempfile.TemporaryDirectory(prefix="pack-") as folder:
            content = Path(folder) / file
            request = PackTree(
                repository=str(mirror.path),
                commit=target.commit,
                destination=str(content),
                ignore=obj.spec.ignore or "",
                sparse=[path.removeprefix("./").rstrip("/") for path in obj.spec.sparse_checkout],
                overlays=await overlays(ctx, included, self._storage, Path(folder)),
            )
            packed = await self._pack(ctx, request, mirror)
            try:
                artifact = await self._storage.put(obj, file, target.revision, content)
            except Transient as error:
                ctx.mark(STORAGE_OPERATION_FAILED, "True", error.reason, error.message)
                raise
        _record(obj, artifact, included)
        message = f"stored artifact for revision '{artifact.revision}'"
        advertise(ctx, "Succeeded", message)
        facts = {"revision": artifact.revision, "digest": artifact.digest}
        if before is None or before.digest != artifact.digest:
            text = f"stored artifact for commit '{packed.subject[:_SUBJECT]}'"
            ctx.event("Normal", "NewArtifact", text, facts)
        elif recovered:
            ctx.event("Normal", "Succeeded", message, facts)

    async def _pack(
        self, ctx: Context[GitRepository], request: PackTree, mirror: Mirror
    ) -> PackedTree:
        try:
            return await self._workers.run(
                "fluvial.source.jobs:pack_tree",
                request,
                PackedTree,
                key=str(ctx.obj),
                deadline=_DEADLINE,
            )
        except JobError as error:
            if error.type == "ObjectUnreadable":
                # It will not become readable: the next attempt starts from nothing.
                await mirror.discard()
            if error.type in {"ObjectUnreadable", "FolderMissing"}:
                ctx.mark(FETCH_FAILED, "True", "GitOperationFailed", error.message)
                raise Transient("GitOperationFailed", error.message) from error
            if error.type == "CopyFailure":
                ctx.mark(STORAGE_OPERATION_FAILED, "True", "CopyFailure", error.message)
                raise Transient("CopyFailure", error.message) from error
            failure: WorkerError = error
        except WorkerError as error:
            failure = error
        message = f"unable to archive artifact to storage: {failure}"
        ctx.mark(STORAGE_OPERATION_FAILED, "True", "ArchiveOperationFailed", message)
        raise Transient("ArchiveOperationFailed", message) from failure


def _record(obj: GitRepository, artifact: Artifact, included: Sequence[Artifact]) -> None:
    """Write down what was stored and from which settings."""
    spec, status = obj.spec, obj.status
    status.artifact = artifact
    status.included_artifacts = list(included)
    status.observed_ignore = spec.ignore
    status.observed_recurse_submodules = spec.recurse_submodules
    status.observed_include = list(spec.include)
    status.observed_sparse_checkout = list(spec.sparse_checkout)
