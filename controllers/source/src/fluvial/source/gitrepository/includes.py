"""Other repositories' artifacts that are laid over the tree: `spec.include`."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import GIT_REPOSITORY
from fluvial.apis.meta import Artifact
from fluvial.apis.source import GitRepository
from fluvial.source.conditions import INCLUDE_UNAVAILABLE, STORAGE_OPERATION_FAILED
from fluvial.source.jobs import Overlay
from fluvial.source.storage import Storage
from fluvial.toolkit import Context, Key, NotFound, Stalled, Store, Transient, Waiting
from fluvial.toolkit.artifacts import ArtifactError

__all__ = ["INDEX", "included_artifacts", "includers", "indexed", "overlays"]

INDEX = "include"
"""The index by which an included repository finds those that include it."""


async def included_artifacts(ctx: Context[GitRepository], storage: Storage) -> list[Artifact]:
    """Read what the included repositories offer, in the order of the spec.

    Raises Waiting, with IncludeUnavailable set, for one that is missing or has nothing yet.
    """
    found = []
    for include in ctx.obj.spec.include:
        name = include.repository.name
        try:
            source = await ctx.client.typed(GIT_REPOSITORY).get(name, ctx.obj.metadata.namespace)
        except NotFound as error:
            _wait(ctx, "NotFound", f"could not get resource for include '{name}': {error}")
        artifact = source.status.artifact
        if artifact is None:
            _wait(ctx, "NoArtifact", f"no artifact available for include '{name}'")
        if not await storage.store.verify(artifact.path, artifact.digest):
            _wait(ctx, "NoArtifact", f"artifact of include '{name}' is not in storage")
        found.append(artifact)
    return found


def _wait(ctx: Context[GitRepository], reason: str, message: str) -> NoReturn:
    ctx.mark(INCLUDE_UNAVAILABLE, "True", reason, message)
    raise Waiting(reason, message)


async def overlays(
    ctx: Context[GitRepository], artifacts: Sequence[Artifact], storage: Storage, folder: Path
) -> list[Overlay]:
    """Say what goes where; `folder` takes what is stored elsewhere.

    Raises Stalled for a path that leaves its tree, Transient for an artifact that cannot be read.
    """
    found = []
    for include, artifact in zip(ctx.obj.spec.include, artifacts, strict=True):
        from_path = _inside(ctx, "fromPath", include.from_path)
        to_path = _inside(ctx, "toPath", include.to_path or include.repository.name)
        try:
            archive = await storage.file(artifact.path, folder)
        except ArtifactError as error:
            name = include.repository.name
            _fail(ctx, "CopyFailure", f"artifact of include '{name}' cannot be read: {error}")
        found.append(Overlay(archive=str(archive), from_path=from_path, to_path=to_path))
    return found


def _fail(ctx: Context[GitRepository], reason: str, message: str) -> NoReturn:
    ctx.mark(STORAGE_OPERATION_FAILED, "True", reason, message)
    raise Transient(reason, message)


def _inside(ctx: Context[GitRepository], field: str, path: str) -> str:
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or "\\" in path or not path.isprintable():
        message = f"spec.include.{field} {path!r} leads out of the tree"
        ctx.mark(STORAGE_OPERATION_FAILED, "True", "IllegalPath", message)
        raise Stalled("IllegalPath", message)
    return "/".join(parts)


def indexed(obj: Unstructured) -> list[str]:
    """Return what an object includes, as the index's keys."""
    namespace = obj["metadata"]["namespace"]
    return [
        f"{namespace}/{include['repository']['name']}"
        for include in obj["spec"].get("include") or ()
    ]


def includers(source: Unstructured, store: Store) -> list[Key]:
    """Return the objects that include a changed one."""
    metadata = source["metadata"]
    found = store.by_index(INDEX, f"{metadata['namespace']}/{metadata['name']}")
    return [Key(obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in found]
