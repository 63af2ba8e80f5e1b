"""What runs in worker processes: reading trees and packing them."""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fluvial.source.git.tree import CommitTree, TreeFile
from fluvial.toolkit.artifacts import ArchiveRejected, pack_file, unpack, walk
from fluvial.toolkit.workers import JobError

__all__ = ["Overlay", "PackTree", "PackedTree", "pack_tree"]


class Overlay(msgspec.Struct, frozen=True):
    """A folder of another artifact, to be laid over the tree; paths are relative and clean.

    An empty `from_path` is all of it, an empty `to_path` the tree's root.
    """

    archive: str
    from_path: str
    to_path: str


class PackTree(msgspec.Struct, frozen=True):
    """Pack a commit's tree into a new file.

    `repository` is the folder of a bare repository, `ignore` is spec.ignore, `sparse` the folders
    to take (none: all), `overlays` what is laid over them, in order, `destination` a file that does
    not exist yet; beside it is room for more.
    """

    repository: str
    commit: str
    destination: str
    ignore: str = ""
    sparse: list[str] = []
    overlays: list[Overlay] = []


class PackedTree(msgspec.Struct, frozen=True):
    """What was packed; `subject` is the first line of the commit's message."""

    size: int
    subject: str


def pack_tree(request: PackTree) -> PackedTree:
    """Pack a tree.

    JobError has the type `FolderMissing` for a sparse folder that is not there, and `CopyFailure`
    for an overlay that cannot be read.
    """
    tree = CommitTree(Path(request.repository), request.commit)
    missing = tree.missing(request.sparse)
    if missing is not None:
        raise JobError(
            "FolderMissing", f"sparse checkout dir '{missing}' does not exist in repository"
        )
    destination = Path(request.destination)
    overlay = [
        file
        for number, item in enumerate(request.overlays)
        for file in _overlay(item, destination.with_name(f"overlay-{number}"))
    ]
    packed = pack_file(tree.entries(request.ignore, request.sparse, overlay), destination)
    return PackedTree(packed.size, tree.commit.subject)


def _overlay(item: Overlay, folder: Path) -> Iterator[TreeFile]:
    try:
        with Path(item.archive).open("rb") as archive:
            unpack(archive, folder)
    except (OSError, ArchiveRejected) as error:
        raise JobError("CopyFailure", f"{error}") from error
    # Links were left out while unpacking, so nothing below can lead elsewhere.
    root = folder / item.from_path
    if not root.is_dir():
        raise JobError("CopyFailure", f"the included artifact has no folder '{item.from_path}'")
    for entry in walk(root):
        if not stat.S_ISDIR(entry.mode):
            path = f"{item.to_path}/{entry.path}" if item.to_path else entry.path
            executable = bool(entry.mode & stat.S_IXUSR)
            yield TreeFile(path, executable, (root / entry.path).read_bytes)
