"""Controllers as processes that are stopped, and API servers that misbehave."""

import asyncio
import contextlib
import sys

import pytest

from fluvial.cluster.plane import ControlPlane
from fluvial.toolkit.client import Client, ClusterConfig
from fluvial.toolkit.testing import FakeApi


@pytest.fixture
async def plane():
    async with ControlPlane() as plane:
        yield plane


@pytest.fixture
async def client(plane):
    config = ClusterConfig.plain(plane.url, token=plane.token, ca=plane.ca.encode())
    async with Client(config, qps=0) as client:
        yield client


@pytest.fixture
async def api():
    async with FakeApi() as server:
        yield server


@pytest.fixture
def kubeconfig(plane, tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(plane.kubeconfig)
    return path


@pytest.fixture
async def start(tmp_path):
    """Start a script as a process; what still runs at the end is killed."""
    processes = []

    async def launch(script, *arguments):
        path = tmp_path / "controller.py"
        path.write_text(script)
        process = await asyncio.create_subprocess_exec(
            sys.executable, path.name, *arguments, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
        )
        processes.append(process)
        return process

    yield launch
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
