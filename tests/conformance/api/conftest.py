"""Servers of each kind, one per test session: most cases share one, and make what they need."""

import contextlib
from collections.abc import AsyncIterator

import pytest_asyncio
from tests.conformance.api.servers import Servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers() -> AsyncIterator[Servers]:
    """Give the servers, started when the first case needs them."""
    async with contextlib.AsyncExitStack() as stack:
        yield Servers(stack)
