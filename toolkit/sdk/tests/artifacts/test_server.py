# ruff: noqa: PLR0917 -- fixtures and the columns of a table are all positional
"""The file server, seen by a client that takes nothing for granted."""

import asyncio
import email.utils
import os

import aiohttp
import pytest

from fluvial.toolkit.artifacts import ArtifactServer, LocalStore

PATH = "gitrepository/default/apps/sha256:a+b.tar.gz"
SMALL = b"0123456789"
MODIFIED = 1_700_000_000


@pytest.fixture
async def store(tmp_path):
    store = LocalStore(tmp_path / "data", "x")
    await store.write(PATH, [SMALL])
    os.utime(store.root / PATH, (MODIFIED + 0.5, MODIFIED + 0.5))
    return store


@pytest.fixture
async def get(store):
    async with (
        ArtifactServer(store, host="127.0.0.1", port=0) as server,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):

        async def get(path=f"/{PATH}", method="GET", **headers):
            url = f"http://127.0.0.1:{server.port}{path}"
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.request(method, url, headers=headers) as response:
                return response.status, response.headers, await response.read()

        yield get


def http_date(at):
    return email.utils.formatdate(at, usegmt=True)


async def test_get(get):
    status, headers, body = await get()
    assert (status, body) == (200, SMALL)
    assert headers["Content-Length"] == "10"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Last-Modified"] == http_date(MODIFIED)
    assert "ETag" not in headers
    assert "Cache-Control" not in headers


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "*"])
async def test_never_a_content_encoding(get, accepted):
    status, headers, body = await get(Accept_Encoding=accepted)
    assert (status, body) == (200, SMALL)
    assert "Content-Encoding" not in headers


async def test_head(get):
    status, headers, body = await get(method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, "10", b"")


async def test_the_root_answers_the_probe(get):
    assert (await get("/"))[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gitrepository/default/apps/none",
        "/gitrepository/default/apps",
        "/gitrepository/default/apps/",
        "/gitrepository/default/apps/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/gitrepository/default/apps/.hidden",
    ],
)
async def test_not_found(get, store, path):
    (store.root / "gitrepository/default/apps/.hidden").write_bytes(b"x")
    assert (await get(path))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_read_only(get, method):
    assert (await get(method=method))[0] == 405


@pytest.mark.parametrize(
    ("wanted", "status", "body", "span", "reason"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10", "a span, both ends inclusive"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10", "to the end"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10", "the last three"),
        ("bytes=-30", 206, SMALL, "bytes 0-9/10", "more than there is, from the end"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10", "cut at the end"),
        ("bytes=10-", 416, None, "bytes */10", "beyond the end"),
        ("bytes=-0", 416, None, "bytes */10", "nothing"),
        ("bytes=4-2", 200, SMALL, None, "not a range: the header is ignored"),
        ("bytes=1-2,4-5", 200, SMALL, None, "several are allowed to be ignored"),
        ("lines=1-2", 200, SMALL, None, "another unit"),
        ("bytes=-", 200, SMALL, None, "no number at all"),
    ],
)
async def test_ranges(get, wanted, status, body, span, reason):
    got, headers, content = await get(Range=wanted)
    assert got == status, reason
    assert headers.get("Content-Range") == span
    if body is not None:
        assert content == body


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"If_Modified_Since": http_date(MODIFIED)}, 304, "the client has it"),
        ({"If_Modified_Since": http_date(MODIFIED + 5)}, 304, "and later"),
        ({"If_Modified_Since": http_date(MODIFIED - 1)}, 200, "an older one"),
        ({"If_Modified_Since": "yesterday"}, 200, "not a date"),
        ({"Range": "bytes=1-2", "If_Range": http_date(MODIFIED)}, 206, "the same file"),
        ({"Range": "bytes=1-2", "If_Range": http_date(MODIFIED - 1)}, 200, "another: all of it"),
        ({"Range": "bytes=1-2", "If_Range": '"etag"'}, 200, "no entity tags here"),
    ],
)
async def test_conditions(get, headers, status, reason):
    assert (await get(**headers))[0] == status, reason


async def test_large_files_are_streamed(get, store):
    content = os.urandom(1 << 20)
    await store.write("a/b/c/large", [content])
    assert (await get("/a/b/c/large"))[2] == content
    assert (await get("/a/b/c/large", Range="bytes=300000-700000"))[2] == content[300000:700001]


async def test_small_files_are_cached_until_they_change(get, store, monkeypatch):
    opened = []
    inner = store.open

    async def counted(path, *span):
        opened.append(path)
        return await inner(path, *span)

    monkeypatch.setattr(store, "open", counted)
    assert [(await get())[2] for _ in range(3)] == [SMALL] * 3
    assert opened == [PATH]
    await store.write(PATH, [b"new"])
    assert (await get())[2] == b"new"


async def test_the_cache_is_bounded(store):
    async with (
        ArtifactServer(store, host="127.0.0.1", port=0, cache_bytes=25) as server,
        aiohttp.ClientSession() as session,
    ):
        for name in "abcde":
            await store.write(f"a/b/c/{name}", [name.encode() * 10])
            async with session.get(f"http://127.0.0.1:{server.port}/a/b/c/{name}") as response:
                assert await response.read() == name.encode() * 10
        assert list(server._cache._held) == ["a/b/c/d", "a/b/c/e"]


async def test_links_are_followed(get, store):
    await store.link(PATH, "latest.tar.gz")
    assert (await get("/gitrepository/default/apps/latest.tar.gz"))[2] == SMALL


async def test_many_at_once(get):
    answers = await asyncio.gather(*(get() for _ in range(40)))
    assert {(status, body) for status, _, body in answers} == {(200, SMALL)}
