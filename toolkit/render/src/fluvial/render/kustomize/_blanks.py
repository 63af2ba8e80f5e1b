"""Keys that a file leaves without a value: where they are, and what becomes of them.

Upstream tells `key:` from `key: null`. Its patches drop the former wherever they walk, and printing
turns those of flow style into empty strings.
"""

from typing import Any, NamedTuple

from fluvial.render.yaml import Blank

__all__ = ["Place", "fill", "locate", "resolve"]


class Place(NamedTuple):
    """A blank by its path, for a value that is kept encoded."""

    path: tuple[str | int, ...]
    flow: bool


def locate(data: dict[str, Any], blanks: list[Blank]) -> tuple[Place, ...]:
    """Find the paths of the blanks that are in `data`."""
    if not blanks:
        return ()
    wanted: dict[int, list[Blank]] = {}
    for blank in blanks:
        wanted.setdefault(id(blank.mapping), []).append(blank)
    places: list[Place] = []
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(data, ())]
    while waiting:
        node, path = waiting.pop()
        places += [Place((*path, blank.key), blank.flow) for blank in wanted.get(id(node), ())]
        items = node.items() if isinstance(node, dict) else enumerate(node)
        waiting += [(item, (*path, key)) for key, item in items if isinstance(item, dict | list)]
    return tuple(places)


def resolve(data: dict[str, Any], places: tuple[Place, ...]) -> list[Blank]:
    """Turn paths into the maps that stand there."""
    blanks = []
    for place in places:
        node: Any = data
        for part in place.path[:-1]:
            node = node[part]
        blanks.append(Blank(node, str(place.path[-1]), place.flow))
    return blanks


def fill(blanks: list[Blank]) -> None:
    """Make empty strings of the blanks of flow style that still are nulls."""
    for mapping, key, flow in blanks:
        if flow and key in mapping and mapping[key] is None:
            mapping[key] = ""
