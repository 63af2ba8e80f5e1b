"""G1 to G3: what a Git remote may try."""

import hashlib
import resource
import struct
import zlib

import pygit2
import pytest
from aiohttp import web

from fluvial.apis.source import GitRepository, GitRepositoryRef, GitRepositorySpec
from fluvial.source.git.credentials import Access
from fluvial.source.git.errors import CommandFailed
from fluvial.source.git.reference import Reference, Target
from fluvial.source.git.tree import CommitTree
from fluvial.source.gitrepository.access import reference_of
from fluvial.toolkit import Stalled

MAIN = Reference(branch="main")
COMMIT = "1" * 40


@pytest.mark.parametrize(
    "url", ["ext::sh -c 'touch pwned'", "-oProxyCommand=touch pwned", "file:///etc", "../../x"]
)
async def test_g1_a_hostile_submodule_is_never_looked_at(mirror, host, apps, url, tmp_path):
    index = pygit2.Index()
    modules = f'[submodule "x"]\n\tpath = x\n\turl = {url}\n'.encode()
    index.add(
        pygit2.IndexEntry(".gitmodules", apps.create_blob(modules), pygit2.enums.FileMode.BLOB)
    )
    index.add(pygit2.IndexEntry("x", pygit2.Oid(hex=COMMIT), pygit2.enums.FileMode.COMMIT))
    index.add(pygit2.IndexEntry("a", apps.create_blob(b"1"), pygit2.enums.FileMode.BLOB))
    who = pygit2.Signature("Eve", "eve@example.com")
    tree = index.write_tree(apps)
    apps.create_commit("refs/heads/evil", who, who, "m", tree, [])
    access = Access.to(host.url("apps.git"))
    [target] = await mirror.resolve(Reference(branch="evil"), access)
    try:
        arrived = await mirror.fetch(target, access)
    except CommandFailed as error:
        # Git itself knows some of these for attacks (fetch.fsckObjects).
        assert "gitmodules" in str(error)  # noqa: PT017  (the other outcome is fine, too)
    else:
        entries = CommitTree(mirror.path, arrived.commit).entries()
        assert [entry.path for entry in entries] == [".", "a"]
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("branch", "--upload-pack=touch pwned"),
        ("name", "../../x"),
        ("tag", "v1\nv2"),
        ("name", "refs/heads/a@{1}"),
        ("commit", "--all"),
    ],
)
def test_g2_a_hostile_reference_stalls(field, value):
    ref = GitRepositoryRef(**{field: value})
    spec = GitRepositorySpec(url="https://git.test/a", interval="1m", ref=ref)
    with pytest.raises(Stalled, match=f"spec.ref.{field}"):
        reference_of(GitRepository(spec=spec))


def packet(line: bytes) -> bytes:
    return b"%04x" % (len(line) + 4) + line


def entry(kind: int, size: int, body: bytes, base: bytes = b"") -> bytes:
    """Write one entry of a pack, which may lie about its size."""
    head, left = bytearray([(kind << 4) | (size & 15)]), size >> 4
    while left:
        head[-1] |= 128
        head.append(left & 127)
        left >>= 7
    return bytes(head) + base + zlib.compress(body)


def pack(*entries: bytes, count: int | None = None) -> bytes:
    body = b"PACK" + struct.pack(">II", 2, len(entries) if count is None else count)
    body += b"".join(entries)
    return body + hashlib.sha1(body).digest()


def number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(128 | value & 127)
        value >>= 7
    return bytes([*out, value])


def copies(base_size: int, times: int) -> bytes:
    """Write a delta that repeats its base."""
    copy = b"\xf0" + struct.pack("<I", base_size)[:3]
    return number(base_size) + number(base_size * times) + copy * times


def bomb() -> bytes:
    """Write a pack of some 20 KB that unpacks to 100 GB."""
    seed = bytes(65536)
    first = copies(len(seed), 200)
    second = copies(len(seed) * 200, 8000)
    one = hashlib.sha1(b"blob %d\0" % len(seed) + seed).digest()
    grown = seed * 200
    two = hashlib.sha1(b"blob %d\0" % len(grown) + grown).digest()
    return pack(
        entry(3, len(seed), seed),
        entry(7, len(first), first, one),
        entry(7, len(second), second, two),
    )


SMALL = entry(3, 5, b"hello")
DELTA = copies(1, 1)
ORPHANS = [entry(7, len(DELTA), DELTA, base * 20) for base in (b"\x11", b"\x22")]
PACKS = [
    (pack(SMALL)[:-20] + bytes(20), "SHA1 mismatch", "a wrong checksum"),
    (pack(SMALL)[:20], "early EOF", "cut off in the middle"),
    (pack(SMALL, count=7), "bad object", "fewer objects than announced"),
    (pack(entry(3, 50, b"hello")), "inflate", "a wrong size"),
    (pack(*ORPHANS), "unresolved deltas", "deltas on what is not there, or on each other"),
    (pack(SMALL), "did not send all", "without what was asked for"),
    (b"PACK" + b"\xff" * 64, "bad pack header", "no pack at all"),
    (b"", "bad pack header", "nothing"),
    (bomb(), "Out of memory", "a delta bomb"),
]


@pytest.mark.parametrize(("content", "message", "reason"), PACKS, ids=[case[2] for case in PACKS])
async def test_g3_a_malicious_pack(mirror, serving, content, message, reason):
    async def serve(request):
        if request.method == "GET":
            refs = packet(f"{COMMIT} refs/heads/main\0shallow".encode() + b"\n")
            text = packet(b"# service=git-upload-pack\n") + b"0000" + refs + b"0000"
            kind = "application/x-git-upload-pack-advertisement"
            return web.Response(body=text, content_type=kind)
        answer = packet(f"shallow {COMMIT}".encode()) + b"0000"
        if b"done" in await request.read():
            answer += packet(b"NAK\n") + content
        kind = "application/x-git-upload-pack-result"
        return web.Response(body=answer, content_type=kind)

    async with serving(serve) as base:
        access = Access.to(f"{base}apps.git")
        assert await mirror.resolve(MAIN, access) == [Target("main", "refs/heads/main", COMMIT)]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(CommandFailed, match=message) as caught:
            await mirror.fetch(Target("main", "refs/heads/main", COMMIT), access)
    assert "%" not in str(caught.value), "progress is no error"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 32 * 1024, "our own memory stays flat"
    assert not (mirror.path / "refs" / "fluvial" / "target").exists()
