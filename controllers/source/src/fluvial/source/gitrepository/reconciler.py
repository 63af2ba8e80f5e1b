"""The reconciler of GitRepository."""

import asyncio
import hashlib
import shutil
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from fluvial.apis.duration import parse_duration
from fluvial.apis.source import GitRepository
from fluvial.source.conditions import (
    FETCH_FAILED,
    INCLUDE_UNAVAILABLE,
    SOURCE_VERIFIED,
    failed_before,
)
from fluvial.source.git.command import GitCommand
from fluvial.source.git.credentials import Access
from fluvial.source.git.errors import (
    AuthenticationRefused,
    GitError,
    Redirected,
    RepositoryEmpty,
)
from fluvial.source.git.identities import GitIdentities
from fluvial.source.git.mirror import Mirror
from fluvial.source.gitrepository.access import access_of, reference_of
from fluvial.source.gitrepository.build import Builder
from fluvial.source.gitrepository.includes import included_artifacts
from fluvial.source.gitrepository.keep import keep
from fluvial.source.gitrepository.state import Build, Keep, State, decide, differences
from fluvial.source.storage import Storage
from fluvial.toolkit import (
    Context,
    ReconcileError,
    Result,
    Stalled,
    Transient,
    conditions,
    redact,
)
from fluvial.toolkit.workers import WorkerPool

__all__ = ["GitRepositoryReconciler"]

_TIMEOUT: Final = 60.0


class GitRepositoryReconciler:
    """Turns the tree of a Git reference into an artifact.

    `mirrors` is the folder of the kept bare mirrors; `command` runs git and `executor` what else
    blocks; `workers` pack; `identities` are those of clouds.
    """

    def __init__(
        self,
        storage: Storage,
        mirrors: Path,
        command: GitCommand,
        executor: Executor,
        workers: WorkerPool,
        *,
        identities: GitIdentities,
    ) -> None:
        self._storage = storage
        self._mirrors = mirrors
        self._command = command
        self._executor = executor
        self._identities = identities
        self._builder = Builder(storage, workers)

    async def reconcile(self, ctx: Context[GitRepository], obj: GitRepository) -> Result:
        """Observe, decide, act."""
        await self._storage.check(ctx, obj)
        try:
            await self._reconcile(ctx, obj)
        except GitError as error:
            failure = _classify(obj, error)
            ctx.mark(FETCH_FAILED, "True", failure.reason, failure.message)
            raise failure from error
        return Result(interval=parse_duration(obj.spec.interval))

    async def finalize(self, ctx: Context[GitRepository], obj: GitRepository) -> None:
        """Remove the artifacts and the mirror."""
        await self._storage.remove(obj)
        await self._discard(self._folder(obj))
        ctx.log.info("removed artifacts and mirror of a deleted object")

    async def _reconcile(self, ctx: Context[GitRepository], obj: GitRepository) -> None:
        recovered = failed_before(obj)
        try:
            _refuse_unsupported(ctx, obj)
            reference = reference_of(obj)
            access = await access_of(ctx, self._identities)
        except ReconcileError as error:
            ctx.mark(FETCH_FAILED, "True", error.reason, error.message)
            raise
        mirror = await self._mirror(obj, access)
        targets = await mirror.resolve(reference, access)
        target = targets[0] if len(targets) == 1 else await mirror.newest(targets, access)
        conditions.delete(obj, FETCH_FAILED)
        included = await included_artifacts(ctx, self._storage)
        conditions.delete(obj, INCLUDE_UNAVAILABLE)
        artifact = obj.status.artifact
        state = State(
            stored=artifact.revision if artifact else None,
            offered=target.revision,
            differences=differences(obj, included),
        )
        match decide(state):
            case Keep() as action:
                keep(ctx, action, recovered=recovered)
            case Build() as action:
                await self._builder.announce(ctx, action)
                # What arrives counts: the remote may have moved since it was asked.
                arrived = await mirror.fetch(target, access)
                await self._builder.build(ctx, arrived, mirror, included, recovered=recovered)

    async def _mirror(self, obj: GitRepository, access: Access) -> Mirror:
        """Return the object's mirror; those of other URLs it had before go."""
        folder = self._folder(obj)
        # A mirror of another remote might hold a pinned commit that this one never had.
        name = hashlib.sha256(access.url.encode()).hexdigest()[:16] + ".git"
        await self._discard(folder, keep=name)
        return Mirror(
            folder / name,
            self._command,
            self._executor,
            timeout=parse_duration(obj.spec.timeout) or _TIMEOUT,
        )

    async def _discard(self, folder: Path, keep: str = "") -> None:
        def remove() -> None:
            for child in folder.iterdir() if folder.is_dir() else ():
                if child.name != keep:
                    shutil.rmtree(child, ignore_errors=True)
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)

        await asyncio.get_running_loop().run_in_executor(self._executor, remove)

    def _folder(self, obj: GitRepository) -> Path:
        return self._mirrors / obj.metadata.namespace / obj.metadata.name


def _refuse_unsupported(ctx: Context[GitRepository], obj: GitRepository) -> None:
    """Stall on what this version does not do, rather than store an artifact that lacks it."""
    if obj.spec.verify is not None:
        message = "spec.verify is not supported by this version: signatures cannot be checked"
        ctx.mark(SOURCE_VERIFIED, "False", "VerificationError", message)
        raise Stalled("VerificationError", message)
    conditions.delete(obj, SOURCE_VERIFIED)
    obj.status.source_verification_mode = None
    if obj.spec.recurse_submodules:
        raise Stalled("GitOperationFailed", "spec.recurseSubmodules is not supported")


def _classify(obj: GitRepository, error: GitError) -> Transient:
    """Give a Git error the reason that users see."""
    url = redact(obj.spec.url)
    text = f"failed to checkout and determine revision: unable to clone '{url}': {error}"
    if isinstance(error, AuthenticationRefused):
        return Transient("AuthenticationFailed", text)
    if isinstance(error, RepositoryEmpty):
        return Transient("EmptyGitRepository", f"'{url}' is empty: {error}")
    if isinstance(error, Redirected):
        hint = "credentials are not sent after a redirect; set spec.url to where it leads"
        return Transient("GitOperationFailed", f"{text} ({hint})")
    return Transient("GitOperationFailed", text)
