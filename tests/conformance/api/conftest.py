"""Two servers per test session: one that most cases share, and one that stays empty."""

from collections.abc import AsyncIterator

import pytest_asyncio
from tests.conformance.api.servers import Server, serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared() -> AsyncIterator[Server]:
    """Give the server that most cases share: each of them makes what it needs."""
    async with serving() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def empty() -> AsyncIterator[Server]:
    """Give a server on which nothing is made: documents of the whole server are read there."""
    async with serving() as server:
        yield server
