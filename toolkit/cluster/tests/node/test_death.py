"""Nothing outlives the control plane, however it ends."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

DEADLINE = 20
PLANE = """
import asyncio, sys
from pathlib import Path
from fluvial.cluster.node.process import Processes

CHILD = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True);"
    "time.sleep(600)"
)

async def main():
    directory = Path(sys.argv[1])
    processes = Processes(directory)
    log = directory / "log"
    command = [sys.executable, "-c", CHILD]
    process = await processes.start(command, {"PATH": "/usr/bin"}, directory, log)
    while not log.read_text().strip():
        await asyncio.sleep(0.01)
    print(process._inner.pid, log.read_text().strip(), processes._reaper.pid, flush=True)
    await process.wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
async def test_children_grandchildren_and_secrets_are_gone(tmp_path, number, gone):
    directory = tmp_path / "node"
    directory.mkdir()
    plane = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PLANE, str(directory), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE):
        pids = [int(text) for text in (await plane.stdout.readline()).split()]
    assert len(pids) == 3
    plane.send_signal(number)
    await plane.wait()
    for pid in pids:
        await gone(pid)
    assert not directory.exists()


WHOLE = """
import asyncio, sys
from pathlib import Path
from fluvial.cluster.plane import ControlPlane, Options

async def main():
    async with ControlPlane(Options(data_dir=Path(sys.argv[1]), standins=True)) as plane:
        container = {"name": "web", "image": "fluvial.dev/sample/webapp:1"}
        container["ports"] = [{"containerPort": 9898}]
        container["readinessProbe"] = {"tcpSocket": {"port": 9898}, "periodSeconds": 1}
        await plane.api.create({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"containers": [container]},
        })
        async for _, pod in plane.api.watch("v1/pods"):
            conditions = (pod.get("status") or {}).get("conditions") or []
            if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
                print("ready", flush=True)

asyncio.run(main())
"""


async def test_a_whole_plane_that_is_killed_takes_its_pods_along(tmp_path, gone):
    directory = tmp_path / "plane"
    directory.mkdir()
    plane = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WHOLE, str(directory), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE):
        assert await plane.stdout.readline() == b"ready\n"
    mine = processes_of(directory / "node")
    assert len(mine) == 2, "the pod and the reaper"
    plane.kill()
    await plane.wait()
    for pid in mine:
        await gone(pid)
    assert not (directory / "node").exists()


def processes_of(directory):
    """Return the pids whose command line or environment names a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if entry.name.isdigit() and str(directory).encode() in text:
            found.append(int(entry.name))
    return found


async def test_the_launcher_refuses_when_the_parent_is_gone_already(tmp_path):
    launcher = __import__("fluvial.cluster.node.launcher", fromlist=["__file__"]).__file__
    marker = tmp_path / "started"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        launcher,
        "1",
        sys.executable,
        "-c",
        f"open({str(marker)!r}, 'w')",
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"the control plane (process 1) is gone" in errors
    assert not marker.exists()
