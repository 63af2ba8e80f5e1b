"""The dotted paths of replacements: finding, and on demand making, the values they lead to."""

import re
from typing import Any, NamedTuple

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._merge import MISSING
from fluvial.render.pointers import escape

__all__ = ["Place", "find", "lookup", "split"]


class Place(NamedTuple):
    """A value's container and its key there; `made` when the path had to be created."""

    node: Any
    key: Any
    pointer: str
    made: bool = False

    @property
    def value(self) -> Any:
        """The value itself."""
        return self.node[self.key]


def split(path: str) -> list[str]:
    r"""Split at dots; `\.` stands for one, and `[a.b/c]` is one key, `[k=v]` one list element."""
    parts = path.split(".")
    if len(parts) > 1 and not parts[0]:
        parts = parts[1:]
    joined = [parts[0]]
    for part in parts[1:]:
        if joined[-1].endswith("\\"):
            joined[-1] = f"{joined[-1][:-1]}.{part}"
        else:
            joined.append(part)
    found: list[str] = []
    waiting = iter(joined)
    for part in waiting:
        if not part.startswith("[") or part.endswith("]"):
            found.append(part)
            continue
        whole = part
        for more in waiting:
            whole += f".{more}"
            if more.endswith("]"):
                break
        found.append(whole if "=" in whole else whole.strip("[]"))
    return found


def _is_element(part: str) -> bool:
    return part.startswith("[") and part.endswith("]")


def lookup(root: Any, parts: list[str]) -> Any:
    """Follow a path without patterns; MISSING when it leads nowhere.

    Raises TransformError when a scalar stands where the path goes on.
    """
    node = root
    for part in parts:
        if node is None or node is MISSING:
            return MISSING
        if isinstance(node, list):
            node = _element(node, part)
        elif isinstance(node, dict):
            node = node.get(part, MISSING)
        else:
            raise TransformError(f"wrong node kind: expected a map before {part!r}")
    return node


def _element(items: list[Any], part: str) -> Any:
    if part.lstrip("-").isdigit():
        index = int(part)
        return items[index] if 0 <= index < len(items) else MISSING
    if part == "-":
        return items[-1] if items else MISSING
    if not _is_element(part):
        raise TransformError(f"wrong node kind: expected a map before {part!r}, found a list")
    key, _, wanted = part[1:-1].partition("=")
    for item in items:
        if not key and text(item) == wanted:
            return item
        if isinstance(item, dict) and key in item and text(item[key]) == wanted:
            return item
    return MISSING


def find(root: Any, parts: list[str], create: Any = MISSING) -> list[Place]:
    """Find the places a path leads to; `[k=v]` takes `v` as a regular expression.

    `create` is an empty value of the kind that the last part gets; MISSING creates nothing.
    Raises TransformError for indexes out of range and for parts that do not fit their value.
    """
    return _find(Place([root], 0, ""), parts, create, 0)


def _find(place: Place, parts: list[str], create: Any, at: int) -> list[Place]:
    if at == len(parts):
        return [place]
    part = parts[at]
    if part.isdigit():
        return _by_index(place, parts, create, at)
    if _is_element(part) and "=" in part:
        return _by_pattern(place, parts, create, at)
    node = place.value
    if part == "*":
        if not isinstance(node, list):
            raise TransformError(f"wrong node kind: expected a list at {place.pointer or '/'}")
        found = []
        for index in range(len(node)):
            found += _find(Place(node, index, f"{place.pointer}/{index}"), parts, create, at + 1)
        return found
    if node is None:
        return []
    if not isinstance(node, dict):
        raise TransformError(f"wrong node kind: expected a map at {place.pointer or '/'}")
    made = False
    if part not in node:
        if create is MISSING:
            return []
        node[part] = _empty(parts, at, create)
        made = True
    inner = f"{place.pointer}/{escape(part)}"
    if at + 1 < len(parts) and not isinstance(node[part], dict | list) and node[part] is not None:
        raise TransformError(f"the scalar at {inner} holds no structured data")
    return _find(Place(node, part, inner, made or place.made), parts, create, at + 1)


def _empty(parts: list[str], at: int, create: Any) -> Any:
    """Return what a created part holds: it depends on the next one."""
    if at + 1 == len(parts):
        return type(create)() if isinstance(create, dict | list) else None
    following = parts[at + 1]
    return [] if _is_element(following) or following.isdigit() else {}


def _list_at(place: Place) -> list[Any]:
    node = place.value
    if not isinstance(node, list):
        raise TransformError(f"wrong node kind: expected a list at {place.pointer or '/'}")
    return node


def _by_index(place: Place, parts: list[str], create: Any, at: int) -> list[Place]:
    items = _list_at(place)
    index = int(parts[at])
    made = False
    if index == len(items) and create is not MISSING:
        items.append(_empty(parts, at, create))
        made = True
    if index >= len(items):
        raise TransformError(f"index {index} specified but only {len(items)} elements found")
    inner = Place(items, index, f"{place.pointer}/{index}", made or place.made)
    return _find(inner, parts, create, at + 1)


def _by_pattern(place: Place, parts: list[str], create: Any, at: int) -> list[Place]:
    items = _list_at(place)
    key, _, wanted = parts[at][1:-1].partition("=")
    try:
        pattern = re.compile(wanted)
    except re.error as error:
        raise TransformError(f"{parts[at]!r} is no regular expression: {error}") from None
    found: list[Place] = []
    for index, item in enumerate(items):
        inner = Place(items, index, f"{place.pointer}/{index}")
        if not key:
            if pattern.search(text(item)):
                found.append(inner)
        elif isinstance(item, dict) and key in item and pattern.search(text(item[key])):
            found += _find(inner, parts, create, at + 1)
    if found or create is MISSING:
        return found
    items.append({key: wanted} if key else wanted)
    return _by_pattern(place, parts, create, at)
