"""What tests of several distributions share: a control plane in process, a client, processes."""

import asyncio
import contextlib
import itertools
import os
import sys
from collections import defaultdict

import pytest
from cloudservices import CloudServices
from harness import Harness, running

from fluvial.cluster.plane import ControlPlane
from fluvial.toolkit.client import Client, ClusterConfig


@pytest.fixture
async def plane():
    """Run a control plane without stand-ins in this process."""
    async with ControlPlane() as plane:
        yield plane


@pytest.fixture
def config(plane):
    return ClusterConfig.plain(plane.url, token=plane.token, ca=plane.ca.encode())


@pytest.fixture
async def client(config):
    """Act as the plane's administrator."""
    async with Client(config, qps=0) as client:
        yield client


@pytest.fixture
def kubeconfig(plane, tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(plane.kubeconfig)
    return path


@pytest.fixture
async def start(tmp_path):
    """Start a Python process; what still runs at the end is killed."""
    processes = []

    async def launch(*arguments, cwd):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *arguments),
            cwd=cwd,
            env={**os.environ, "TMPDIR": str(tmp_path)},  # what a killed one leaves goes with it
            stderr=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield launch
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


# The real programs are asked hundreds of times for a moment each: most of what they would collect
# goes with them anyway.
os.environ.setdefault("GOGC", "400")

_SAMPLE = 10
"""Of how many recorded cases `make test` asks the real program about one."""


def pytest_collection_modifyitems(config, items):
    """Leave out what `make oracles` and `make faults` try in full.

    The answers of real programs are recorded, and every test run holds us to the record; whether
    the record is still right is asked about one case in ten. Of faults of one kind the `thorough`
    ones are left out.
    """
    left_out = set()
    if os.environ.get("FLUVIAL_ORACLES") != "all":
        asking = [item for item in items if item.get_closest_marker("oracle")]
        numbers = defaultdict(itertools.count)
        left_out |= {item for item in asking if next(numbers[item.function]) % _SAMPLE}
    if os.environ.get("FLUVIAL_FAULTS") != "all":
        left_out |= {item for item in items if item.get_closest_marker("thorough")}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the logs of the processes to the report of a failed test."""
    report = yield
    if report.failed:
        for process in running.values():
            report.sections.append((f"log of {process.name}", process.tail()))
    return report


@pytest.fixture(scope="module")
def make_harness(tmp_path_factory):
    """Make a harness per call; whatever it has started ends with the module."""
    made = []

    def make(name="e2e"):
        harness = Harness(tmp_path_factory.mktemp(name))
        made.append(harness)
        return harness

    yield make
    for harness in made:
        harness.close()


@pytest.fixture(scope="module")
def clouds():
    """Run what the controllers take for clouds."""
    with CloudServices() as services, pytest.MonkeyPatch.context() as patch:
        for name, value in services.environment.items():
            patch.setenv(name, value)
        yield services
