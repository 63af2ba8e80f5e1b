"""Which files of a folder `build kustomization` leaves out, as Flux's command line does."""

from collections.abc import Iterator

from fluvial.render.kustomize import Tree
from fluvial.render.kustomize.flux import Ignores
from fluvial.toolkit.artifacts.ignore import FILE_NAME, IgnoreRules

__all__ = ["ignores_of"]


def ignores_of(tree: Tree, folder: str, patterns: str) -> Ignores:
    """Return what leaves out manifests and entries of the folder's kustomization file.

    The `.sourceignore` files of the folder and below it count, `patterns` after them, all from the
    folder and not from the source's root. What lies elsewhere stays.
    """
    rules = IgnoreRules.of(_files(tree, folder, ()), patterns, keep_defaults=True)
    above = "" if folder in {"", "."} else f"{folder}/"

    def ignores(path: str, is_folder: bool) -> bool:
        below = path.removeprefix(above) if path.startswith(above) else ""
        return bool(below) and rules.ignores(below, folder=is_folder)

    return ignores


def _files(
    tree: Tree, folder: str, parts: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Iterate over the ignore files, a folder's own before those below it."""
    prefix = "" if folder in {"", "."} else f"{folder}/"
    place = f"{prefix}{FILE_NAME}"
    if tree.exists(place):
        yield parts, tree.read(place).decode(errors="replace")
    for name in tree.list(folder):
        if name != ".git" and tree.is_dir(f"{prefix}{name}"):
            yield from _files(tree, f"{prefix}{name}", (*parts, name))
