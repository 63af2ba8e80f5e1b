"""A source without the files that are left out of its artifact."""

from fluvial.render.kustomize import DiskTree, LoadError
from fluvial.toolkit.artifacts.ignore import IgnoreRules, Pattern

__all__ = ["FilteredTree"]


class FilteredTree:
    """A tree in which what `patterns` ignore is not there; they are lines of a .sourceignore."""

    def __init__(self, tree: DiskTree, patterns: str) -> None:
        self._tree = tree
        parsed = (Pattern.parse(line.strip()) for line in patterns.split("\n"))
        self._rules = IgnoreRules(pattern for pattern in parsed if pattern is not None)

    def _ignores(self, path: str, *, folder: bool = False) -> bool:
        return bool(path) and self._rules.ignores(path, folder=folder)

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        if self._ignores(path):
            raise LoadError(f"cannot read {path!r}: ignored")
        return self._tree.read(path)

    def exists(self, path: str) -> bool:
        """Say whether a regular file stands there."""
        return not self._ignores(path) and self._tree.exists(path)

    def is_dir(self, path: str) -> bool:
        """Say whether a folder stands there."""
        return not self._ignores(path, folder=True) and self._tree.is_dir(path)

    def list(self, path: str) -> list[str]:
        """Return the sorted names in a folder."""
        prefix = f"{path}/" if path else ""
        return [
            name
            for name in self._tree.list(path)
            if not self._ignores(f"{prefix}{name}", folder=self._tree.is_dir(f"{prefix}{name}"))
        ]
