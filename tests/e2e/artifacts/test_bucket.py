"""The store in a bucket keeps the promises of every store."""

import hashlib

import pytest

from fluvial.toolkit.artifacts import (
    ArtifactError,
    ArtifactNotFound,
    Bucket,
    BucketStore,
    PathRejected,
)

PATH = "gitrepository/default/apps/abc.tar.gz"
PREFIX = "gitrepository/default/apps"
LATEST = f"{PREFIX}/latest.tar.gz"


def digest(content, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@pytest.fixture
def late():
    """How many seconds the store's clock is ahead of the service's."""
    return [0.0]


@pytest.fixture
async def store(bucket, late):
    import time  # noqa: PLC0415 - what the service stamps files with

    async with BucketStore(
        bucket, "source.example.", clock=lambda: time.time() + late[0]
    ) as opened:
        yield opened


async def content_of(store, path=PATH, start=0, stop=None):
    return b"".join([chunk async for chunk in await store.open(path, start, stop)])


async def test_write_and_read_back(store):
    stored = await store.write(PATH, [b"hello ", b"world"])

    assert stored.digest == digest(b"hello world")
    assert stored.size == 11
    assert await content_of(store) == b"hello world"
    found = await store.stat(PATH)
    assert (found.size, found.digest) == (11, "")
    assert abs(found.modified - stored.modified) < 60
    assert store.url(PATH) == f"http://source.example./{PATH}"


async def test_asynchronous_and_empty_content(store):
    async def chunks():
        yield b"a"
        yield b"b"

    assert (await store.write(PATH, chunks())).digest == digest(b"ab")
    assert (await store.write(PATH, [])).size == 0
    assert await content_of(store) == b""


async def test_more_than_a_block(store):
    content = bytes(range(256)) * 4096
    await store.write(PATH, [content])
    assert await content_of(store) == content


@pytest.mark.parametrize(
    ("start", "stop", "expected", "reason"),
    [
        (2, 5, b"cde", "in the middle"),
        (8, None, b"ij", "to the end"),
        (8, 99, b"ij", "beyond the end"),
        (10, None, b"", "nothing is left"),
    ],
)
async def test_ranges(store, start, stop, expected, reason):
    await store.write(PATH, [b"abcdefghij"])
    assert await content_of(store, PATH, start, stop) == expected, reason


async def test_a_source_that_breaks_leaves_what_was_there(store):
    await store.write(PATH, [b"old"])

    def chunks():
        yield b"new"
        raise OSError(5, "I/O")

    with pytest.raises(OSError, match="I/O"):
        await store.write(PATH, chunks())
    assert await content_of(store) == b"old"


async def test_verify(store, bucket):
    stored = await store.write(PATH, [b"x"])
    assert await store.verify(PATH, stored.digest)
    assert await store.verify(PATH, digest(b"x", "sha512")), "the digest names its algorithm"
    await store._s3.put_object(Bucket=bucket.name, Key=f"some/where/{PATH}", Body=b"y")
    assert not await store.verify(PATH, stored.digest), "other bytes"
    await store.remove(PREFIX)
    assert not await store.verify(PATH, stored.digest), "a missing file"


async def test_a_missing_file(store):
    assert await store.stat(PATH) is None
    with pytest.raises(ArtifactNotFound):
        await store.open(PATH)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a/b/c", "too few parts"),
        ("a/b/../d", "upwards"),
        ("a/b/c/.links", "the store's own"),
    ],
)
async def test_paths(store, path, reason):
    for call in (store.write(path, [b""]), store.stat(path), store.open(path)):
        with pytest.raises(PathRejected, match="is not of the form"):
            await call
    assert reason


async def test_a_link_follows_its_latest_file(store):
    await store.write(PATH, [b"one"])
    assert await store.link(PATH, "latest.tar.gz") == f"http://source.example./{LATEST}"
    assert await content_of(store, LATEST) == b"one"
    other = f"{PREFIX}/def.tar.gz"
    await store.write(other, [b"two"])
    await store.link(other, "latest.tar.gz")
    assert await content_of(store, LATEST) == b"two"
    assert (await store.stat(LATEST)).size == 3


@pytest.mark.parametrize("aim", ["../other/abc.tar.gz", ".links", "gone.tar.gz"])
async def test_a_link_never_leads_elsewhere(store, bucket, aim):
    await store.write("gitrepository/default/other/abc.tar.gz", [b"two"])
    key = f"some/where/{PREFIX}/.links/latest.tar.gz"
    await store._s3.put_object(Bucket=bucket.name, Key=key, Body=aim.encode())
    assert await store.stat(LATEST) is None
    with pytest.raises(ArtifactNotFound):
        await store.open(LATEST)


async def test_garbage_is_collected_and_links_stay(store, late):
    for name in ("a", "b", "c"):
        await store.write(f"{PREFIX}/{name}.tar.gz", [name.encode()])
    await store.link(f"{PREFIX}/c.tar.gz", "latest.tar.gz")
    assert await store.collect(PREFIX, f"{PREFIX}/c.tar.gz", 60, 3) == []
    late[0] = 3600
    gone = await store.collect(PREFIX, f"{PREFIX}/c.tar.gz", 60, 2)
    assert sorted(gone) == [f"{PREFIX}/a.tar.gz", f"{PREFIX}/b.tar.gz"]
    assert await content_of(store, LATEST) == b"c"


async def test_one_object_is_removed_whole_and_alone(store):
    neighbour = "gitrepository/default/apps-2/abc.tar.gz"
    for path in (PATH, neighbour):
        await store.write(path, [b"x"])
    await store.link(PATH, "latest.tar.gz")
    await store.remove(PREFIX)
    assert await store._list(PREFIX) == []
    assert await store.stat(neighbour) is not None


async def test_a_bucket_that_is_not_there(endpoint):
    async with BucketStore(Bucket("nowhere", "", endpoint), "") as store:
        with pytest.raises(ArtifactError, match=r"s3://nowhere/.*NoSuchBucket"):
            await store.write(PATH, [b"x"])


async def test_a_service_that_cannot_be_reached(unused_tcp_port):
    bucket = Bucket("b", "", f"http://127.0.0.1:{unused_tcp_port}")
    async with BucketStore(bucket, "") as store:
        with pytest.raises(ArtifactError, match="s3://b: Could not connect"):
            await store.stat(PATH)


@pytest.mark.parametrize(
    ("url", "expected", "reason"),
    [
        ("s3://artifacts", Bucket("artifacts"), "the bucket alone"),
        (
            "s3://a/flux/prod/?endpoint=https://minio:9000&region=eu-1",
            Bucket("a", "flux/prod", "https://minio:9000", "eu-1"),
            "everything",
        ),
    ],
)
def test_urls(url, expected, reason):
    assert Bucket.parse(url) == expected, reason


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("gs://artifacts", "is not of the form"),
        ("s3://", "is not of the form"),
        ("s3://key:secret@artifacts", "is not of the form"),
        ("s3://artifacts?endpoint=minio:9000", "is no http or https URL"),
        ("s3://artifacts?secure=no", "unknown option 'secure'"),
    ],
)
def test_urls_that_are_none(url, message):
    with pytest.raises(ValueError, match=message):
        Bucket.parse(url)
