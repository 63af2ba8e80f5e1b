"""What runs in worker processes: reading trees and packing them."""

from pathlib import Path

import msgspec

from fluvial.source.git.tree import CommitTree
from fluvial.toolkit.artifacts import pack_file
from fluvial.toolkit.workers import JobError

__all__ = ["PackTree", "PackedTree", "pack_tree"]


class PackTree(msgspec.Struct, frozen=True):
    """Pack a commit's tree into a new file.

    `repository` is the folder of a bare repository, `ignore` is spec.ignore, `sparse` the folders
    to take (none: all), `destination` a file that does not exist yet.
    """

    repository: str
    commit: str
    destination: str
    ignore: str = ""
    sparse: list[str] = []


class PackedTree(msgspec.Struct, frozen=True):
    """What was packed; `subject` is the first line of the commit's message."""

    size: int
    subject: str


def pack_tree(request: PackTree) -> PackedTree:
    """Pack a tree. JobError has the type `FolderMissing` for a sparse folder that is not there."""
    tree = CommitTree(Path(request.repository), request.commit)
    missing = tree.missing(request.sparse)
    if missing is not None:
        raise JobError(
            "FolderMissing", f"sparse checkout dir '{missing}' does not exist in repository"
        )
    packed = pack_file(tree.entries(request.ignore, request.sparse), Path(request.destination))
    return PackedTree(packed.size, tree.commit.subject)
