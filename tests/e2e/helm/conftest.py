"""Releases against a real control plane: the test offers charts as source-controller would."""

import asyncio
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import pytest_asyncio
from harness import WITHIN
from namespaces import Namespace, new_namespace

from fluvial.apis.kinds import HELM_CHART, HELM_RELEASE
from fluvial.toolkit.artifacts import ArtifactServer, LocalStore
from fluvial.toolkit.client import resource_of_kind

CHARTS = resource_of_kind(HELM_CHART)
RELEASES = resource_of_kind(HELM_RELEASE)
HELM = Path(__file__).parents[3] / ".venv" / "oracles" / "helm"


@pytest.fixture(scope="module")
def plane(make_harness):
    harness = make_harness("helm")
    harness.start_plane()
    harness.define()
    harness.start_controller("fluvial.helm", "--requeue-dependency=1s", "--max-retry-delay=2s")
    return harness


def archive(files, name="app"):
    """Pack a chart as `helm package` does: everything below one folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Team(Namespace):
    """A namespace for one test, with a chart that the test itself offers."""

    def __init__(self, harness, client, name, store):
        super().__init__(harness, client, name)
        self._store = store
        self._count = 0

    async def offer(self, files, version="1.0.0", chart="app"):
        """Offer a chart, as `HelmChart/chart` with an artifact."""
        self._count += 1
        meta = f"apiVersion: v2\nname: {chart}\nversion: {version}\nappVersion: '7'\n"
        path = f"helmchart/{self.name}/{chart}/{chart}-{self._count}.tgz"
        content = archive({"Chart.yaml": meta, **files}, chart)
        stored = await self._store.write(path, [content])
        source = {"kind": "GitRepository", "name": "charts"}
        spec = {"chart": chart, "interval": "10m", "sourceRef": source}
        live = await self.put(CHARTS, chart, spec=spec)
        artifact = {
            "path": path,
            "url": self._store.url(path),
            "revision": version,
            "digest": stored.digest,
            "lastUpdateTime": "2026-01-01T00:00:00Z",
        }
        status = {"observedGeneration": live["metadata"]["generation"], "artifact": artifact}
        await self.client.patch(CHARTS, chart, {"status": status}, self.name, subresource="status")

    async def release(self, name="app", /, annotations=None, **spec):
        wanted = {
            "interval": "10m",
            "timeout": "20s",
            "chartRef": {"kind": "HelmChart", "name": "app"},
            **spec,
        }
        await self.put(RELEASES, name, spec=wanted, metadata={"annotations": annotations or {}})

    async def until_ready(self, status="True", reason="InstallSucceeded", part="", name="app"):
        """Wait for Ready with this status and reason; returns the object."""

        def holds(obj):
            conditions = obj["status"]["conditions"]
            ready = next(one for one in conditions if one["type"] == "Ready")
            found = (ready["status"], ready["reason"])
            return found == (status, reason) and part in ready["message"]

        return await self.until(RELEASES, name, holds)

    async def helm(self, *arguments):
        """Run the real helm against the plane; skips where it is not installed."""
        return await asyncio.to_thread(self._helm, *arguments)

    def _helm(self, *arguments):
        if not HELM.exists():
            pytest.skip("helm is missing")
        done = subprocess.run(
            [str(HELM), f"--kubeconfig={self.harness.kubeconfig}", "-n", self.name, *arguments],
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
            env={"HOME": str(self.harness.folder), "PATH": os.environ["PATH"]},
        )
        if done.returncode:
            pytest.fail(f"helm {' '.join(arguments)}: {done.stderr}")
        return done.stdout


@pytest_asyncio.fixture
async def team(plane, tmp_path):
    root = tmp_path / "store"
    async with (
        new_namespace(plane) as (client, name),
        ArtifactServer(LocalStore(root, "localhost"), host="127.0.0.1", port=0) as server,
    ):
        yield Team(plane, client, name, LocalStore(root, f"127.0.0.1:{server.port}"))
