"""Kinds of sources that other distributions add to the process."""

import asyncio

import pytest

from fluvial.source.flags import SourceFlags
from fluvial.source.main import NAME, setup
from fluvial.toolkit import CONFIG_MAP, Manager
from fluvial.toolkit.client import Client
from fluvial.toolkit.testing import FakeApi
from fluvial.toolkit.testing.extension import write_extension

ADDED = """
from pathlib import Path

from fluvial.toolkit import CONFIG_MAP


async def add(manager, storage):
    async def work(runtime):
        await storage.ready()
        metadata = {"name": "added", "namespace": "default"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        await runtime.client.create(CONFIG_MAP, body, "default")

    manager.add_task("added", work)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    def install(name, source):
        folder = tmp_path / name
        folder.mkdir()
        write_extension(folder, source, "fluvial.sources", name, "add")
        monkeypatch.syspath_prepend(str(folder))

    return install


async def test_a_source_is_added_and_a_broken_one_costs_no_other(tmp_path, install, caplog):
    install("broken", "import nowhere")
    install("sound", ADDED)
    storage = tmp_path / "storage"
    storage.mkdir()
    flags = SourceFlags(
        storage_path=str(storage),
        storage_addr="127.0.0.1:0",
        metrics_addr="0",
        health_addr="0",
    )
    async with (
        FakeApi() as api,
        Client(api.config) as client,
        Manager(NAME, flags, api.config) as manager,
        asyncio.timeout(60),
    ):
        await setup(manager)
        running = asyncio.create_task(manager.run())
        async for event in client.watch(CONFIG_MAP, "default"):
            if event.object["metadata"].get("name") == "added":
                break
        manager.stop()
        await running
    assert "a source is left out" in caplog.text
    assert "broken" in str([vars(record) for record in caplog.records])
