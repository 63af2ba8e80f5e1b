"""Controllers as processes and in process, against the embedded control plane."""

import asyncio
import contextlib
import sys

import pytest

from fluvial.cluster.plane import ControlPlane
from fluvial.toolkit.client import Client, ClusterConfig, NotFound


@pytest.fixture
async def plane():
    async with ControlPlane() as plane:
        yield plane


@pytest.fixture
def config(plane):
    return ClusterConfig.plain(plane.url, token=plane.token, ca=plane.ca.encode())


@pytest.fixture
async def client(config):
    async with Client(config, qps=0) as client:
        yield client


@pytest.fixture
def kubeconfig(plane, tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(plane.kubeconfig)
    return path


@pytest.fixture
def seen(client):
    """Wait until an object is as `holds` wants it, and return it."""

    async def wait(resource, name, holds=lambda _: True, namespace="default", *, gone=False):
        async with asyncio.timeout(20):
            while True:
                try:
                    obj = await client.get(resource, name, namespace)
                except NotFound:
                    if gone:
                        return None
                else:
                    if not gone and holds(obj):
                        return obj
                # The server is a real one: it is asked, at a rate that does not disturb it.
                await asyncio.sleep(0.05)

    return wait


@pytest.fixture
async def start():
    """Start a controller as a process; what still runs at the end is killed."""
    processes = []

    async def launch(*arguments, cwd):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=cwd,
            stderr=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield launch
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def ready(obj):
    conditions = (obj.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


@pytest.fixture
def is_ready():
    return ready
