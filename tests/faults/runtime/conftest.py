"""API servers that misbehave."""

import pytest

from fluvial.toolkit.testing import FakeApi


@pytest.fixture
async def api():
    async with FakeApi() as server:
        yield server
