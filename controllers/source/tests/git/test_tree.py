import pytest
from pygit2.enums import FileMode

from fluvial.source.git.errors import ObjectUnreadable
from fluvial.source.git.tree import CommitTree
from fluvial.toolkit.artifacts import pack


def tree_of(origin, files):
    return CommitTree(origin.path, origin.commit(files))


def paths(tree, *arguments):
    return [entry.path for entry in tree.entries(*arguments)]


def test_files_and_folders_in_the_order_of_a_walk(origin):
    tree = tree_of(origin, {"b": "", "a/z": "", "a.b": "", "a/c/d": "", "a-b": ""})
    # Git would sort a.b and a-b before the folder a.
    assert paths(tree) == [".", "a", "a/c", "a/c/d", "a/z", "a-b", "a.b", "b"]


def test_the_order_is_the_packer_s(origin):
    tree = tree_of(origin, {"b": "1", "a/z": "2", "a.b": "3", "a/c/d": "4", "ä/ö": "5"})
    assert b"".join(pack(tree.entries()))


def test_contents_and_execute_bits_are_kept(origin):
    tree = tree_of(origin, {"run": ("#!", FileMode.BLOB_EXECUTABLE), "raw": b"\r\n\0\xff"})
    entries = {entry.path: entry for entry in tree.entries()}
    assert entries["run"].mode & 0o111
    assert not entries["raw"].mode & 0o111
    assert entries["raw"].data == b"\r\n\0\xff"
    assert entries["raw"].size == 4


def test_links_stay_out(origin):
    tree = tree_of(origin, {"a": "x", "link": ("../../etc/passwd", FileMode.LINK)})
    assert paths(tree) == [".", "a"]


def test_vcs_files_and_defaults_stay_out(origin):
    tree = tree_of(origin, {".gitignore": "", "a.jpg": "", "a.yaml": "", ".github/w": ""})
    assert paths(tree) == [".", "a.yaml"]


def test_ignore_files_count_in_their_folders_and_the_spec_wins(origin):
    tree = tree_of(
        origin,
        {
            ".sourceignore": "*.txt\n",
            "a/.sourceignore": "!keep.txt\nb\n",
            "a/keep.txt": "",
            "a/b": "",
            "b": "",
            "x.txt": "",
            "y.md": "",
        },
    )
    kept = [".", ".sourceignore", "a", "a/.sourceignore", "a/keep.txt", "b", "y.md"]
    assert paths(tree) == kept
    assert paths(tree, "*.md\n!x.txt") == [*kept[:-1], "x.txt"]


def test_excluded_folders_are_still_looked_into(origin):
    tree = tree_of(origin, {"a/b/c": "", "a/d": "", "x": ""})
    assert paths(tree, "/*\n!/a/b") == [".", "a/b", "a/b/c"]


def test_sparse_folders(origin):
    tree = tree_of(origin, {"a/b/c": "", "a/bb": "", "ab/c": "", "root": "", "z/y": ""})
    assert paths(tree, "", ["a/b", "z"]) == [".", "a", "a/b", "a/b/c", "z", "z/y"]


@pytest.mark.parametrize(
    ("folders", "missing"),
    [
        (["a"], None),
        (["a/b", "a"], None),
        (["a/x"], "a/x"),
        (["a/file"], "a/file"),
        (["../.."], "../.."),
        (["a/../../.."], "a/../../.."),
    ],
)
def test_sparse_folders_that_are_not_there(origin, folders, missing):
    assert tree_of(origin, {"a/b/c": "", "a/file": ""}).missing(folders) == missing


def test_the_commit(origin):
    made = origin.commit({"a": "1"}, message="Fix the gate\n\nIt was open.\n", time=1234)
    commit = CommitTree(origin.path, made).commit
    assert commit == (made, "Fix the gate", "Ada", 1234)


def test_a_commit_that_is_not_there(origin):
    origin.commit({"a": "1"})
    with pytest.raises(ObjectUnreadable, match="1111"):
        CommitTree(origin.path, "1" * 40)


def test_a_damaged_file(origin):
    commit = origin.commit({"a": "1"})
    blob = origin.repository[commit].tree["a"].id
    path = origin.path / "objects" / str(blob)[:2] / str(blob)[2:]
    path.chmod(0o600)
    path.write_bytes(b"x")
    with pytest.raises(ObjectUnreadable):
        list(CommitTree(origin.path, commit).entries())


@pytest.mark.parametrize("name", ["..", ".", "a\\b"])
def test_names_that_leave_the_tree(origin, name):
    repository = origin.repository
    blob = repository.create_blob(b"x")
    record = b"100644 " + name.encode() + b"\0" + bytes.fromhex(str(blob))
    tree = repository.odb.write(2, record)
    body = f"tree {tree}\nauthor A <a> 0 +0000\ncommitter A <a> 0 +0000\n\nm\n".encode()
    commit = str(repository.odb.write(1, body))
    with pytest.raises(ObjectUnreadable, match="entry of the name"):
        list(CommitTree(origin.path, commit).entries())
