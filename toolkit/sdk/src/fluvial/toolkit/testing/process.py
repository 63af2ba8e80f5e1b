"""A manager inside a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fluvial.toolkit.flags import RuntimeFlags
from fluvial.toolkit.manager import Manager

__all__ = ["quiet_flags", "running"]


def quiet_flags(**changes: Any) -> RuntimeFlags:
    """Return flags without servers, at no fixed port; `changes` are fields of RuntimeFlags."""
    return RuntimeFlags(**{"metrics_addr": "0", "health_addr": "0", **changes})


@asynccontextmanager
async def running(manager: Manager[Any]) -> AsyncIterator[Manager[Any]]:
    """Run a manager while the body runs, then stop it in order.

    What the manager raises comes out here.
    """
    async with manager:
        task = asyncio.create_task(manager.run(), name="manager")
        try:
            yield manager
        finally:
            manager.stop()
            await task
