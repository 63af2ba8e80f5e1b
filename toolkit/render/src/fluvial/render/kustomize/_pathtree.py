"""Many field paths looked for in one walk, where `apply_spec` would walk once for each."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._fieldspec import steps_of
from fluvial.render.pointers import escape

__all__ = ["Found", "PathTree", "pointer_of"]

Trail = tuple[Any, Any] | None
"""A place as a chain: the trail of the container and the key in it; None is the root."""


class Found(NamedTuple):
    """A value that a path leads to: its container, its key there, and how the walk came there."""

    node: Any
    key: Any
    trail: Trail


def pointer_of(trail: Trail) -> str:
    """Return a trail as a JSON pointer."""
    parts: list[str] = []
    while trail is not None:
        trail, key = trail
        parts.append(f"/{escape(str(key))}")
    return "".join(reversed(parts))


class _Branch:
    """What paths have in common up to here: where they end, and how they go on."""

    __slots__ = ("below", "ends")

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.below: dict[tuple[str, bool], _Branch] = {}

    def all_ends(self) -> list[int]:
        """Return every path that ends here or below."""
        return [*self.ends, *(end for branch in self.below.values() for end in branch.all_ends())]


class PathTree:
    """Paths of field specs that create nothing."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._root = _Branch()
        for number, path in enumerate(paths):
            branch = self._root
            for step in steps_of(path):
                branch = branch.below.setdefault((step.name, step.many), _Branch())
            branch.ends.append(number)

    def find(self, data: dict[str, Any]) -> dict[int, list[Found | TransformError]]:
        """Return what each path leads to, by its number, in the order of the document.

        A path that meets a scalar where it goes on has the error behind what it found before. As in
        `apply_spec`, a null where the path is marked as a list becomes an empty one.
        """
        found: dict[int, list[Found | TransformError]] = {}
        below = {
            (name, many): branch
            for (name, many), branch in self._root.below.items()
            if name in data or not name
        }
        if below:
            _walk(data, below, None, found)
        return found


def _walk(
    node: Any,
    below: dict[tuple[str, bool], _Branch],
    trail: Trail,
    found: dict[int, list[Found | TransformError]],
) -> None:
    if isinstance(node, list):
        for index, item in enumerate(node):
            if item is not None:
                _walk(item, below, (trail, index), found)
        return
    if not isinstance(node, dict):
        place = pointer_of(trail) or "/"
        problem = TransformError(f"expected sequence or mapping node at {place}")
        _fail(below, problem, found)
        return
    for (name, many), branch in below.items():
        if not name:
            problem = TransformError("cannot set or create an empty field name")
            _fail({(name, many): branch}, problem, found)
            continue
        value = node.get(name)
        if value is None:
            if name not in node:
                continue
            if many:
                value = node[name] = []
        for end in branch.ends:
            found.setdefault(end, []).append(Found(node, name, (trail, name)))
        if branch.below and value is not None:
            _walk(value, branch.below, (trail, name), found)


def _fail(
    below: dict[tuple[str, bool], _Branch],
    problem: TransformError,
    found: dict[int, list[Found | TransformError]],
) -> None:
    for branch in below.values():
        for end in branch.all_ends():
            found.setdefault(end, []).append(problem)
