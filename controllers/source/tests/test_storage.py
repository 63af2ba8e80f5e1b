import asyncio

import pytest

from fluvial.source.flags import SourceFlags
from fluvial.source.storage import Storage


@pytest.mark.parametrize(
    ("address", "expected", "reason"),
    [
        (":0", "http://127.0.0.1:", "any address is also this one"),
        ("0.0.0.0:0", "http://127.0.0.1:", "spelt out"),
        ("127.0.0.1:0", "http://127.0.0.1:", "an address is itself"),
        ("[::1]:0", "http://[::1]:", "in brackets where it has colons"),
    ],
)
async def test_the_address_for_this_very_process(tmp_path, address, expected, reason):
    flags = SourceFlags(
        storage_path=str(tmp_path), storage_addr=address, storage_adv_addr="artifacts.test"
    )
    storage = Storage(flags)
    serving = asyncio.create_task(storage.serve(None))
    async with asyncio.timeout(30):
        await storage.ready()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert storage.loopback("a/b").startswith(expected), reason
    assert storage.loopback("a/b").endswith("/a/b"), reason
    assert storage.url("a/b") == "http://artifacts.test/a/b", reason
