"""The files of a commit, straight from the object database: there is no work tree.

No filter, smudge, end-of-line conversion or export attribute applies, links and submodules stay
out, and names that could leave the tree are refused.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode

from fluvial.source.git.errors import ObjectUnreadable
from fluvial.toolkit.artifacts import Entry
from fluvial.toolkit.artifacts.ignore import FILE_NAME, IgnoreRules

__all__ = ["Commit", "CommitTree", "TreeFile"]

_DEEPEST = 256
_IGNORE_LIMIT = 1 << 20


class Commit(NamedTuple):
    """What is told about a commit: `time` is its committer's, in seconds since 1970."""

    id: str
    subject: str
    author: str
    time: int


class TreeFile(NamedTuple):
    """A file that can be read when its turn comes."""

    path: str
    executable: bool
    read: Callable[[], bytes]


class CommitTree:
    """One commit of a bare repository.

    Raises ObjectUnreadable wherever the repository lacks or cannot read an object.
    """

    def __init__(self, repository: Path, commit: str) -> None:
        try:
            self._repository = pygit2.Repository(str(repository))
            found = self._repository[commit].peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise ObjectUnreadable(f"commit {commit} is not in the mirror: {error}") from error
        self._commit = found

    @property
    def commit(self) -> Commit:
        """The commit itself."""
        found = self._commit
        subject = found.message.strip().split("\n", 1)[0]
        return Commit(str(found.id), subject, found.author.name, found.commit_time)

    def missing(self, folders: Sequence[str]) -> str | None:
        """Return the first of these folders that the tree does not have."""
        for folder in folders:
            entry = self._lookup(folder)
            if entry is None or not isinstance(entry, pygit2.Tree):
                return folder
        return None

    def entries(
        self, ignore: str = "", sparse: Sequence[str] = (), overlay: Iterable[TreeFile] = ()
    ) -> Iterator[Entry]:
        """List what goes into the artifact, in packing order, the root first.

        `ignore` is spec.ignore. `sparse` are folders; with any, nothing of the commit outside of
        them exists, not even for `.sourceignore`. `overlay` are files that are laid over the tree
        before the rules apply; they take the place of whatever is in their way.
        """
        listed = list(self._walk(self._root(), "", tuple(sparse), 0))
        for file in overlay:
            listed = _lay(file, listed)
        listed.sort(key=_order)
        files = [item for item in listed if isinstance(item, TreeFile)]
        rules = IgnoreRules.of(_ignore_files(files), ignore)
        yield Entry.folder(".")
        for item in listed:
            if isinstance(item, str):
                if not rules.ignores(item, folder=True):
                    yield Entry.folder(item)
            elif not rules.ignores(item.path):
                yield Entry.file(item.path, item.read(), executable=item.executable)

    def _root(self) -> pygit2.Tree:
        try:
            return self._commit.tree
        except (pygit2.GitError, KeyError) as error:
            raise ObjectUnreadable(f"tree of commit {self._commit.id}: {error}") from error

    def _lookup(self, path: str) -> pygit2.Object | None:
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if ".." in parts:
            return None
        try:
            return self._root()["/".join(parts)] if parts else self._root()
        except KeyError:
            return None

    def _walk(
        self, tree: pygit2.Tree, prefix: str, sparse: tuple[str, ...], depth: int
    ) -> Iterator[TreeFile | str]:
        if depth > _DEEPEST:
            raise ObjectUnreadable(f"{prefix!r} lies over {_DEEPEST} folders deep")
        for entry in tree:
            name = (entry.raw_name or b"").decode("utf-8", "surrogateescape")
            if name in {"", ".", ".."} or "/" in name or "\\" in name or "\0" in name:
                raise ObjectUnreadable(f"{prefix!r} holds an entry of the name {name!r}")
            path = prefix + name
            if entry.filemode == FileMode.TREE:
                if not _reaches(path, sparse):
                    continue
                try:
                    below = self._repository[entry.id]
                    assert isinstance(below, pygit2.Tree)
                except (pygit2.GitError, KeyError) as error:
                    raise ObjectUnreadable(f"folder {path!r}: {error}") from error
                found = list(self._walk(below, f"{path}/", sparse, depth + 1))
                if found or not sparse:
                    yield path
                yield from found
            elif entry.filemode in {FileMode.BLOB, FileMode.BLOB_EXECUTABLE} and _inside(
                path, sparse
            ):
                executable = entry.filemode == FileMode.BLOB_EXECUTABLE
                yield TreeFile(path, executable, functools.partial(self._read, entry.id))

    def _read(self, oid: pygit2.Oid) -> bytes:
        try:
            return self._repository.odb.read(oid)[1]
        except (pygit2.GitError, KeyError) as error:
            raise ObjectUnreadable(f"blob {oid}: {error}") from error


def _ignore_files(files: Sequence[TreeFile]) -> Iterator[tuple[Sequence[str], str]]:
    # Upstream reads the root's first, then each folder's before those of the folders in it.
    own = [item for item in files if item.path.rpartition("/")[2] == FILE_NAME]
    for item in sorted(own, key=lambda item: item.path.split("/")[:-1]):
        content = item.read()
        if len(content) > _IGNORE_LIMIT:
            raise ObjectUnreadable(f"{item.path!r} is over {_IGNORE_LIMIT} bytes")
        yield item.path.split("/")[:-1], content.decode("utf-8", "surrogateescape")


def _order(item: TreeFile | str) -> tuple[bytes, ...]:
    """Sort as a walk of a disk goes; Git sorts a folder as if its name ended in a slash."""
    path = item if isinstance(item, str) else item.path
    return tuple(path.encode("utf-8", "surrogateescape").split(b"/"))


def _lay(file: TreeFile, listed: Sequence[TreeFile | str]) -> list[TreeFile | str]:
    parts = file.path.split("/")
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    in_the_way = {file.path, *folders}

    def stays(item: TreeFile | str) -> bool:
        path = item if isinstance(item, str) else item.path
        return path not in in_the_way and not path.startswith(f"{file.path}/")

    return [*(item for item in listed if stays(item)), *folders, file]


def _inside(path: str, sparse: tuple[str, ...]) -> bool:
    return not sparse or any(path.startswith(f"{folder}/") for folder in sparse)


def _reaches(path: str, sparse: tuple[str, ...]) -> bool:
    """Say whether a folder is inside one of the listed ones, or on the way to one."""
    return not sparse or any(
        f"{folder}/".startswith(f"{path}/") or path.startswith(f"{folder}/") for folder in sparse
    )
