"""Releases against a real control plane: the test offers charts as source-controller would."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
import pytest_asyncio
from harness import WITHIN
from namespaces import Namespace, new_namespace
from offers import offering

from fluvial.apis.kinds import HELM_RELEASE
from fluvial.toolkit.client import resource_of_kind

RELEASES = resource_of_kind(HELM_RELEASE)
HELM = Path(__file__).parents[3] / ".venv" / "oracles" / "helm"


@pytest.fixture(scope="module")
def plane(make_harness):
    harness = make_harness("helm")
    harness.start_plane()
    harness.define()
    harness.start_controller("fluvial.helm", "--requeue-dependency=1s", "--max-retry-delay=2s")
    return harness


class Team(Namespace):
    """A namespace for one test, with a chart that the test itself offers."""

    def __init__(self, harness, client, name, offers):
        super().__init__(harness, client, name)
        self._offers = offers

    async def offer(self, files, version="1.0.0", chart="app"):
        """Offer a chart, as `HelmChart/app` with an artifact."""
        await self._offers.chart(self, files, version, chart)

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
    async with new_namespace(plane) as (client, name), offering(tmp_path) as offers:
        yield Team(plane, client, name, offers)
