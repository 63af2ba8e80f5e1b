import base64
from contextlib import asynccontextmanager
from pathlib import Path

import pytest_asyncio

from fluvial.source.gitrepository.reconciler import GitRepositoryReconciler
from fluvial.source.main import NAME, git_identities, git_repositories
from fluvial.source.storage import Storage
from fluvial.toolkit import Manager
from fluvial.toolkit.testing import FakeApi, FakeClock, running
from fluvial.toolkit.workers import WorkerPool


class System:
    """The controller of GitRepository against an API in memory, with time at a standstill."""

    def __init__(self, api, flags, tmp_path, command, executor):
        self.api = api
        self.flags = flags
        self.clock = FakeClock()
        self.storage = Path(flags.storage_path)
        self.mirrors = tmp_path / "mirrors"
        self._command = command
        self._executor = executor

    @asynccontextmanager
    async def running(self):
        manager = Manager(NAME, self.flags, self.api.config, clock=self.clock)
        storage = Storage(self.flags)
        manager.add_task("artifacts", storage.serve)
        workers = await manager.enter(WorkerPool(workers=1))
        reconciler = GitRepositoryReconciler(
            storage,
            self.mirrors,
            self._command,
            self._executor,
            workers,
            identities=git_identities(manager),
        )
        manager.add(git_repositories(reconciler))
        async with running(manager):
            yield

    def apply(self, name="apps", annotations=None, **spec):
        old = self._get(name)
        url = f"http://git.test/{name}.git"
        obj = {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {
                **(old["metadata"] if old else {}),
                "name": name,
                "namespace": "default",
                "annotations": annotations or {},
            },
            "spec": {"url": url, "interval": "1m", "ref": {"branch": "main"}, **spec},
        }
        if old:
            obj["status"] = old["status"]
        self.api.put(obj)

    def secret(self, name, **data):
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.api.put(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": "default"},
                "data": encoded,
            }
        )

    def _get(self, name):
        try:
            return self.api.get("GitRepository", name)
        except KeyError:
            return None

    def status(self, name="apps"):
        return self.api.get("GitRepository", name)["status"]

    def condition(self, type, name="apps"):
        found = self.status(name).get("conditions", [])
        return next((c for c in found if c["type"] == type), None)

    async def until(self, **expected):
        """Wait for a condition, e.g. `Ready=("True", "Succeeded")`; return the status."""
        name = expected.pop("name", "apps")
        [(kind, (value, reason))] = expected.items()

        def holds():
            found = self.condition(kind, name)
            return found is not None and (found["status"], found["reason"]) == (value, reason)

        await self.api.until(holds)
        return self.status(name)

    async def handled(self, token, name="apps"):
        await self.api.until(lambda: self.status(name).get("lastHandledReconcileAt") == token)
        return self.status(name)

    def events(self):
        return [(e["type"], e["reason"], e["message"]) for e in self.api.all("Event")]


@pytest_asyncio.fixture
async def system(flags, tmp_path, command, executor):
    async with FakeApi() as api:
        yield System(api, flags, tmp_path, command, executor)
