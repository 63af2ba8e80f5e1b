"""Starts what the demo runs on: control plane, Git host, metrics server, controllers."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Final, Literal

import msgspec

from fluvial.apis.crds import crd
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import ALL
from fluvial.cli.demo.errors import StepFailed
from fluvial.cli.demo.processes import Crew
from fluvial.cluster.gateway.definitions import definitions
from fluvial.cluster.metrics.prometheus import prometheus_config
from fluvial.toolkit import Client, Resource
from fluvial.toolkit.client import NotFound
from fluvial.toolkit.references import DEFINITIONS

__all__ = ["Plane"]

_LISTENING: Final = re.compile(rb'msg="Listening on" address=(\S+)')


class Plane:
    """The processes and where they listen; `within` is the deadline of each start, in seconds."""

    def __init__(self, crew: Crew, within: float) -> None:
        self._crew = crew
        self._within = within
        self.kubeconfig = crew.folder / "kubeconfig"
        self.git_root = crew.folder / "git"
        self.git_url = ""
        self.metrics_url = ""
        self._targets = crew.folder / "scrape.json"

    async def start(self, metrics: Literal["embedded", "prometheus"]) -> None:
        """Start control plane, Git host and metrics server."""
        await self._start_control_plane()
        await self._start_githost()
        if metrics == "prometheus":
            await self._start_prometheus()
        else:
            await self._start_store()

    async def define(self, client: Client) -> None:
        """Create the definitions of all kinds and wait until they are served."""
        wanted = [*(crd(kind) for kind in ALL), *definitions()]
        for definition in wanted:
            await client.create(DEFINITIONS, definition)
        for definition in wanted:
            await _served(client, definition)

    async def start_controllers(self) -> None:
        """Start the four controllers, each as its own process."""
        storage = self._crew.folder / "artifacts"
        storage.mkdir()
        source = (f"--storage-path={storage}", "--storage-addr=127.0.0.1:0")
        canary = (
            f"-metrics-server={self.metrics_url}",
            "-mesh-provider=gatewayapi:v1",
            "-analysis-interval-floor=1s",
            "-control-loop-interval=1s",
        )
        wait = "--requeue-dependency=1s"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._start_controller("source", *source))
            tasks.create_task(self._start_controller("kustomize", wait))
            tasks.create_task(self._start_controller("helm", wait))
            tasks.create_task(self._start_controller("canary", *canary))

    @property
    def canary_metrics(self) -> str:
        """Where the canary controller tells what it measured."""
        found = msgspec.json.decode((self._crew.folder / "canary.addresses").read_bytes())
        return f"{_url(found['metrics'])}/metrics"

    async def _start_control_plane(self) -> None:
        ready = self._crew.folder / "plane.ready"
        await self._crew.start(
            "plane",
            *("fluvial.cluster", "serve", "--gateway"),
            f"--data-dir={self._crew.folder / 'plane'}",
            f"--kubeconfig={self.kubeconfig}",
            f"--ready-file={ready}",
            f"--scrape-targets={self._targets}",
            ready=ready.exists,
            within=self._within,
        )

    async def _start_githost(self) -> None:
        log = self._crew.folder / "githost.log"
        await self._crew.start(
            *("githost", "fluvial.cluster.githost", str(self.git_root)),
            ready=lambda: b"serving" in log.read_bytes(),
            within=self._within,
        )
        self.git_url = log.read_text().split()[-1]

    async def _start_store(self) -> None:
        address = self._crew.folder / "metrics.address"
        await self._crew.start(
            "metrics",
            *("fluvial.cluster.metrics", f"--targets={self._targets}", "--listen=127.0.0.1:0"),
            *(f"--address-file={address}", "--scrape-interval=500ms"),
            ready=address.exists,
            within=self._within,
        )
        self.metrics_url = _url(address.read_text())

    async def _start_prometheus(self) -> None:
        program = shutil.which("prometheus")
        if program is None:
            raise StepFailed(
                "METRICS=prometheus needs the program prometheus on the PATH; without METRICS the"
                " embedded store is used",
                process="metrics",
            )
        config = self._crew.folder / "prometheus.yml"
        config.write_text(prometheus_config(self._targets))
        log = self._crew.folder / "metrics.log"
        await self._crew.start_program(
            "metrics",
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={self._crew.folder / 'tsdb'}",
            "--web.listen-address=127.0.0.1:0",
            ready=lambda: _answers(log.read_bytes()),
            within=self._within,
        )
        found = _LISTENING.search(log.read_bytes())
        assert found is not None, "it was found a moment ago"
        self.metrics_url = _url(found[1].decode())

    async def _start_controller(self, name: str, *arguments: str) -> None:
        addresses = self._crew.folder / f"{name}.addresses"
        await self._crew.start(
            name,
            f"fluvial.{name}",
            f"--kubeconfig={self.kubeconfig}",
            "--metrics-addr=127.0.0.1:0",
            "--health-addr=127.0.0.1:0",
            f"--address-file={addresses}",
            "--log-encoding=console",
            *arguments,
            ready=lambda: _bound(addresses),
            within=self._within,
        )


def _answers(log: bytes) -> bool:
    """Tell whether Prometheus listens and answers; it tells both, in either order."""
    return _LISTENING.search(log) is not None and b"ready to receive web requests" in log


def _bound(addresses: Path) -> bool:
    return addresses.exists() and bool(msgspec.json.decode(addresses.read_bytes()))


def _url(address: str) -> str:
    address = address.strip()
    return address if address.startswith("http") else f"http://{address}"


async def _served(client: Client, definition: Unstructured) -> None:
    """Wait until a kind can be listed; the client's own deadlines bound it."""
    names, spec = definition["spec"]["names"], definition["spec"]
    resource = Resource(
        spec["group"],
        spec["versions"][0]["name"],
        names["plural"],
        names["kind"],
        namespaced=spec["scope"] == "Namespaced",
    )
    async with asyncio.timeout(20):
        while True:
            try:
                await client.list(resource)
            except NotFound:
                await asyncio.sleep(0.02)
            else:
                return
