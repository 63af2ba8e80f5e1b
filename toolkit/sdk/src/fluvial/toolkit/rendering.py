"""What a controller holds on to that renders artifacts: a fetcher of trees, a pool of workers."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fluvial.toolkit.artifacts import Fetcher
from fluvial.toolkit.manager import Manager
from fluvial.toolkit.workers import WorkerPool

__all__ = ["enter_rendering", "private_fetcher"]


async def enter_rendering(
    manager: Manager[Any], name: str, job: str, retries: int
) -> tuple[Fetcher, WorkerPool]:
    """Give a manager both; they end with it.

    `name` begins the name of the fetcher's folder; `job` (`module:function`) is what workers load
    before the first call; `retries` is how often a download is tried again.
    """
    fetcher = await manager.enter(private_fetcher(name, retries))
    pool = await manager.enter(WorkerPool(preload=[job.partition(":")[0]]))
    return fetcher, pool


@asynccontextmanager
async def private_fetcher(name: str, retries: int = 9) -> AsyncIterator[Fetcher]:
    """Provide a fetcher whose folder, begun with `name`, is private and goes with the process."""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix=f"{name}-")
    try:
        async with Fetcher(Path(folder.name) / "artifacts", retries=retries) as fetcher:
            yield fetcher
    finally:
        await asyncio.to_thread(folder.cleanup)
