"""A real S3 service, as a process in an environment of its own."""

import asyncio
import pathlib
import re
import uuid

import pytest
import pytest_asyncio
from harness import WITHIN

from fluvial.toolkit.artifacts import Bucket, BucketStore

MOTO = pathlib.Path(__file__).parents[3] / ".venv" / "servers" / "bin" / "python"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fluvial")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoint():
    """Start the service at a free port; its URL."""
    if not MOTO.exists():
        pytest.skip("moto is missing: make servers")
    process = await asyncio.create_subprocess_exec(
        *(str(MOTO), "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN):
            while not (found := re.search(rb"http://\S+:\d+", await process.stderr.readline())):
                assert process.returncode is None
        reading = asyncio.create_task(_drain(process.stderr))
        yield found[0].decode()
        reading.cancel()
    finally:
        process.kill()
        await process.communicate()


async def _drain(stream):
    while await stream.readline():
        pass


@pytest.fixture
async def bucket(endpoint):
    """Make an empty bucket, with a prefix in it."""
    bucket = Bucket(f"b{uuid.uuid4().hex}", "some/where", endpoint)
    async with BucketStore(bucket, "") as opened:
        await opened._s3.create_bucket(Bucket=bucket.name)
    return bucket
