"""Artifacts that a test offers itself, as source-controller would: quick, and no Git host.

async with offering(tmp_path) as offers:
    await offers.tree(team, {"a.yaml": "…"})           # GitRepository/app
    await offers.chart(team, {"templates/a.yaml": "…"})  # HelmChart/app
"""

import hashlib
import io
import itertools
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from namespaces import Namespace

from fluvial.apis.kinds import GIT_REPOSITORY, HELM_CHART
from fluvial.toolkit import Resource
from fluvial.toolkit.artifacts import ArtifactServer, LocalStore
from fluvial.toolkit.client import resource_of_kind

__all__ = ["Offers", "archive", "offering"]

_GIT = resource_of_kind(GIT_REPOSITORY)
_CHARTS = resource_of_kind(HELM_CHART)


def archive(files: Mapping[str, str], folder: str = "") -> bytes:
    """Pack files below a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{folder}/{path}" if folder else path)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Offers:
    """A store that is served, and the objects whose status points into it."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._count = itertools.count(1)

    async def tree(self, team: Namespace, files: Mapping[str, str], name: str = "app") -> str:
        """Make these files the artifact of a GitRepository; returns the revision."""
        content = archive(files)
        revision = f"main@sha1:{hashlib.sha1(content).hexdigest()}"
        spec = {"interval": "10m", "url": "https://example.com/app.git", "ref": {"branch": "main"}}
        await self._offer(team, _GIT, name, spec, (content, ".tar.gz", revision))
        return revision

    async def chart(
        self, team: Namespace, files: Mapping[str, str], version: str = "1.0.0", name: str = "app"
    ) -> None:
        """Make a chart with these files, without its Chart.yaml, the artifact of a HelmChart."""
        meta = f"apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: '7'\n"
        content = archive({"Chart.yaml": meta, **files}, name)
        source = {"kind": "GitRepository", "name": "charts"}
        spec = {"chart": name, "interval": "10m", "sourceRef": source}
        await self._offer(team, _CHARTS, name, spec, (content, ".tgz", version))

    async def _offer(
        self,
        team: Namespace,
        resource: Resource,
        name: str,
        spec: Mapping[str, Any],
        artifact: tuple[bytes, str, str],
    ) -> None:
        content, suffix, revision = artifact
        kind = resource.kind.lower()
        path = f"{kind}/{team.name}/{name}/{name}-{next(self._count)}{suffix}"
        stored = await self._store.write(path, [content])
        live = await team.put(resource, name, spec=spec)
        status = {
            "observedGeneration": live["metadata"]["generation"],
            "artifact": {
                "path": path,
                "url": self._store.url(path),
                "revision": revision,
                "digest": stored.digest,
                "lastUpdateTime": "2026-01-01T00:00:00Z",
            },
        }
        patch = {"status": status}
        await team.client.patch(resource, name, patch, team.name, subresource="status")


@asynccontextmanager
async def offering(root: Path) -> AsyncIterator[Offers]:
    """Serve what is offered, from a folder below `root`."""
    folder = root / "store"
    async with ArtifactServer(LocalStore(folder, "localhost"), host="127.0.0.1", port=0) as server:
        yield Offers(LocalStore(folder, f"127.0.0.1:{server.port}"))
