"""A control plane, the source controller and a Git host: real processes, real sockets."""

import asyncio
import base64
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pygit2
import pytest
import pytest_asyncio

from fluvial.apis.crds import crd
from fluvial.apis.kinds import GIT_REPOSITORY
from fluvial.cluster.githost import GitHost
from fluvial.toolkit import Client, ClusterConfig, Resource
from fluvial.toolkit.client import resource_of_kind

GIT = resource_of_kind(GIT_REPOSITORY)
SECRETS = Resource("", "v1", "secrets", "Secret")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
EVENTS = Resource("", "v1", "events", "Event")
CRDS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
WITHIN = 60.0

_names = itertools.count(1)


class Process:
    """A process of its own, with its output in a file; ended by its id, and only its own."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.log = folder / f"{name}.log"
        self.arguments = arguments
        self.popen: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *self.arguments], stdout=log, stderr=log
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.popen is not None
        self.popen.send_signal(number)
        try:
            return self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            raise
        finally:
            self.popen.wait()

    def wait_for(self, path: Path) -> None:
        """Wait until the process has written a file."""
        end = time.monotonic() + WITHIN
        while not path.exists():
            assert self.popen is not None
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)


class Controller(Process):
    """The source controller; its storage and mirrors outlive it."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.storage = folder / "storage"
        self.storage.mkdir()
        self.addresses = folder / "addresses.json"
        super().__init__(
            folder,
            "source-controller",
            "fluvial.source",
            f"--kubeconfig={kubeconfig}",
            f"--storage-path={self.storage}",
            "--storage-addr=127.0.0.1:0",
            f"--git-mirror-path={folder / 'mirrors'}",
            "--metrics-addr=127.0.0.1:0",
            "--health-addr=127.0.0.1:0",
            f"--address-file={self.addresses}",
            "--max-retry-delay=2s",
            "--requeue-dependency=1s",
            "--log-level=debug",
        )

    def start(self) -> None:
        self.addresses.unlink(missing_ok=True)
        super().start()
        self.wait_for(self.addresses)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plane")
    config, ready = folder / "kubeconfig", folder / "ready"
    plane = Process(
        folder,
        "plane",
        *("fluvial.cluster", "serve", f"--data-dir={folder / 'data'}", "--no-standins"),
        *(f"--kubeconfig={config}", f"--ready-file={ready}"),
    )
    plane.start()
    try:
        plane.wait_for(ready)
        asyncio.run(_define(config))
        yield config
    finally:
        plane.stop()


async def _define(kubeconfig: Path) -> None:
    async with Client(await ClusterConfig.discover(str(kubeconfig))) as client:
        await client.create(CRDS, crd(GIT_REPOSITORY))
        name = crd(GIT_REPOSITORY)["metadata"]["name"]
        async with asyncio.timeout(WITHIN), aclosing(client.watch(CRDS)) as events:
            async for event in events:
                if event.object["metadata"]["name"] == name and any(
                    condition["type"] == "Established" and condition["status"] == "True"
                    for condition in (event.object.get("status") or {}).get("conditions", [])
                ):
                    return


@pytest.fixture(scope="module")
def controller(tmp_path_factory, kubeconfig):
    process = Controller(tmp_path_factory.mktemp("source"), kubeconfig)
    process.start()
    try:
        yield process
    finally:
        assert process.stop() == 0, process.log.read_text()


@pytest_asyncio.fixture
async def host(tmp_path):
    async with GitHost(tmp_path / "git") as serving:
        yield serving


class Namespace:
    """A namespace of the cluster, for one test."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    async def apply(self, name: str, spec: dict, **metadata) -> None:
        obj = {
            "apiVersion": GIT.api_version,
            "kind": GIT.kind,
            "metadata": {"name": name, **metadata},
            "spec": {"interval": "1h", **spec},
        }
        await self.client.patch(
            GIT, name, obj, self.name, type="apply", field_manager="kubectl", force=True
        )

    async def secret(self, name: str, **data: str) -> None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        obj = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "data": encoded,
        }
        await self.client.patch(
            SECRETS, name, obj, self.name, type="apply", field_manager="kubectl", force=True
        )

    async def request(self, name: str, token: str) -> None:
        annotations = {"reconcile.fluxcd.io/requestedAt": token}
        await self.client.patch(GIT, name, {"metadata": {"annotations": annotations}}, self.name)

    async def get(self, name: str) -> dict:
        return await self.client.get(GIT, name, self.name)

    async def until(self, name: str, holds) -> dict:
        """Wait until an object is as wanted, and return it."""
        seen: dict = {}
        try:
            async with asyncio.timeout(WITHIN), aclosing(self._changes()) as changes:
                async for event in changes:
                    if event.object["metadata"]["name"] == name:
                        seen = event.object
                        with contextlib.suppress(KeyError, TypeError):
                            if event.type != "DELETED" and holds(seen):
                                return seen
        except TimeoutError:
            pytest.fail(f"{name} never was as wanted; last seen: {seen.get('status')}")
        raise AssertionError("the watch ended")

    async def delete(self, name: str) -> None:
        """Delete an object and wait until it is gone."""
        version = (await self.client.list(GIT, self.name)).resource_version
        await self.client.delete(GIT, name, self.name)
        watch = self.client.watch(GIT, self.name, resource_version=version)
        async with asyncio.timeout(WITHIN), aclosing(watch) as changes:
            async for event in changes:
                if event.type == "DELETED" and event.object["metadata"]["name"] == name:
                    return

    async def _changes(self):
        listed = await self.client.list(GIT, self.name)
        for item in listed.items:
            yield _Seen("ADDED", item)
        version = listed.resource_version
        async with aclosing(self.client.watch(GIT, self.name, resource_version=version)) as events:
            async for event in events:
                if event.type != "BOOKMARK":
                    yield event

    async def events(self, name: str, reason: str) -> list[dict]:
        """Wait until there is an event of that reason about an object; return all such."""
        async with (
            asyncio.timeout(WITHIN),
            aclosing(self.client.watch(EVENTS, self.name)) as changes,
        ):
            async for event in changes:
                if event.type != "BOOKMARK" and _about(event.object, name, reason):
                    break
        listed = await self.client.list(EVENTS, self.name)
        return [event for event in listed.items if _about(event, name, reason)]


class _Seen:
    def __init__(self, type, object):
        self.type = type
        self.object = object


def _about(event, name, reason):
    return event["involvedObject"]["name"] == name and event["reason"] == reason


@pytest_asyncio.fixture
async def namespace(kubeconfig, controller):
    async with Client(await ClusterConfig.discover(str(kubeconfig))) as client:
        name = f"team-{os.getpid()}-{next(_names)}"
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await client.create(NAMESPACES, obj)
        yield Namespace(client, name)
        await client.delete(NAMESPACES, name)


class Repository:
    """A repository of the host, to push to."""

    def __init__(self, path: Path) -> None:
        self._repository = pygit2.Repository(str(path))

    def push(self, files: dict[str, str], branch: str = "main", message: str = "a commit") -> str:
        """Make a branch's tree these files, and return the commit."""
        index = pygit2.Index()
        for path, content in files.items():
            blob = self._repository.create_blob(content.encode())
            index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
        tree = index.write_tree(self._repository)
        ref = f"refs/heads/{branch}"
        known = ref in self._repository.references
        parents = [self._repository.references[ref].target] if known else []
        who = pygit2.Signature("Ada", "ada@example.com")
        return str(self._repository.create_commit(ref, who, who, message, tree, parents))

    def tag(self, name: str, commit: str) -> None:
        self._repository.references.create(f"refs/tags/{name}", commit)


@pytest_asyncio.fixture
async def apps(host):
    """Return the repository `apps.git` of the host."""
    return Repository(await host.create("apps.git"))
