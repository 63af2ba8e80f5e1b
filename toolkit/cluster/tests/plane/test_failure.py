"""A control plane of which a part has failed says so and ends."""

import asyncio
import sys

import pytest

from fluvial.cluster.plane import ControlPlane, Options

BROKEN = """
import sys
from fluvial.cluster.__main__ import main
from fluvial.cluster.standins.manager import Standins

async def fail(self):
    raise RuntimeError("a stand-in fails")

Standins.run = fail
main(sys.argv[1:])
"""


async def test_a_failed_part_is_told_at_once_and_raised_at_the_end(monkeypatch, tmp_path):
    async def fail(self):
        raise RuntimeError("a stand-in fails")

    monkeypatch.setattr("fluvial.cluster.plane.Standins.run", fail)
    plane = ControlPlane(Options(data_dir=tmp_path, standins=True))
    await plane.__aenter__()
    async with asyncio.timeout(30):
        await plane.broken.wait()
    with pytest.raises(RuntimeError, match="a stand-in fails"):
        await plane.__aexit__(None, None, None)


async def test_the_process_ends_with_an_error(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BROKEN, "serve", "--data-dir", str(tmp_path)),
        *("--kubeconfig", str(tmp_path / "kubeconfig")),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"a stand-in fails" in errors
