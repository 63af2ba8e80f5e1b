"""Controllers as processes and in process, against the embedded control plane."""

import asyncio
import pathlib
import re

import pytest

from fluvial.toolkit.client import NotFound

GUIDE = pathlib.Path(__file__).parents[3] / "docs" / "extend.md"


@pytest.fixture
def pages(tmp_path):
    """Save the code that the guide says to save as a file; returns where it is."""

    def save(name):
        pattern = rf"Save it as\s`{re.escape(name)}`.*?```python\n(.*?)```"
        path = tmp_path / name
        path.write_text(re.search(pattern, GUIDE.read_text(), re.DOTALL)[1])
        return path

    return save


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


def ready(obj):
    conditions = (obj.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


@pytest.fixture
def is_ready():
    return ready
