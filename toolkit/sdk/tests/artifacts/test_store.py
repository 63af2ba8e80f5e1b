"""The local store: whole files or none, and what is garbage."""

import asyncio
import hashlib
import os
import signal
import stat
import sys

import pytest

from fluvial.toolkit.artifacts import (
    ArtifactNotFound,
    DigestUnsupported,
    LocalStore,
    PathRejected,
    Stored,
    garbage,
)

PATH = "gitrepository/default/apps/abc.tar.gz"
PREFIX = "gitrepository/default/apps"


def digest(content, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def store(tmp_path, now):
    return LocalStore(tmp_path / "data", "source.example.", clock=lambda: now[0])


async def content_of(store, path=PATH, start=0, stop=None):
    return b"".join([chunk async for chunk in await store.open(path, start, stop)])


def names(store, prefix=PREFIX):
    return sorted(path.name for path in (store.root / prefix).iterdir())


async def test_write_and_read_back(store):
    stored = await store.write(PATH, [b"hello ", b"world"])

    assert stored.digest == digest(b"hello world")
    assert stored.size == 11
    assert await content_of(store) == b"hello world"
    assert await store.stat(PATH) == stored._replace(digest="")
    assert names(store) == ["abc.tar.gz"]


async def test_modes_are_private(store):
    await store.write(PATH, [b"x"])

    file = store.root / PATH
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (file.parent, file.parent.parent, file.parent.parent.parent, store.root):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_asynchronous_chunks(store):
    async def chunks():
        for chunk in (b"a", b"b"):
            await asyncio.sleep(0)
            yield chunk

    assert (await store.write(PATH, chunks())).digest == digest(b"ab")


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
async def test_other_algorithms(tmp_path, algorithm):
    store = LocalStore(tmp_path, "x", algorithm=algorithm)
    stored = await store.write(PATH, [b"x"])
    assert stored.digest == digest(b"x", algorithm)
    assert await store.verify(PATH, stored.digest)


def test_algorithms_that_consumers_cannot_check_are_refused(tmp_path):
    for algorithm in ("sha1", "blake3", "md5"):
        with pytest.raises(DigestUnsupported, match=algorithm):
            LocalStore(tmp_path, "x", algorithm=algorithm)


class TestInterrupted:
    """A6: no half artifact is ever there, and nothing is left of it."""

    @pytest.mark.parametrize(
        "error", [OSError(28, "No space left"), OSError(5, "I/O"), ValueError()]
    )
    async def test_by_an_error_of_the_source(self, store, error):
        await store.write(PATH, [b"old"])

        def chunks():
            yield b"new"
            raise error

        with pytest.raises(type(error)):
            await store.write(PATH, chunks())
        assert await content_of(store) == b"old"
        assert names(store) == ["abc.tar.gz"]

    async def test_by_a_full_disk(self, store, monkeypatch):
        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            await store.write(PATH, [b"new"])
        assert await store.stat(PATH) is None
        assert names(store) == []

    async def test_by_cancellation(self, store):
        started = asyncio.Event()

        async def chunks():
            yield b"x" * 100
            started.set()
            await asyncio.Event().wait()

        writing = asyncio.create_task(store.write(PATH, chunks()))
        await started.wait()
        assert await store.stat(PATH) is None, "not visible before it is whole"
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert names(store) == []

    async def test_by_sigkill(self, store, now):
        script = (
            "import asyncio, sys, pathlib\n"
            "from fluvial.toolkit.artifacts import LocalStore\n"
            "def chunks():\n"
            "    yield b'x' * 1000000\n"
            "    print('writing', flush=True)\n"
            "    sys.stdin.read()\n"
            f"store = LocalStore(pathlib.Path({str(store.root)!r}), 'x')\n"
            f"asyncio.run(store.write({PATH!r}, chunks()))\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert await process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
        await process.communicate()

        assert await store.stat(PATH) is None
        (draft,) = names(store)
        now[0] = (store.root / PREFIX / draft).stat().st_mtime + 61
        await store.collect(PREFIX, None, 60, 2)
        assert names(store) == [], "the draft of the dead process is garbage"


async def test_replacing_does_not_cut_a_reader_short(store):
    await store.write(PATH, [b"old" * 200_000])
    reading = aiter(await store.open(PATH))
    first = await anext(reading)

    await store.write(PATH, [b"new"])
    await store.remove(PREFIX)

    assert first + b"".join([chunk async for chunk in reading]) == b"old" * 200_000


async def test_verify(store):
    stored = await store.write(PATH, [b"x"])
    assert await store.verify(PATH, stored.digest)
    assert await store.verify(PATH, digest(b"x", "sha512")), "the digest names its algorithm"
    (store.root / PATH).write_bytes(b"y")
    assert not await store.verify(PATH, stored.digest), "a flipped bit"
    (store.root / PATH).unlink()
    assert not await store.verify(PATH, stored.digest), "a missing file"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a/b/c", "too few parts"),
        ("a/b/c/d/e", "too many"),
        ("a/b/../d", "A5: upwards"),
        ("a/../../etc", "A5: out"),
        ("/a/b/c/d", "absolute"),
        ("a/b/c/.hidden", "the store's own files"),
        ("a/b//d", "an empty part"),
        ("a/b/c/d\0", "a NUL"),
        ("a/b/c/d\\e", "a backslash"),
        ("a/b/c/" + "x" * 256, "longer than a name may be"),
    ],
)
async def test_paths(store, path, reason):
    for call in (store.write(path, [b""]), store.stat(path), store.open(path)):
        with pytest.raises(PathRejected, match="is not of the form"):
            await call
    with pytest.raises(PathRejected):
        store.url(path)
    with pytest.raises(PathRejected):
        await store.remove(path.rpartition("/")[0] + "/..")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("source.ns.svc.", "http://source.ns.svc./a/b/c/sha256:1+2.tar.gz"),
        ("https://bucket/", "https://bucket/a/b/c/sha256:1+2.tar.gz"),
    ],
)
def test_url(tmp_path, address, expected):
    assert LocalStore(tmp_path, address).url("a/b/c/sha256:1+2.tar.gz") == expected


class TestLinks:
    async def test_a_link_follows_its_latest_file(self, store):
        await store.write(PATH, [b"one"])
        assert (
            await store.link(PATH, "latest.tar.gz")
            == f"http://source.example./{PREFIX}/latest.tar.gz"
        )
        other = f"{PREFIX}/def.tar.gz"
        await store.write(other, [b"two"])
        await store.link(other, "latest.tar.gz")

        assert await content_of(store, f"{PREFIX}/latest.tar.gz") == b"two"
        assert names(store) == ["abc.tar.gz", "def.tar.gz", "latest.tar.gz"]

    @pytest.mark.parametrize("absolute", [True, False])
    async def test_links_of_the_go_controller_are_read(self, store, absolute):
        await store.write(PATH, [b"one"])
        target = store.root / PATH
        (target.parent / "latest.tar.gz").symlink_to(target if absolute else target.name)
        assert await content_of(store, f"{PREFIX}/latest.tar.gz") == b"one"

    @pytest.mark.parametrize("aim", ["/etc/passwd", "../other/abc.tar.gz", "chain"])
    async def test_a_link_never_leads_elsewhere(self, store, aim):
        await store.write(PATH, [b"one"])
        await store.write("gitrepository/default/other/abc.tar.gz", [b"two"])
        folder = store.root / PREFIX
        (folder / "chain").symlink_to("abc.tar.gz")
        (folder / "latest.tar.gz").symlink_to(aim)
        assert await store.stat(f"{PREFIX}/latest.tar.gz") is None
        with pytest.raises(ArtifactNotFound):
            await store.open(f"{PREFIX}/latest.tar.gz")


def aged(**ages):
    return [Stored(name, 1, 1000.0 - age) for name, age in ages.items()]


@pytest.mark.parametrize(
    ("files", "keep", "expected", "reason"),
    [
        (aged(a=0, b=30), "a", [], "young, and two may stay"),
        (aged(a=0, b=61), "a", ["b"], "older than the TTL"),
        (aged(a=500, b=61), "a", ["b"], "the current one never goes"),
        (aged(a=0, b=10, c=20, d=30), "a", ["d", "c"], "too many: the oldest, however young"),
        (aged(a=30, b=10, c=20), "a", ["c"], "the current one counts, as old as it is"),
        (aged(a=0, b=60), "a", [], "exactly the TTL is not older"),
        (aged(b=10, c=20, d=30), None, ["d"], "no current one"),
        ([], "a", [], "nothing there"),
    ],
)
def test_garbage(files, keep, expected, reason):
    assert garbage(files, keep, 60, 2, 1000.0) == expected, reason


async def test_collect(store, now):
    for name in ("a", "b", "c"):
        await store.write(f"{PREFIX}/{name}", [b"x"])
        os.utime(store.root / PREFIX / name, (0, 900 + ord(name) - ord("a")))
    (store.root / PREFIX / "a.lock").touch()
    (store.root / PREFIX / "c.lock").touch()
    await store.link(f"{PREFIX}/c", "latest")

    gone = await store.collect(PREFIX, f"{PREFIX}/c", 99, 2)

    assert gone == [f"{PREFIX}/a"]
    assert names(store) == ["b", "c", "c.lock", "latest"], "locks of the Go controller follow"


async def test_drafts_of_dead_processes_are_collected(store, now):
    await store.write(PATH, [b"x"])
    folder = store.root / PREFIX
    (folder / ".abc.tmp").touch()
    (folder / ".latest.0123").symlink_to("abc.tar.gz")
    now[0] = (folder / ".latest.0123").lstat().st_mtime + 59
    await store.collect(PREFIX, PATH, 60, 2)
    assert len(names(store)) == 3, "they may belong to somebody alive"
    now[0] += 2
    await store.collect(PREFIX, PATH, 60, 2)
    assert names(store) == ["abc.tar.gz"]


async def test_an_unreadable_file_is_no_missing_file(store, monkeypatch):
    await store.write(PATH, [b"x"])

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(OSError, match="Input/output"):
        await store.stat(PATH)


async def test_collecting_and_removing_what_is_not_there(store):
    assert await store.collect(PREFIX, None, 60, 2) == []
    await store.remove(PREFIX)


async def test_remove_takes_one_object_only(store):
    await store.write(PATH, [b"x"])
    await store.write("gitrepository/default/other/x", [b"x"])
    await store.remove(PREFIX)
    assert await store.stat(PATH) is None
    assert await store.stat("gitrepository/default/other/x")
