import asyncio
import os

import pytest

WITHIN = 60.0


@pytest.fixture
def gone():
    """Wait for the end of a process that is not our child."""

    async def wait(pid):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(handle, ended.set)
        try:
            async with asyncio.timeout(WITHIN):
                await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    return wait
