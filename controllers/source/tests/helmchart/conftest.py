import tarfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from fluvial.source.helmchart.reconciler import HelmChartReconciler
from fluvial.source.main import NAME, helm_charts
from fluvial.source.storage import Storage
from fluvial.toolkit import Manager
from fluvial.toolkit.artifacts import Entry, Fetcher, pack_file
from fluvial.toolkit.testing import FakeApi, FakeClock, running
from fluvial.toolkit.workers import WorkerPool

GROUP = "source.toolkit.fluxcd.io"
APP = {
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.2.3\n",
    "charts/app/values.yaml": "color: blue\n",
    "charts/app/templates/config.yaml": "kind: ConfigMap\n",
    "README.md": "not part of the chart",
}


def entries(files):
    yield Entry.folder(".")
    for path in sorted(files, key=lambda path: path.split("/")):
        content = files[path]
        yield Entry.file(path, content if isinstance(content, bytes) else content.encode())


class System:
    """The controller of HelmChart against an API in memory, with time at a standstill."""

    def __init__(self, api, flags, tmp_path):
        self.api = api
        self.flags = flags
        self.clock = FakeClock()
        self.tmp_path = tmp_path
        self.storage = Path(flags.storage_path)

    @asynccontextmanager
    async def running(self):
        manager = Manager(NAME, self.flags, self.api.config, clock=self.clock)
        storage = Storage(self.flags)
        manager.add_task("artifacts", storage.serve)
        workers = await manager.enter(WorkerPool(workers=1))
        fetcher = await manager.enter(Fetcher(self.tmp_path / "fetched", retries=0))
        manager.add(helm_charts(HelmChartReconciler(self.flags, storage, fetcher, workers)))
        async with running(manager):
            yield

    def source(self, files=APP, commit="a" * 40, name="apps", url=""):
        """Let a GitRepository offer these files; with `url` they are not in our storage."""
        path = f"gitrepository/default/{name}/{commit}.tar.gz"
        file = self.storage / path
        if url:
            file = self.tmp_path / "elsewhere" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        packed = pack_file(entries(files), file)
        artifact = {
            "path": path,
            "url": f"{url or 'http://artifacts.test'}/{path}",
            "revision": f"main@sha1:{commit}",
            "digest": packed.digest,
            "lastUpdateTime": "2026-01-01T00:00:00Z",
        }
        self._put(
            "GitRepository", name, {"url": "http://git.test/", "interval": "1m"}, artifact=artifact
        )
        return file

    def source_without_artifact(self, name="apps"):
        self._put("GitRepository", name, {"url": "http://git.test/", "interval": "1m"})

    def apply(self, annotations=None, generation=None, **spec):
        wanted = {
            "chart": "charts/app",
            "interval": "1m",
            "sourceRef": {"kind": "GitRepository", "name": "apps"},
            **spec,
        }
        self._put("HelmChart", "app", wanted, annotations=annotations, generation=generation)

    def _put(self, kind, name, spec, *, artifact=None, annotations=None, generation=None):
        try:
            old = self.api.get(kind, name)
        except KeyError:
            old = {"metadata": {}}
        metadata = {**old["metadata"], "name": name, "namespace": "default"}
        if annotations:
            metadata["annotations"] = annotations
        if generation:
            metadata["generation"] = generation
        status = {**old.get("status", {}), **({"artifact": artifact} if artifact else {})}
        obj = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "spec": spec}
        self.api.put({**obj, "status": status} if status else obj)

    def status(self):
        return self.api.get("HelmChart", "app").get("status", {})

    def condition(self, type):
        found = self.status().get("conditions", [])
        return next((c for c in found if c["type"] == type), None)

    async def until(self, **expected):
        """Wait for a condition, e.g. `Ready=("True", "Succeeded")`; return the status."""
        [(kind, (value, reason))] = expected.items()

        def holds():
            found = self.condition(kind)
            return found is not None and (found["status"], found["reason"]) == (value, reason)

        await self.api.until(holds)
        return self.status()

    async def handled(self, token):
        await self.api.until(lambda: self.status().get("lastHandledReconcileAt") == token)
        return self.status()

    async def revision(self, wanted):
        await self.api.until(
            lambda: (self.status().get("artifact") or {}).get("revision") == wanted
        )
        return self.status()

    def packaged(self):
        """Read the files of the stored chart, by name."""
        with tarfile.open(self.storage / self.status()["artifact"]["path"]) as archive:
            return {m.name: archive.extractfile(m).read().decode() for m in archive}

    def events(self):
        return [(e["type"], e["reason"], e["message"]) for e in self.api.all("Event")]


@pytest_asyncio.fixture
async def system(flags, tmp_path):
    async with FakeApi() as api:
        yield System(api, flags, tmp_path)


@pytest.fixture
def write(tmp_path):
    """Write files below a folder, which is returned."""

    def write(files, name="root"):
        for path, content in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write


@pytest.fixture
def archive(tmp_path):
    """Pack files into a new archive, and return its bytes."""

    def archive(files):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.tgz"
        pack_file(entries(files), path)
        return path.read_bytes()

    return archive
