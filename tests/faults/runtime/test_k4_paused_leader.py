"""K4: a paused leader wakes after losing its lease and writes nothing."""

import asyncio
import signal
from contextlib import aclosing

import pytest

from fluvial.toolkit.client import Resource

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)

WRITER = """
import os
from dataclasses import dataclass
from fluvial.toolkit import Resource, RuntimeFlags, flag, main

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")

@dataclass(kw_only=True)
class Flags(RuntimeFlags):
    signature: str = flag("", "Who writes.")

async def setup(manager):
    async def write(runtime):
        count = 0
        while True:
            count += 1
            data = {"data": {"writer": manager.flags.signature, "count": str(count)}}
            await runtime.client.patch(CONFIG_MAPS, "journal", data, "flux-system")
            await runtime.clock.sleep(0.02)
    manager.add_task("writer", write)

raise SystemExit(main("writer", setup, Flags))
"""


@pytest.mark.faults
@pytest.mark.thorough
async def test_a_stopped_leader_wakes_to_no_write(client, kubeconfig, start, tmp_path):
    (tmp_path / "controller.py").write_text(WRITER)
    await client.create(
        NAMESPACES,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}},
    )
    journal = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "journal"}}
    created = await client.create(CONFIG_MAPS, journal, "flux-system")
    writers = []
    moved = asyncio.Event()

    async def read():
        version = created["metadata"]["resourceVersion"]
        events = client.watch(CONFIG_MAPS, "flux-system", resource_version=version)
        async with aclosing(events):
            async for event in events:
                if event.type == "MODIFIED" and event.object["metadata"]["name"] == "journal":
                    writers.append(event.object["data"]["writer"])
                    moved.set()

    async def until(writer, count=3):
        async with asyncio.timeout(40):
            while writers[-count:] != [writer] * count:
                moved.clear()
                await moved.wait()

    def flags(signature):
        return (
            f"--kubeconfig={kubeconfig}",
            f"--signature={signature}",
            "--metrics-addr=0",
            "--health-addr=0",
            "--enable-leader-election",
            "--leader-election-lease-duration=5s",
            "--leader-election-renew-deadline=4s",
            "--leader-election-retry-period=500ms",
        )

    reader = asyncio.create_task(read())
    first = await start("controller.py", *flags("first"), cwd=tmp_path)
    await until("first")
    first.send_signal(signal.SIGSTOP)
    second = await start("controller.py", *flags("second"), cwd=tmp_path)
    await until("second")
    takeover = writers.index("second")
    first.send_signal(signal.SIGCONT)
    async with asyncio.timeout(20):
        _, errors = await first.communicate()
    assert first.returncode == 1, errors.decode()
    assert b"lease" in errors
    assert set(writers[takeover:]) == {"second"}
    second.send_signal(signal.SIGTERM)
    await second.communicate()
    assert second.returncode == 0
    reader.cancel()
    await asyncio.wait([reader])
