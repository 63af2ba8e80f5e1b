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

__all__ = ["enter_rendering"]


async def enter_rendering(
    manager: Manager[Any], name: str, job: str, retries: int
) -> tuple[Fetcher, WorkerPool]:
    """Give a manager both, and a private folder that goes with the process.

    `name` begins the folder's name, `job` is the function that workers load before the first call
    (`module:function`), `retries` how often a download is tried again.
    """
    folder = await manager.enter(_private_folder(f"{name}-"))
    fetcher = await manager.enter(Fetcher(folder / "artifacts", retries=retries))
    pool = await manager.enter(WorkerPool(preload=[job.partition(":")[0]]))
    return fetcher, pool


@asynccontextmanager
async def _private_folder(prefix: str) -> AsyncIterator[Path]:
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix=prefix)
    try:
        yield Path(folder.name)
    finally:
        await asyncio.to_thread(folder.cleanup)
