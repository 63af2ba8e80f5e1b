"""The writer: the same bytes everywhere, and readable by others."""

import gzip
import io
import os
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluvial.toolkit.artifacts import ArchiveRejected, Entry, Limits, pack, pack_file, unpack, walk


def read(content):
    return tarfile.open(fileobj=io.BytesIO(content), mode="r:gz")


def packed(*entries):
    return b"".join(pack(entries))


def test_headers_are_those_of_upstream():
    content = packed(
        Entry.folder("."),
        Entry("a", 0o40777),
        Entry("a/run.sh", 0o100755, 2, b"hi"),
        Entry("b.txt", 0o100666, 1, iter([b"", b"x"])),
    )
    with read(content) as tar:
        seen = [(m.name, m.type, m.mode, m.size) for m in tar.getmembers()]
        owners = {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in tar.getmembers()}
    assert seen == [
        (".", tarfile.DIRTYPE, 0o750, 0),
        ("a", tarfile.DIRTYPE, 0o750, 0),
        ("a/run.sh", tarfile.REGTYPE, 0o700, 2),
        ("b.txt", tarfile.REGTYPE, 0o600, 1),
    ]
    assert owners == {(0, 0, "", "", 0)}
    assert content[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff", "no name, no time, no system"
    raw = gzip.decompress(content)
    assert raw[512:515] == b"a\0\0", "folders have no trailing slash"
    assert len(raw) % 512 == 0
    assert raw.endswith(bytes(1024))


@pytest.mark.parametrize(
    ("path", "extended", "reason"),
    [
        ("x" * 100, False, "as long as the field"),
        ("x" * 101, True, "one more, and nothing to split at"),
        ("d" * 155 + "/" + "x" * 100, False, "prefix and name are full"),
        ("d" * 156 + "/" + "x" * 100, True, "the prefix is too long"),
        ("d/" * 100 + "x", False, "split at a slash"),
        ("é", True, "not ASCII"),
    ],
)
def test_long_names(path, extended, reason):
    content = packed(Entry.file(path, b"1"))
    assert (b" path=" in gzip.decompress(content)) is extended, reason
    with read(content) as tar:
        assert tar.getnames() == [path]
        assert tar.extractfile(path).read() == b"1"


def test_no_piece_is_lost_at_block_borders():
    data = os.urandom(3 << 20)
    pieces = [data[at : at + 77_777] for at in range(0, len(data), 77_777)]
    content = packed(Entry("x", 0o100600, len(data), pieces))
    with read(content) as tar:
        assert tar.extractfile("x").read() == data


@pytest.mark.parametrize(
    ("entries", "message", "reason"),
    [
        ([Entry.file("b", b""), Entry.file("a", b"")], "order of a walk", "out of order"),
        ([Entry.file("a", b""), Entry.file("a", b"")], "order of a walk", "twice"),
        ([Entry.file("a/b", b""), Entry.folder("a")], "order of a walk", "a parent too late"),
        ([Entry.file("a-b", b""), Entry.file("a/b", b"")], "order of a walk", "parts, not text"),
        ([Entry.file("/a", b"")], "readers refuse", "absolute"),
        ([Entry.file("../a", b"")], "readers refuse", "outside"),
        ([Entry.file("./a", b"")], "readers refuse", "Helm would not find it"),
        ([Entry.file("a\\b", b"")], "readers refuse", "a backslash"),
        ([Entry.file("a\0b", b"")], "readers refuse", "a NUL"),
        ([Entry.file("", b"")], "readers refuse", "no name"),
        ([Entry.folder("a/")], "readers refuse", "a trailing slash"),
        ([Entry("a", 0o100600, 2, b"1")], "2 were announced", "too short"),
        ([Entry("a", 0o100600, 1, [b"1", b"2"])], "1 were announced", "too long"),
    ],
)
def test_refused(entries, message, reason):
    with pytest.raises(ArchiveRejected, match=message):
        packed(*entries)


def test_walking_a_directory(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two").write_text("2")
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / "a-run").write_text("!")
    (tmp_path / "a-run").chmod(0o755)
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "dir-link").symlink_to(tmp_path / "b")
    os.mkfifo(tmp_path / "pipe")
    os.link(tmp_path / "a.txt", tmp_path / "c-hard")

    with read(packed(*walk(tmp_path))) as tar:
        assert [(m.name, m.isdir(), m.mode) for m in tar.getmembers()] == [
            (".", True, 0o750),
            ("a-run", False, 0o700),
            ("a.txt", False, 0o600),
            ("b", True, 0o750),
            ("b/two", False, 0o600),
            ("c-hard", False, 0o600),
        ]
        assert tar.extractfile("c-hard").read() == b"1", "a hard link is a file of its own"


def test_a_filtered_folder_is_still_walked(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "keep").write_text("")
    (tmp_path / "a" / "drop").write_text("")

    paths = [entry.path for entry in walk(tmp_path, lambda path, _: path.startswith("a/b"))]
    assert paths == [".", "a/b", "a/b/keep"]


def test_packing_into_a_file(tmp_path):
    target = tmp_path / "x.tar.gz"
    result = pack_file([Entry.file("a", b"1")], target, algorithm="sha512")

    assert target.read_bytes() == packed(Entry.file("a", b"1"))
    assert result.size == target.stat().st_size
    assert result.digest.startswith("sha512:")
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        pack_file([], target)
    assert target.exists(), "not removed: it was not ours"


def test_a_failed_pack_leaves_nothing(tmp_path):
    with pytest.raises(ArchiveRejected):
        pack_file([Entry.file("../a", b"1")], tmp_path / "x.tar.gz")
    assert list(tmp_path.iterdir()) == []


SEGMENT = st.text(
    st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=60
).filter(lambda text: text not in {".", ".."} and len(text.encode()) <= 255)
PATH = st.lists(SEGMENT, min_size=1, max_size=6).map("/".join)


@given(files=st.dictionaries(PATH, st.tuples(st.binary(max_size=2000), st.booleans()), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_round_trip(tmp_path_factory, files):
    """What was packed is unpacked, for any names, and twice to the same bytes."""
    order = sorted(files, key=lambda path: path.encode().split(b"/"))
    kept = [path for path in order if not any(other.startswith(path + "/") for other in files)]
    entries = [Entry.file(path, files[path][0], executable=files[path][1]) for path in kept]
    content = packed(*entries)
    assert packed(*entries) == content

    target = tmp_path_factory.mktemp("trip") / "tree"
    result = unpack(io.BytesIO(content), target, Limits(path_bytes=4096))

    found = {
        str(path.relative_to(target)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in target.rglob("*")
        if path.is_file()
    }
    assert found == {path: files[path] for path in kept}
    assert result.files == len(kept)
