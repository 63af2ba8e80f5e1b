"""Labels and annotations that upstream writes once and uses in several places of an object.

A label that one step adds to `metadata/labels` and to a selector is one node in both. Whatever sets
it in one place later, a label of an overlay or a patch, sets it in the other as well.
"""

from typing import Any

__all__ = ["Shared", "settle"]


class Shared:
    """A value and the places, as paths, where one step has added it."""

    __slots__ = ("paths", "value")

    def __init__(self, value: Any, paths: tuple[tuple[str, ...], ...]) -> None:
        self.value = value
        self.paths = paths

    @classmethod
    def added(cls, value: str, key: str, pointers: list[str]) -> "Shared":
        """Tie the values together that a step has added as `key` to several maps."""
        return cls(value, tuple(sorted((*_parts(pointer), key) for pointer in pointers)))


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def settle(data: dict[str, Any], groups: list[Shared]) -> None:
    """Set every place of each group to what one of them was set to; the last in order wins."""
    for group in groups:
        places = []
        value = group.value
        for path in group.paths:
            node = _find(data, path[:-1])
            key = path[-1]
            if node is None or key not in node:
                continue
            places.append((node, key))
            if node[key] != group.value:
                value = node[key]
        if value != group.value:
            group.value = value
            for node, key in places:
                node[key] = value


def _find(node: Any, path: tuple[str, ...]) -> dict[str, Any] | None:
    for part in path:
        if isinstance(node, dict):
            node = node.get(part)
        elif isinstance(node, list) and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node if isinstance(node, dict) else None
