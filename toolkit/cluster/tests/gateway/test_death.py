"""No Envoy outlives its control plane, however that ends."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

WITHIN = 30.0


def envoys_of(directory):
    """Return the pids of the Envoys whose command line names the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(directory) in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return [
        pid for pid in found if "admin-address-path" in Path(f"/proc/{pid}/cmdline").read_text()
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
async def test_envoy_ends_with_the_plane(tmp_path, envoy, number, gone):
    targets = tmp_path / "targets.json"
    plane = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fluvial.cluster", "serve", "--gateway"),
        *("--data-dir", str(tmp_path / "plane"), "--kubeconfig", str(tmp_path / "kubeconfig")),
        *("--scrape-targets", str(targets)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(WITHIN):
        # The file names Envoy's admin address once it runs.
        while not (targets.exists() and b"envoy" in targets.read_bytes()):  # noqa: ASYNC110  a file
            await asyncio.sleep(0)
    (pid,) = envoys_of(tmp_path / "plane")
    plane.send_signal(number)
    async with asyncio.timeout(WITHIN):
        code = await plane.wait()
    assert code == (-number if number == signal.SIGKILL else 0)
    await gone(pid)
    assert envoys_of(tmp_path / "plane") == []


async def test_an_envoy_that_crashed_is_started_again_and_serves_the_same(world, tmp_path, gone):
    await world.service("web")
    await world.route("web", [{"backendRefs": [{"name": "web", "port": 80}]}])
    await world.eventually(503)
    (pid,) = envoys_of(tmp_path / "plane")
    os.kill(pid, signal.SIGKILL)
    await gone(pid)
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                await world.eventually(503)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0)
    assert envoys_of(tmp_path / "plane") != [pid]
