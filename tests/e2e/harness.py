"""Real processes for end-to-end tests: a control plane, controllers, a Git host.

    harness = Harness(folder)
    harness.start_plane()
    harness.define()                                   # the definitions of every kind
    harness.start_controller("fluvial.kustomize")      # its log is harness.log("fluvial.kustomize")
    async with harness.client() as client: …
    harness.close()                                    # ends what it started, by process id

Nothing here waits for a time: `until` watches, and files that a process writes when it is ready are
looked for until they are there. Every wait has a deadline.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pygit2
import pytest

from fluvial.apis.crds import crd
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import ALL
from fluvial.toolkit import Client, ClusterConfig, Resource
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.references import DEFINITIONS

__all__ = ["WITHIN", "Harness", "Process", "Repository", "is_established", "running", "until"]

WITHIN = 60.0
"""Seconds after which a test gives up: long enough for a busy machine, and never needed else."""


_ROOT = Path(__file__).parents[2]
_TAIL = 8000


class Process:
    """One process with its output in a file; started, ended and killed by its own id."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.arguments = arguments
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start `python -m …`; may be called again after the process has ended."""
        # What a killed process leaves behind goes with the test's folder.
        temporary = self.log.parent / "tmp"
        temporary.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, "TMPDIR": str(temporary)},
            )
        running[self.name] = self

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def pid(self) -> int:
        """The process's id; it must have been started."""
        assert self._popen is not None, "not started"
        return self._popen.pid

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status once the process is gone."""
        running.pop(self.name, None)
        if self._popen is None:
            return 0
        if self._popen.poll() is None:
            self._popen.send_signal(number)
        try:
            return self._popen.wait(20)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            raise

    def kill(self) -> None:
        """End it as a crash would."""
        self.stop(signal.SIGKILL)

    def wait_for(self, holds: Callable[[], Any]) -> None:
        """Wait until `holds()`; fails with the log when the process ends or takes too long."""
        end = time.monotonic() + WITHIN
        while not holds():
            if not self.alive or time.monotonic() > end:
                pytest.fail(f"{self.name} did not get ready:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        """Return the end of the log."""
        return self.log.read_text(errors="replace")[-_TAIL:] if self.log.exists() else ""


running: dict[str, Process] = {}
"""What runs now, by name: for the report of a failed test."""


class Repository:
    """A bare repository of the Git host; pushing makes a commit in it."""

    def __init__(self, path: Path, url: str) -> None:
        self.url = url
        self._repository = pygit2.init_repository(str(path), bare=True, initial_head="main")

    def push(self, files: dict[str, str], branch: str = "main", message: str = "a commit") -> str:
        """Make a branch's tree exactly these files; returns the revision as statuses have it."""
        index = pygit2.Index()
        for path, content in files.items():
            blob = self._repository.create_blob(content.encode())
            index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
        ref = f"refs/heads/{branch}"
        known = ref in self._repository.references
        parents = [self._repository.references[ref].target] if known else []
        who = pygit2.Signature("Ada", "ada@example.com")
        tree = index.write_tree(self._repository)
        commit = self._repository.create_commit(ref, who, who, message, tree, parents)
        return f"{branch}@sha1:{commit}"

    def tag(self, name: str, commit: str) -> None:
        """Give a commit a lightweight tag."""
        self._repository.references.create(f"refs/tags/{name}", commit)


class Harness:
    """A folder full of processes. Not for concurrent use by several tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.audit_log = folder / "audit.jsonl"
        self.storage = folder / "storage"
        self._processes: dict[str, Process] = {}

    def start_plane(self, *further: str, standins: bool = True) -> Process:
        """Start the embedded control plane, with further flags, and wait until it serves."""
        ready = self.folder / "plane.ready"
        arguments = [
            f"--data-dir={self.folder / 'data'}",
            f"--kubeconfig={self.kubeconfig}",
            f"--ready-file={ready}",
            f"--audit-log={self.audit_log}",
            *further,
        ]
        if not standins:
            arguments.append("--no-standins")
        process = self._start("plane", "fluvial.cluster", "serve", *arguments)
        process.wait_for(ready.exists)
        return process

    def start_controller(self, module: str, *arguments: str) -> Process:
        """Start `python -m MODULE` at free ports and wait until it has bound them."""
        addresses = self._addresses(module)
        addresses.unlink(missing_ok=True)
        process = self._start(
            module,
            module,
            f"--kubeconfig={self.kubeconfig}",
            "--metrics-addr=127.0.0.1:0",
            "--health-addr=127.0.0.1:0",
            f"--address-file={addresses}",
            *arguments,
        )
        process.wait_for(addresses.exists)
        return process

    def restart(self, module: str) -> None:
        """Start a controller again, with the arguments that it had."""
        addresses = self._addresses(module)
        addresses.unlink(missing_ok=True)
        process = self._processes[module]
        process.start()
        process.wait_for(addresses.exists)

    def start_source(self, *arguments: str) -> Process:
        """Start the source controller with a storage that outlives it."""
        self.storage.mkdir(exist_ok=True)
        return self.start_controller(
            "fluvial.source",
            f"--storage-path={self.storage}",
            "--storage-addr=127.0.0.1:0",
            f"--git-mirror-path={self.folder / 'mirrors'}",
            *arguments,
        )

    def start_githost(self) -> None:
        """Start the Git host; see `repository`."""
        process = self._start("githost", "fluvial.cluster.githost", str(self._git))
        process.wait_for(lambda: b"serving" in process.log.read_bytes())

    def repository(self, name: str) -> Repository:
        """Make an empty repository on the Git host."""
        base = self._processes["githost"].log.read_text().split()[-1]
        return Repository(self._git / f"{name}.git", f"{base}{name}.git")

    def addresses(self, module: str) -> dict[str, str]:
        """Return what a controller listens at, e.g. `metrics`."""
        found: dict[str, str] = msgspec.json.decode(self._addresses(module).read_bytes())
        return found

    def process(self, name: str) -> Process:
        """Return a process by `plane`, `githost` or the controller's module."""
        return self._processes[name]

    def define(self, kinds: Iterable[Any] = ALL) -> None:
        """Create the definitions and wait until they are served."""
        asyncio.run(self.define_within(kinds))

    async def define_within(self, kinds: Iterable[Any]) -> None:
        """Do as `define` does, within a loop that runs."""
        kinds = list(kinds)
        async with self.client() as client:
            for kind in kinds:
                await client.create(DEFINITIONS, crd(kind))
            for kind in kinds:
                name = f"{kind.plural}.{kind.group}"
                await until(client, DEFINITIONS, name, None, is_established)
            # Discovery follows a moment later; a controller that starts earlier finds nothing.
            await asyncio.gather(*(client.list(resource_of_kind(kind)) for kind in kinds))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Connect as the cluster's admin."""
        async with Client(await ClusterConfig.discover(str(self.kubeconfig))) as client:
            yield client

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run the real kubectl; skips the test where it is not installed."""
        program = _ROOT / ".venv" / "oracles" / "kubectl"
        if not program.exists():
            pytest.skip("kubectl is missing")
        done = subprocess.run(
            [str(program), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"]},
        )
        if done.returncode:
            pytest.fail(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def requests(self) -> list[dict[str, Any]]:
        """Return the audit log: every request to the control plane so far."""
        return [msgspec.json.decode(line) for line in self.audit_log.read_bytes().splitlines()]

    def close(self) -> None:
        """End everything, the control plane last."""
        for process in reversed(self._processes.values()):
            process.stop()

    @property
    def _git(self) -> Path:
        return self.folder / "git"

    def _addresses(self, module: str) -> Path:
        return self.folder / f"{module}.addresses"

    def _start(self, name: str, *arguments: str) -> Process:
        process = Process(self.folder, name, *arguments)
        self._processes[name] = process
        process.start()
        return process


def is_established(definition: Unstructured) -> bool:
    """Whether the kind of a definition is served."""
    conditions = definition["status"]["conditions"]
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


async def until(
    client: Client,
    resource: Resource,
    name: str,
    namespace: str | None,
    holds: Callable[[Unstructured], Any],
    *,
    gone: bool = False,
) -> Unstructured:
    """Watch one object until `holds(object)`, or with `gone` until it is deleted; returns it.

    A KeyError in `holds` counts as not yet. Fails with the last seen state after WITHIN seconds.
    """
    seen: Unstructured = {}
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                # Without a version a watch begins with the present state; it may end at any time.
                listed = await client.list(
                    resource, namespace, field_selector=f"metadata.name={name}"
                )
                if gone and not listed.items:
                    return seen
                for seen in listed.items:
                    if not gone and _holds(holds, seen):
                        return seen
                events = client.watch(
                    resource,
                    namespace,
                    resource_version=listed.resource_version,
                    field_selector=f"metadata.name={name}",
                )
                async with aclosing(events) as stream:
                    async for event in stream:
                        if event.type == "BOOKMARK":
                            continue
                        seen = event.object
                        if event.type == "DELETED":
                            if gone:
                                return seen
                        elif not gone and _holds(holds, seen):
                            return seen
    except TimeoutError:
        pytest.fail(f"{resource} {name} never was as wanted; last seen: {seen}")


def _holds(holds: Callable[[Unstructured], Any], obj: Unstructured) -> bool:
    with contextlib.suppress(KeyError, IndexError, TypeError):
        return bool(holds(obj))
    return False
