"""Reading files relative to a kustomization, within what the options allow."""

import re

from fluvial.render.kustomize._errors import LoadError
from fluvial.render.kustomize.tree import Tree, join

__all__ = ["Loader", "is_remote"]

_REMOTE = re.compile(
    r"^(?:git::)?(?:https?|ssh|git|file)://|^git::|^gh:|^[\w.-]+@[\w.-]+[:/]"
    r"|^github\.com[:/]|/_git/|\.git(?:/|\?|$)",
    re.IGNORECASE,
)


def is_remote(path: str) -> bool:
    """Say whether a path names something in the network rather than in the tree."""
    return bool(_REMOTE.search(path)) or "?ref=" in path


class Loader:
    """Reads for the kustomization in one folder.

    `chain` lists the folders that led here, outermost first; it makes cycles visible. `file` is
    the path of the kustomization file, for messages; `helm` says whether charts are inflated;
    `namespace` is that of the kustomization, or of the nearest that led here and has one.
    """

    def __init__(
        self,
        tree: Tree,
        folder: str,
        chain: tuple[str, ...] = (),
        *,
        confined: bool = False,
        helm: bool = False,
    ) -> None:
        self.tree = tree
        self.folder = folder
        self.chain = (*chain, folder)
        self.confined = confined
        self.helm = helm
        self.file = folder
        self.namespace = ""

    def resolve(self, path: str) -> str:
        """Return the path within the tree. Raises LoadError for remote and outside ones."""
        if is_remote(path):
            raise LoadError(
                f"remote resource {path!r} is not allowed: put it into the source", file=self.file
            )
        try:
            place = join(self.folder, path)
        except LoadError as error:
            raise LoadError(error.problem, file=self.file) from None
        inside = not self.folder or place == self.folder or place.startswith(f"{self.folder}/")
        if self.confined and not inside:
            raise LoadError(
                f"security; file {path!r} is not in or below {self.folder!r}", file=self.file
            )
        return place

    def read(self, path: str) -> bytes:
        """Read a file."""
        return self.tree.read(self.resolve(path))

    def enter(self, path: str) -> "Loader":
        """Return the loader of another kustomization's folder. Raises LoadError for cycles."""
        if is_remote(path):
            self.resolve(path)
        if not path:
            raise LoadError("new root cannot be empty", file=self.file)
        try:
            folder = join(self.folder, path)
        except LoadError as error:
            raise LoadError(error.problem, file=self.file) from None
        if not self.tree.is_dir(folder):
            raise LoadError(f"{path!r} must resolve to a directory", file=self.file)
        for visited in self.chain:
            if not folder or visited == folder or visited.startswith(f"{folder}/"):
                raise LoadError(
                    f"cycle detected: candidate root {folder or '.'!r} contains visited root "
                    f"{visited or '.'!r}",
                    file=self.file,
                )
        child = Loader(self.tree, folder, self.chain, confined=self.confined, helm=self.helm)
        child.namespace = self.namespace
        return child
