"""The reader against archives that mean harm; each case names its threat."""

import gzip
import io
import os
import stat
import tarfile

import pytest

from fluvial.toolkit.artifacts import ArchiveRejected, LimitExceeded, Limits, unpack

PLAIN = ({"name": "ok"}, b"1")


def attempt(content, tmp_path, limits=None, **more):
    return unpack(io.BytesIO(content), tmp_path / "tree", limits, **more)


def outside(tmp_path):
    """Everything that is not below the target."""
    return [
        path for path in tmp_path.rglob("*") if (tmp_path / "tree") not in (path, *path.parents)
    ]


def test_plain_archive(tmp_path, archive):
    result = attempt(archive(**{"a": None, "a/x": b"1", "y": b"22"}), tmp_path)

    assert result == (2, 3, 0)
    assert (tmp_path / "tree/a/x").read_bytes() == b"1"
    assert stat.S_IMODE((tmp_path / "tree/a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "tree/y").stat().st_mode) == 0o600


def test_read_only(tmp_path, foreign):
    content = foreign(({"name": "d/run", "mode": 0o755}, b"1"), PLAIN)

    attempt(content, tmp_path, read_only=True)

    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "tree", *(tmp_path / "tree").rglob("*"))
    }
    assert modes == {"tree": 0o500, "d": 0o500, "run": 0o500, "ok": 0o400}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../x", "A1: out of the target"),
        ("a/../../x", "A1: out by a detour"),
        ("a/..", "A1: a detour that stays is refused all the same"),
        ("/etc/x", "A1: absolute"),
        ("..", "A1: the parent itself"),
        ("a\\..\\b", "A1: a backslash"),
        ("x" * 4096, "A1: a name of 4 KB"),
        ("y" * 300, "A1: a part that no file system takes"),
        ("d/" * 100 + "x", "A1: too deep"),
    ],
)
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names(tmp_path, foreign, name, format, reason):
    with pytest.raises(ArchiveRejected, match="entry"):
        attempt(foreign(PLAIN, ({"name": name}, b"evil"), format=format), tmp_path)
    assert outside(tmp_path) == [], reason


def test_a1_nul_in_an_extended_name(tmp_path, foreign):
    content = foreign(({"name": "a", "pax_headers": {"path": "a\0b"}}, b"1"))
    with pytest.raises(ArchiveRejected, match="could leave the target"):
        attempt(content, tmp_path)


@pytest.mark.parametrize(
    ("name", "expected", "reason"),
    [
        ("./a", "a", "a leading dot is harmless"),
        ("a//b", "a/b", "so is a doubled slash"),
        ("a..b", "a..b", "dots within a name are dots"),
        ("...", "...", "three dots are a name"),
    ],
)
def test_names_that_are_fine(tmp_path, foreign, name, expected, reason):
    attempt(foreign(({"name": name}, b"1")), tmp_path)
    assert (tmp_path / "tree" / expected).read_bytes() == b"1", reason


class TestLinks:
    """A2: nothing is ever resolved through a link, for there are none."""

    def test_symbolic_links_are_skipped(self, tmp_path, foreign):
        content = foreign(({"name": "l", "type": tarfile.SYMTYPE, "linkname": "/etc"}, b""), PLAIN)
        assert attempt(content, tmp_path).skipped == 1
        assert [path.name for path in (tmp_path / "tree").iterdir()] == ["ok"]

    def test_a_file_through_a_link_lands_inside(self, tmp_path, foreign):
        (tmp_path / "victim").mkdir()
        content = foreign(
            ({"name": "l", "type": tarfile.SYMTYPE, "linkname": str(tmp_path / "victim")}, b""),
            ({"name": "l/x"}, b"evil"),
        )
        attempt(content, tmp_path)
        assert list((tmp_path / "victim").iterdir()) == []
        assert (tmp_path / "tree/l/x").read_bytes() == b"evil"

    def test_a_chain_built_to_outgrow_path_max(self, tmp_path, foreign):
        """The CVE-2025-4517 class: a path that realpath gives up on."""
        part = "d" * 55
        entries, path = [], ""
        for letter in "abcdefghijklmnop":
            entries.append(({"name": f"{path}{part}", "type": tarfile.DIRTYPE}, b""))
            entries.append(
                ({"name": f"{path}{letter}", "type": tarfile.SYMTYPE, "linkname": part}, b"")
            )
            path += f"{part}/"
        chain = "/".join("abcdefghijklmnop")
        entries.append(
            ({"name": f"{chain}/l", "type": tarfile.SYMTYPE, "linkname": "../" * 16}, b"")
        )
        entries.append(({"name": f"{chain}/l/evil"}, b"evil"))
        attempt(foreign(*entries), tmp_path)
        assert outside(tmp_path) == []

    @pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "ok"])
    def test_hard_links_are_refused(self, tmp_path, foreign, target):
        content = foreign(PLAIN, ({"name": "h", "type": tarfile.LNKTYPE, "linkname": target}, b""))
        with pytest.raises(ArchiveRejected, match="'h' is a hard link: refused"):
            attempt(content, tmp_path)


@pytest.mark.parametrize(
    ("type", "what"),
    [
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.BLKTYPE, "a block device"),
        (tarfile.FIFOTYPE, "a named pipe"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (b"Z", "of an unknown type"),
    ],
)
def test_a4_special_files_are_refused(tmp_path, foreign, type, what):
    with pytest.raises(ArchiveRejected, match=f"'s' is {what}"):
        attempt(foreign(({"name": "s", "type": type}, b"")), tmp_path)


@pytest.mark.parametrize(("mode", "expected"), [(0o6777, 0o700), (0o4644, 0o600), (0, 0o600)])
def test_a4_special_bits_are_dropped(tmp_path, foreign, mode, expected):
    attempt(foreign(({"name": "x", "mode": mode}, b"1")), tmp_path)
    assert stat.S_IMODE((tmp_path / "tree/x").stat().st_mode) == expected


class TestLimits:
    """A3: bounded bytes, entries and time."""

    @pytest.mark.parametrize(
        ("limits", "message"),
        [
            (Limits(bytes=1 << 20), "more than 1048576 bytes"),
            (Limits(ratio=10), "more than 10-fold"),
            (Limits(entries=1), "more than 1 entries"),
        ],
    )
    def test_of_size(self, tmp_path, foreign, limits, message):
        bomb = foreign(PLAIN, ({"name": "zeros"}, bytes(40 << 20)))
        with pytest.raises(LimitExceeded, match=message):
            attempt(bomb, tmp_path, limits)

    def test_a_bomb_is_stopped_by_default(self, tmp_path):
        with pytest.raises(LimitExceeded, match="300-fold"):
            attempt(gzip.compress(_header(b"x", 10 << 30) + bytes(64 << 20)), tmp_path)

    def test_of_time(self, tmp_path, foreign):
        ticks = iter([0.0, 1.0, 3.0])
        with pytest.raises(LimitExceeded, match="longer than 2 s"):
            attempt(
                foreign(PLAIN, ({"name": "b"}, b"")),
                tmp_path,
                Limits(seconds=2.0),
                clock=lambda: next(ticks),
            )

    def test_of_extended_headers(self, tmp_path, foreign):
        content = foreign(({"name": "a", "pax_headers": {"comment": "x" * 100_000}}, b""))
        with pytest.raises(LimitExceeded, match="extended headers"):
            attempt(content, tmp_path)

    def test_extended_headers_without_end(self, tmp_path):
        head = _header(b"x", 0, kind=b"g")
        with pytest.raises(LimitExceeded, match="extended headers"):
            attempt(gzip.compress(head * 1000), tmp_path)


def _header(name, size, kind=b"0", field=None):
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[124:136] = field or b"%011o\0" % size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _damaged():
    block = bytearray(_header(b"x", 0))
    block[0] ^= 1
    return bytes(block)


@pytest.mark.parametrize(
    ("raw", "message", "reason"),
    [
        (_header(b"x", 0, field=b"\xff" * 12), "negative size", "A3: base 256, negative"),
        (_header(b"x", 0, field=b"-0000000001\0"), "malformed size", "A3: octal, negative"),
        (_header(b"x", 0, field=b"99999999999\0"), "malformed size", "not octal"),
        (_header(b"x", 5000) + bytes(512), "cut short", "shorter than announced"),
        (_header(b"x", 0)[:300], "cut short", "half a header"),
        (_damaged(), "checksum", "a flipped bit"),
        (_header(b"", 0), "without a name", "no name"),
        (_header(b"p", 6, kind=b"x") + b"6 a=b\n".ljust(512, b"\0"), "ends after", "no entry"),
        (_header(b"p", 6, kind=b"x") + b"9 a=b\n".ljust(512, b"\0"), "malformed ext", "its length"),
        (_header(b"p", 6, kind=b"x") + b"garble".ljust(512, b"\0"), "malformed ext", "no record"),
        (
            _header(b"p", 11, kind=b"x") + b"11 size=-1\n".ljust(512, b"\0"),
            "malformed size",
            "A3: a negative size in a record",
        ),
        (
            _header(b"p", 22, kind=b"x") + b"22 GNU.sparse.major=1\n".ljust(512, b"\0"),
            "sparse",
            "A3: sparse by record",
        ),
        (_header(b".", 0), "root but not a folder", "the root as a file"),
    ],
)
def test_broken_archives(tmp_path, raw, message, reason):
    with pytest.raises(ArchiveRejected, match=message):
        attempt(gzip.compress(raw), tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"not gzip at all", "not a gzip stream"),
        (gzip.compress(os.urandom(5000) + _header(b"x", 0))[:-2000], "checksum|cut short"),
        (gzip.compress(_header(b"x", 3000) + os.urandom(3072))[:-600], "cut short"),
    ],
)
def test_broken_streams(tmp_path, content, message):
    with pytest.raises(ArchiveRejected, match=message):
        attempt(content, tmp_path)


def test_several_gzip_members_are_one_stream(tmp_path):
    raw = _header(b"x", 3) + b"abc".ljust(512, b"\0") + bytes(1024)
    attempt(gzip.compress(raw[:700]) + gzip.compress(raw[700:]), tmp_path)
    assert (tmp_path / "tree/x").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([({"name": "a"}, b"1"), ({"name": "a/b"}, b"2")], "a folder of a file"),
        ([({"name": "a/b"}, b"1"), ({"name": "a"}, b"2")], "a file of a folder"),
    ],
)
def test_files_and_folders_do_not_change_places(tmp_path, foreign, entries, reason):
    with pytest.raises(ArchiveRejected, match="makes a"):
        attempt(foreign(*entries), tmp_path)


def test_the_last_of_two_files_counts(tmp_path, foreign):
    content = foreign(({"name": "a", "mode": 0o755}, b"long"), ({"name": "a"}, b"x"))
    attempt(content, tmp_path)
    assert (tmp_path / "tree/a").read_bytes() == b"x"
    assert stat.S_IMODE((tmp_path / "tree/a").stat().st_mode) == 0o600


def test_the_target_must_be_new(tmp_path, archive):
    (tmp_path / "tree").symlink_to(tmp_path)
    with pytest.raises(FileExistsError):
        attempt(archive(x=b"1"), tmp_path)


def test_git_archives_are_read(tmp_path):
    """A global header comes first there, with the commit as comment."""
    comment = b"52 comment=0123456789abcdef0123456789abcdef01234567\n"
    raw = _header(b"pax_global_header", 52, kind=b"g") + comment.ljust(512, b"\0")
    raw += _header(b"dir/", 0, kind=b"5") + _header(b"dir/x", 1) + b"1".ljust(512, b"\0")
    attempt(gzip.compress(raw + bytes(1024)), tmp_path)
    assert (tmp_path / "tree/dir/x").read_bytes() == b"1"
