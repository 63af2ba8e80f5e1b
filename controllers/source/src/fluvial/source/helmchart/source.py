"""The source of a chart: its artifact, as a folder on this machine, and its changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import GIT_REPOSITORY
from fluvial.apis.meta import Artifact
from fluvial.apis.source import HelmChart
from fluvial.source.storage import Storage
from fluvial.toolkit import Context, Key, NotFound, Stalled, Store, Transient, Waiting, key_of
from fluvial.toolkit.artifacts import ArtifactError, ArtifactNotFound, Fetcher

__all__ = ["INDEX", "artifact_of", "charts_of", "indexed", "tree_of"]

INDEX: Final = "source"
"""The index by which a source finds the charts that are made from it."""


async def artifact_of(ctx: Context[HelmChart]) -> Artifact:
    """Read what the source offers.

    Raises Stalled for a kind that is not served, Transient for a missing source, Waiting for one
    that has nothing yet.
    """
    reference = ctx.obj.spec.source_ref
    if reference.kind != GIT_REPOSITORY.kind:
        raise Stalled(
            "UnsupportedSourceKind",
            f"spec.sourceRef.kind '{reference.kind}' is not served yet: use a GitRepository",
        )
    try:
        source = await ctx.client.typed(GIT_REPOSITORY).get(
            reference.name, ctx.obj.metadata.namespace
        )
    except NotFound as error:
        raise Transient("SourceUnavailable", f"failed to get source: {error}") from error
    artifact = source.status.artifact
    if artifact is None:
        raise _nothing_yet(ctx.obj)
    return artifact


@asynccontextmanager
async def tree_of(
    obj: HelmChart, artifact: Artifact, storage: Storage, fetcher: Fetcher
) -> AsyncIterator[Path]:
    """Provide the unpacked artifact: our own, or another process's when we do not store it.

    A source is unpacked once for all of its charts. Raises Waiting while it is being replaced,
    Transient where it cannot be fetched.
    """
    try:
        ours = await storage.store.stat(artifact.path) is not None
        url = storage.loopback(artifact.path) if ours else artifact.url
        async with fetcher.tree(url, artifact.digest) as tree:
            yield tree
    except ArtifactNotFound as error:
        raise _nothing_yet(obj) from error
    except ArtifactError as error:
        raise Transient("SourceUnavailable", f"failed to get source's artifact: {error}") from error


def _nothing_yet(obj: HelmChart) -> Waiting:
    reference = obj.spec.source_ref
    return Waiting(
        "NoSourceArtifact",
        f"no artifact available for {reference.kind} source '{reference.name}'",
    )


def indexed(obj: Unstructured) -> list[str]:
    """Return the source of an object, as the index's key."""
    reference = obj["spec"]["sourceRef"]
    return [f"{reference['kind']}/{obj['metadata']['namespace']}/{reference['name']}"]


def charts_of(source: Unstructured, store: Store) -> list[Key]:
    """Return the charts that are made from a changed source."""
    metadata = source["metadata"]
    found = store.by_index(
        INDEX, f"{GIT_REPOSITORY.kind}/{metadata['namespace']}/{metadata['name']}"
    )
    return [key_of(obj) for obj in found]
