# ruff: noqa: PLR0917, ARG002 -- fixtures and the columns of a table are all positional
"""The consumer: what is downloaded is checked, what is checked is kept."""

import asyncio
import gzip
import hashlib
import stat

import pytest
from aiohttp import web

from fluvial.toolkit.artifacts import (
    ArchiveRejected,
    ArtifactNotFound,
    DigestMismatch,
    DigestUnsupported,
    Fetcher,
    FetchFailed,
    LimitExceeded,
)


def sha(content, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


class Origin:
    """An HTTP server whose answers are given beforehand; the last one is repeated."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.gate = None

    async def handle(self, request):
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            request.transport.abort()
            return web.Response()
        status, headers, body = answer
        return web.Response(status=status, headers=headers, body=body)

    def serve(self, body, **headers):
        self.answers = [(200, headers, body)]


@pytest.fixture
async def origin():
    origin = Origin()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", origin.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    origin.host = f"127.0.0.1:{runner.addresses[0][1]}"
    origin.url = f"http://{origin.host}/a/b/c/sha256:x+y.tar.gz"
    yield origin
    await runner.cleanup()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def make(tmp_path, slept):
    async def sleep(seconds):
        slept.append(seconds)

    def make(**more):
        return Fetcher(tmp_path / "cache", sleep=sleep, **{"environ": {}, **more})

    return make


@pytest.fixture
async def fetcher(make):
    async with make() as fetcher:
        yield fetcher


def cached(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").iterdir())


async def test_a_tree_is_read_only_and_kept(fetcher, origin, archive):
    content = archive(**{"a": None, "a/x": b"1"})
    origin.serve(content)

    async with fetcher.tree(origin.url, sha(content)) as tree:
        assert (tree / "a/x").read_bytes() == b"1"
        assert stat.S_IMODE((tree / "a").stat().st_mode) == 0o500
        first = tree
    async with fetcher.tree("http://elsewhere.invalid/x", sha(content)) as tree:
        assert tree == first, "by digest, whatever the address"
    assert len(origin.requests) == 1


async def test_a_file_is_the_archive_itself(fetcher, origin):
    origin.serve(b"chart")
    async with fetcher.file(origin.url, sha(b"chart")) as path:
        assert path.read_bytes() == b"chart"
        assert stat.S_IMODE(path.stat().st_mode) == 0o400


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
async def test_algorithms(fetcher, origin, algorithm):
    origin.serve(b"x")
    async with fetcher.file(origin.url, sha(b"x", algorithm)):
        pass


async def test_bare_hex_is_sha256(fetcher, origin):
    origin.serve(b"x")
    async with fetcher.file(origin.url, sha(b"x").removeprefix("sha256:")):
        pass


@pytest.mark.parametrize(
    ("digest", "message"),
    [
        ("", "not a digest"),
        ("sha256:xyz", "not a digest"),
        ("sha256:" + "a" * 63, "not a digest"),
        ("sha1:" + "a" * 40, "'sha1' is not supported"),
        ("blake3:" + "a" * 64, "blake3 is not available here: let the producer use sha256"),
    ],
)
async def test_digests_that_cannot_be_checked(fetcher, origin, digest, message):
    with pytest.raises(DigestUnsupported, match=message):
        async with fetcher.tree(origin.url, digest):
            pass
    assert origin.requests == []


async def test_other_bytes_are_never_unpacked(fetcher, origin, archive, tmp_path):
    origin.serve(archive(x=b"evil"))
    with pytest.raises(DigestMismatch, match=r"computed digest sha256:\w+ does not match"):
        async with fetcher.tree(origin.url, sha(b"good")):
            pass
    assert cached(tmp_path) == []


async def test_the_address_is_sent_as_it_stands(fetcher, origin):
    origin.serve(b"x")
    async with fetcher.file(origin.url, sha(b"x")):
        pass
    [request] = origin.requests
    assert request.raw_path == "/a/b/c/sha256:x+y.tar.gz"
    assert request.headers["Accept-Encoding"] == "identity"


async def test_a_content_encoding_does_not_change_the_bytes(fetcher, origin):
    content = gzip.compress(b"x", mtime=0)
    origin.serve(content, **{"Content-Encoding": "gzip"})
    async with fetcher.file(origin.url, sha(content)) as path:
        assert path.read_bytes() == content


class TestRetries:
    @pytest.mark.parametrize(
        ("answers", "waits", "reason"),
        [
            ([(500, {}, b"")], [5], "an error of the server"),
            ([(503, {}, b""), (502, {}, b"")], [5, 10], "and again, after longer"),
            ([(500, {}, b"")] * 5, [5, 10, 20, 30, 30], "at most half a minute"),
            ([(429, {"Retry-After": "7"}, b"")], [7], "as the server asks"),
            ([(503, {"Retry-After": "99999"}, b"")], [300], "within reason"),
            ([(503, {"Retry-After": "soon"}, b"")], [5], "if it says a number"),
            ([None, None], [5], "dropped connections (aiohttp tries once more by itself, at once)"),
        ],
    )
    async def test_what_passes(self, fetcher, origin, slept, answers, waits, reason):
        origin.answers = [*answers, (200, {}, b"x")]
        async with fetcher.file(origin.url, sha(b"x")):
            pass
        assert slept == waits, reason

    async def test_no_more_than_allowed(self, make, origin, slept):
        origin.answers = [(500, {}, b"")]
        async with make(retries=2) as fetcher:
            with pytest.raises(
                FetchFailed, match=r"gave up after 3 tries: HTTP status 500"
            ) as error:
                async with fetcher.tree(origin.url, sha(b"x")):
                    pass
        assert error.value.status == 500
        assert len(origin.requests) == 3

    @pytest.mark.parametrize(
        ("status", "error"),
        [(404, ArtifactNotFound), (403, FetchFailed), (204, FetchFailed), (410, FetchFailed)],
    )
    async def test_what_does_not(self, fetcher, origin, slept, status, error):
        origin.answers = [(status, {}, b"")]
        with pytest.raises(error):
            async with fetcher.tree(origin.url, sha(b"x")):
                pass
        assert slept == []

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "/a/b", "http://"])
    async def test_not_an_address(self, fetcher, url):
        with pytest.raises(FetchFailed, match="not an HTTP URL"):
            async with fetcher.tree(url, sha(b"x")):
                pass


class TestLimits:
    async def test_of_the_download(self, make, origin, tmp_path):
        origin.serve(b"x" * 1001)
        async with make(archive_bytes=1000) as fetcher:
            with pytest.raises(LimitExceeded, match="larger than 1000 bytes"):
                async with fetcher.file(origin.url, sha(b"x" * 1001)):
                    pass
            assert cached(tmp_path) == []

    async def test_of_the_archive(self, fetcher, origin, foreign, tmp_path):
        content = foreign(({"name": "../x"}, b"evil"))
        origin.serve(content)
        with pytest.raises(ArchiveRejected):
            async with fetcher.tree(origin.url, sha(content)):
                pass
        assert cached(tmp_path) == []

    async def test_the_budget_evicts_the_least_recently_used(self, make, origin, tmp_path):
        async with make(budget_bytes=2500) as fetcher:
            for letter in (b"a", b"b", b"a", b"c"):
                content = letter * 1000
                origin.serve(content)
                async with fetcher.file(origin.url, sha(content)):
                    pass
            kept = cached(tmp_path)
        assert kept == sorted(
            f"file-sha256-{sha(letter * 1000).removeprefix('sha256:')}" for letter in (b"a", b"c")
        )

    async def test_what_is_in_use_stays(self, make, origin, tmp_path):
        async with make(budget_bytes=0) as fetcher:
            origin.serve(b"a")
            async with fetcher.file(origin.url, sha(b"a")) as used:
                origin.serve(b"b")
                async with fetcher.file(origin.url, sha(b"b")):
                    pass
                assert used.read_bytes() == b"a"
            assert cached(tmp_path) == []

    async def test_read_only_trees_can_be_evicted(self, make, origin, archive, tmp_path):
        content = archive(**{"a": None, "a/b": None, "a/b/x": b"1"})
        origin.serve(content)
        async with make(budget_bytes=0) as fetcher:
            async with fetcher.tree(origin.url, sha(content)):
                pass
            assert cached(tmp_path) == []


class TestSharing:
    async def start(self, fetcher, origin, digest, count=5):
        origin.gate = asyncio.Event()

        async def use():
            async with fetcher.tree(origin.url, digest) as tree:
                return tree

        tasks = [asyncio.create_task(use()) for _ in range(count)]
        async with asyncio.timeout(10):
            while not origin.requests:  # noqa: ASYNC110  (the server is this same loop)
                await asyncio.sleep(0.001)
        return tasks

    async def test_one_download_for_all(self, fetcher, origin, archive):
        content = archive(x=b"1")
        origin.serve(content)
        tasks = await self.start(fetcher, origin, sha(content))
        origin.gate.set()
        assert len(set(await asyncio.gather(*tasks))) == 1
        assert len(origin.requests) == 1

    async def test_one_failure_for_all_and_none_for_later(self, fetcher, origin, archive):
        content = archive(x=b"1")
        origin.answers = [(404, {}, b""), (200, {}, content)]
        tasks = await self.start(fetcher, origin, sha(content))
        origin.gate.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ArtifactNotFound}
        async with fetcher.tree(origin.url, sha(content)):
            pass
        assert len(origin.requests) == 2

    async def test_a_cancelled_first_hands_over(self, fetcher, origin, archive):
        content = archive(x=b"1")
        origin.serve(content)
        first, *others = await self.start(fetcher, origin, sha(content))
        first.cancel()
        origin.gate.set()
        assert len(set(await asyncio.gather(*others))) == 1
        assert first.cancelled() or first.cancelling()


async def test_nothing_survives_a_restart(make, origin, archive, tmp_path):
    (tmp_path / "cache/tree-sha256-planted").mkdir(parents=True)
    async with make():
        assert cached(tmp_path) == [], "nobody has verified that"
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    content = archive(x=b"1")
    origin.serve(content)
    async with make() as fetcher, fetcher.tree(origin.url, sha(content)):
        pass
    assert cached(tmp_path) == []


@pytest.mark.parametrize(
    ("host", "variable"),
    [
        ("source-controller.flux-system.svc.", "SOURCE_CONTROLLER_LOCALHOST"),
        ("source-watcher.flux-system.svc.", "SOURCE_WATCHER_LOCALHOST"),
    ],
)
async def test_the_host_can_be_overridden(make, origin, host, variable):
    origin.serve(b"x")
    async with (
        make(environ={variable: origin.host}) as fetcher,
        fetcher.file(f"http://{host}/a/b/c/d", sha(b"x")),
    ):
        pass
    assert origin.requests[0].path == "/a/b/c/d"
