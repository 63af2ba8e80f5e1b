"""A cluster on loopback: an API in memory that also knows server-side apply, and artifacts."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from fluvial.kustomize.building import Builder
from fluvial.kustomize.flags import KustomizeFlags
from fluvial.kustomize.jobs import BUILD_JOB, build
from fluvial.kustomize.main import controller, watches
from fluvial.kustomize.proofs import Proofs
from fluvial.toolkit import Manager, Resource
from fluvial.toolkit.artifacts import ArtifactServer, Entry, Fetcher, LocalStore, pack
from fluvial.toolkit.identity import enter_identities
from fluvial.toolkit.references import DEFINITIONS
from fluvial.toolkit.testing import FakeApi, running
from fluvial.toolkit.workers import JobError

MANAGER = "kustomize-controller"
TENANT = "system:serviceaccount:default:deployer"

EXTRA = [
    Resource("", "v1", "serviceaccounts", "ServiceAccount"),
    Resource("batch", "v1", "jobs", "Job"),
    DEFINITIONS,
]


class Cluster(FakeApi):
    """FakeApi with as much of server-side apply as a controller notices: create, merge, dry-run."""

    def __init__(self):
        super().__init__(EXTRA)
        self.faults.append(self._apply)
        self.proofs = None
        """Those of the controller that runs."""

    def _apply(self, request):
        if request.method != "PATCH" or "apply-patch" not in request.headers["Content-Type"]:
            return None
        body = request.body
        try:
            live = self.get(body["kind"], body["metadata"]["name"], body["metadata"]["namespace"])
        except KeyError:
            live = None
        after = _merge(live or {}, body)
        if "dryRun" in request.query:
            return web.json_response(after)
        if live is None or after != live:
            after = self.put(after)
        return web.json_response(after)

    def refuse(self, method, name, message, status=403, reason="Forbidden"):
        """Answer requests about an object by an error; returns a function that stops that."""

        def fault(request):
            if request.method == method and request.path.endswith(f"/{name}"):
                body = {"kind": "Status", "code": status, "reason": reason, "message": message}
                return web.json_response(body, status=status)
            return None

        self.faults.insert(0, fault)
        return lambda: self.faults.remove(fault)

    def has(self, kind, name):
        try:
            return bool(self.get(kind, name))
        except KeyError:
            return False

    def applied(self):
        """Names of what was written by apply, in order."""
        return [
            r.path.rpartition("/")[2]
            for r in self.writes()
            if "apply-patch" in r.headers.get("Content-Type", "") and "dryRun" not in r.query
        ]

    def deleted(self):
        return [r.path.rpartition("/")[2] for r in self.writes() if r.method == "DELETE"]

    def messages(self):
        return [event["message"] for event in self.all("Event")]

    def status(self, name="apps"):
        return self.get("Kustomization", name).get("status") or {}

    def condition(self, type, name="apps"):
        found = self.status(name).get("conditions") or ()
        return next((one for one in found if one["type"] == type), None)

    def ready(self, name="apps"):
        one = self.condition("Ready", name)
        return one and (one["status"], one["reason"])

    async def until_ready(self, *expected, name="apps"):
        """Wait for Ready with a status and reason, and for the attempt to have ended."""
        try:
            await self.until(lambda: self.ready(name) == expected)
        except TimeoutError:
            pytest.fail(f"not {expected}: {self.condition('Ready', name)}")


def _merge(target, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        result[key] = _merge(result.get(key), value)
    return result


class InlinePool:
    """Runs jobs in this process, through the same encoding as a worker's socket."""

    async def run(self, function, request, reply, **_):
        assert function == BUILD_JOB
        argument = msgspec.msgpack.decode(msgspec.msgpack.encode(request), type=type(request))
        try:
            result = await asyncio.to_thread(build, argument)
        except Exception as error:
            raise JobError(type(error).__name__, str(error)) from error
        return msgspec.msgpack.decode(msgspec.msgpack.encode(result), type=reply)


class Source:
    """A GitRepository whose artifacts are real files on a real server."""

    def __init__(self, api, store):
        self._api = api
        self._store = store
        self._count = 0

    async def push(self, files, name="app", metadata=None, revision=None):
        """Offer a tree of files as the next revision; returns the revision."""
        self._count += 1
        revision = revision or f"main@sha1:{self._count:040x}"
        entries = [Entry.file(path, text.encode()) for path, text in files.items()]
        folders = {path.rpartition("/")[0] for path in files} - {""}
        archive = list(pack(sorted([*map(Entry.folder, folders), *entries])))
        path = f"gitrepository/default/{name}/{self._count}.tar.gz"
        stored = await self._store.write(path, archive)
        self._api.put(
            {
                "apiVersion": "source.toolkit.fluxcd.io/v1",
                "kind": "GitRepository",
                "metadata": {"name": name, "namespace": "default"},
                "spec": {"interval": "1m", "url": "https://example.com/app.git"},
                "status": {
                    "artifact": {
                        "path": path,
                        "url": self._store.url(path),
                        "revision": revision,
                        "digest": stored.digest,
                        "lastUpdateTime": "2026-01-01T00:00:00Z",
                        "metadata": metadata or {},
                    }
                },
            }
        )
        return revision


@pytest.fixture
async def api():
    async with Cluster() as cluster:
        yield cluster


@pytest.fixture
async def source(api, tmp_path):
    root = tmp_path / "store"
    async with ArtifactServer(LocalStore(root, "localhost"), host="127.0.0.1", port=0) as server:
        yield Source(api, LocalStore(root, f"127.0.0.1:{server.port}"))


@pytest.fixture
def make_flags():
    def make(**changes):
        return KustomizeFlags(
            **{"metrics_addr": "0", "health_addr": "0", "http_retry": 0, **changes}
        )

    return make


@pytest.fixture
def running_controller(api, tmp_path, make_flags):
    """Run the controller while the body runs, with builds in this process."""

    @asynccontextmanager
    async def run(clock=None, **changes):
        flags = make_flags(**changes)
        manager = Manager(MANAGER, flags, api.config, clock=clock)
        fetcher = await manager.enter(Fetcher(tmp_path / "cache", retries=0))
        identities = await enter_identities(manager, "ReconciliationFailed")
        api.proofs = proofs = Proofs(flags, watches(flags), MANAGER)
        manager.add_task("proofs", proofs.run)
        manager.add(controller(Builder(fetcher, InlinePool(), flags), identities, flags, proofs))
        async with running(manager):
            yield manager

    return run


@pytest.fixture
def kustomization():
    def make(name="apps", /, annotations=None, **spec):
        return {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {
                "name": name,
                "namespace": "default",
                "annotations": annotations or {},
            },
            "spec": {
                "interval": "10m",
                "retryInterval": "1m",
                "prune": True,
                "sourceRef": {"kind": "GitRepository", "name": "app"},
                **spec,
            },
        }

    return make


@pytest.fixture
def config_map():
    def make(name, value="1", namespace="default"):
        return (
            "apiVersion: v1\nkind: ConfigMap\n"
            f"metadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n  key: '{value}'\n"
        )

    return make
