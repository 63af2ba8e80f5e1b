import tarfile

import pytest

from fluvial.source.jobs import Overlay, PackTree, pack_tree
from fluvial.toolkit.artifacts import Entry, pack_file
from fluvial.toolkit.workers import JobError


@pytest.fixture
def packed(origin, tmp_path):
    commit = origin.commit({"a/x": "1", "a/b/y": "2", "c": "3"}, message="Subject\n\nbody")
    archive = tmp_path / "other.tar.gz"
    other = [Entry.folder("."), Entry.folder("k"), Entry.file("k/z", b"4", executable=True)]
    pack_file(other, archive)

    def run(*overlays, **options):
        folder = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        request = PackTree(
            repository=str(origin.path),
            commit=commit,
            destination=str(folder / "artifact.tar.gz"),
            overlays=[Overlay(str(archive), *overlay) for overlay in overlays],
            **options,
        )
        reply = pack_tree(request)
        assert reply.subject == "Subject"
        assert reply.size == (folder / "artifact.tar.gz").stat().st_size
        with tarfile.open(folder / "artifact.tar.gz") as found:
            return {member.name: member.mode for member in found if member.isfile()}

    return run


def test_the_tree(packed):
    assert packed() == {"a/x": 0o600, "a/b/y": 0o600, "c": 0o600}


@pytest.mark.parametrize(
    ("overlay", "expected", "reason"),
    [
        (("", "v"), "a/b/y a/x c v/k/z", "all of it into a new folder"),
        (("k", ""), "a/b/y a/x c z", "a folder into the root"),
        (("k", "a"), "a/b/y a/x a/z c", "into a folder that is there"),
        (("k", "c"), "a/b/y a/x c/z", "a file in the way goes"),
        (("", "a/x"), "a/b/y a/x/k/z c", "further down, too"),
    ],
)
def test_overlays(packed, overlay, expected, reason):
    names = packed(overlay)
    assert " ".join(sorted(names)) == expected, reason
    assert [mode for name, mode in names.items() if name.endswith("z")] == [0o700], reason


def test_later_overlays_lie_on_top(packed):
    assert sorted(packed(("k", "v"), ("k", "v/z"))) == ["a/b/y", "a/x", "c", "v/z/z"]


def test_rules_apply_to_overlays_and_sparse_folders_do_not(packed):
    assert sorted(packed(("", "v"), ignore="y", sparse=["a/b"])) == ["v/k/z"]


@pytest.mark.parametrize(
    ("overlays", "options", "kind"),
    [
        ([("gone", "v")], {}, "CopyFailure"),
        ([("k/z", "v")], {}, "CopyFailure"),
        ([], {"sparse": ["gone"]}, "FolderMissing"),
    ],
)
def test_what_cannot_be_packed(packed, overlays, options, kind):
    with pytest.raises(JobError) as caught:
        packed(*overlays, **options)
    assert caught.value.type == kind
