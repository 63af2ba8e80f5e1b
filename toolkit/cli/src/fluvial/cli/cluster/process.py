"""A control plane as a background process of this user, found again by its folder."""

import asyncio
import fcntl
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fluvial.apis.crds import crd
from fluvial.apis.kinds import ALL
from fluvial.toolkit.client import AlreadyExists, Client, ClientError, ClusterConfig
from fluvial.toolkit.references import DEFINITIONS

__all__ = ["ClusterFailed", "LocalCluster"]

_WITHIN: Final = 60.0
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class ClusterFailed(Exception):  # noqa: N818 - the name says what happened
    """Why a cluster could not be started, stopped or found; says the way out."""


class LocalCluster:
    """One cluster by name, below `$XDG_STATE_HOME/fluvial/clusters` (`~/.local/state`).

    The folder holds the database, the kubeconfig and the log; the running process holds a lock on
    `lock`, in which its id stands. So a process id that was given to another program since is
    never mistaken for it.
    """

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ClusterFailed(f"--name: {name!r} does not do; use lower case letters and digits")
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self.name = name
        self.folder = Path(state) / "fluvial" / "clusters" / name
        self.kubeconfig = self.folder / "kubeconfig"
        self._ready = self.folder / "ready"
        self._lock = self.folder / "lock"
        self._log = self.folder / "log"

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._process() is not None

    @property
    def url(self) -> str:
        """Where it serves; empty when it does not."""
        return self._ready.read_text().strip() if self._ready.exists() else ""

    def up(self, *, gateway: bool = False, definitions: bool = True) -> bool:
        """Start it unless it runs, and wait until it serves; tells whether it had to."""
        if self.running:
            return False
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._ready.unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "fluvial.cluster", "serve"),
            f"--data-dir={self.folder / 'data'}",
            f"--database={self.folder / 'plane.db'}",
            f"--kubeconfig={self.kubeconfig}",
            f"--ready-file={self._ready}",
        ]
        if gateway:
            command.append("--gateway")
        pid = self._spawn(command)
        self._wait(self._ready.exists, lambda: not _has_ended(pid))
        if definitions:
            asyncio.run(self._define())
        return True

    def down(self, *, delete: bool = False) -> bool:
        """Stop it and wait until it has; tells whether it ran."""
        pid = self._process()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            self._wait(lambda: not self.running, lambda: True)
            _has_ended(pid)
            self._ready.unlink(missing_ok=True)
        if delete and self.folder.exists():
            shutil.rmtree(self.folder)
        return pid is not None

    def _spawn(self, command: list[str]) -> int:
        """Start the process in a session of its own; it inherits the lock and so holds it.

        Returns its id. Not a Popen: that one expects to see the end of what it has started.
        """
        descriptor = os.open(self._lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ClusterFailed(f"{self.name} is being started by somebody else") from error
        else:
            os.set_inheritable(descriptor, True)
            flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
            pid = os.posix_spawn(
                command[0],
                command,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(self._log), flags, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
            )
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, str(pid).encode(), 0)
            return pid
        finally:
            os.close(descriptor)

    def _process(self) -> int | None:
        """Return the id of the process that holds the lock, None when nobody does."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            content = os.pread(descriptor, 32, 0)
            return int(content) if content.isdigit() else None
        else:
            return None
        finally:
            os.close(descriptor)

    def _wait(self, holds: Callable[[], bool], alive: Callable[[], bool]) -> None:
        end = time.monotonic() + _WITHIN
        while not holds():
            if not alive():
                last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
                raise ClusterFailed(f"{self.name} ended: {''.join(last)} (log: {self._log})")
            if time.monotonic() > end:
                raise ClusterFailed(f"{self.name} took over {_WITHIN:.0f} s (log: {self._log})")
            time.sleep(0.02)

    async def _define(self) -> None:
        """Install the definitions of the kinds that Fluvial serves."""
        try:
            async with Client(await ClusterConfig.discover(str(self.kubeconfig))) as client:
                for kind in ALL:
                    try:
                        await client.create(DEFINITIONS, crd(kind))
                    except AlreadyExists:
                        continue  # it is there since an earlier start, perhaps changed by its owner
        except ClientError as error:
            raise ClusterFailed(f"{self.name}: definitions cannot be installed: {error}") from error


def _has_ended(pid: int) -> bool:
    """Whether a process that this one has started is gone; a child of others counts as there."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
