"""RFC 6902 on decoded JSON, with the leniencies of the library that kustomize uses."""

from typing import Any

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._merge import MISSING, clone
from fluvial.render.kustomize._trace import Trace

__all__ = ["Operation", "apply_patch"]

Operation = dict[str, Any]


def _parts(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise TransformError(f"JSON patch: path {pointer!r} must start with '/'")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _index(part: str, length: int, *, adding: bool) -> int:
    """Read a list index; negative ones count from the end."""
    if part == "-" and adding:
        return length
    try:
        index = int(part)
    except ValueError:
        raise TransformError(f"JSON patch: {part!r} is no list index") from None
    limit = length + 1 if adding else length
    if index < 0:
        index += limit
    if not 0 <= index < limit:
        raise TransformError(f"JSON patch: index {part} is out of bounds ({length} items)")
    return index


def _child(node: Any, part: str) -> Any:
    if isinstance(node, dict):
        return node.get(part, MISSING)
    if isinstance(node, list):
        return node[_index(part, len(node), adding=False)]
    return MISSING


def _parent(root: Any, pointer: Any, name: str) -> tuple[Any, str]:
    parts = _parts(pointer)
    node = root
    for part in parts[:-1]:
        node = _child(node, part)
        if node is MISSING:
            break
    if not parts or not isinstance(node, dict | list):
        raise TransformError(f"JSON patch: {name} operation does not apply: no path {pointer!r}")
    return node, parts[-1]


def _get(root: Any, pointer: Any, name: str) -> Any:
    if pointer == "":
        return root
    node, part = _parent(root, pointer, name)
    value = _child(node, part)
    if value is MISSING:
        raise TransformError(f"JSON patch: {name} operation does not apply: no path {pointer!r}")
    return value


def _add(root: Any, pointer: Any, value: Any, name: str, trace: Trace | None) -> Any:
    if pointer == "":
        return _whole(value, trace)
    node, part = _parent(root, pointer, name)
    if isinstance(node, dict):
        node[part] = value
        if trace is not None:
            trace.set(node, part)
        return root
    index = _index(part, len(node), adding=True)
    node.insert(index, value)
    if trace is not None:
        trace.inserted(node, index)
    return root


def _whole(value: Any, trace: Trace | None) -> Any:
    if trace is not None:
        trace.set_all(value)
    return value


def _remove(root: Any, pointer: Any, name: str, trace: Trace | None) -> None:
    _get(root, pointer, name)
    node, part = _parent(root, pointer, name)
    if isinstance(node, dict):
        del node[part]
        return
    index = _index(part, len(node), adding=False)
    del node[index]
    if trace is not None:
        trace.removed(node, index)


def _replace(root: Any, pointer: Any, value: Any, trace: Trace | None) -> Any:
    """Set a value; in a map it need not be there, which is as lenient as upstream's library."""
    if pointer == "":
        return _whole(value, trace)
    node, part = _parent(root, pointer, "replace")
    key = part if isinstance(node, dict) else _index(part, len(node), adding=False)
    node[key] = value
    if trace is not None:
        trace.set(node, key)
    return root


def _copied(root: Any, pointer: Any) -> Any:
    """Return what is to be copied; a null if its map does not have it."""
    if pointer == "":
        return root
    node, part = _parent(root, pointer, "copy")
    value = _child(node, part)
    return None if value is MISSING else value


def _test(root: Any, operation: Operation) -> None:
    pointer, wanted = operation.get("path"), operation.get("value")
    found = root
    for part in _parts(pointer):
        found = _child(found, part)
        if found is MISSING:
            break
    found = None if found is MISSING else found
    if found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
        raise TransformError(f"JSON patch: testing value {pointer} failed")


def apply_patch(root: Any, operations: list[Operation], trace: Trace | None = None) -> Any:
    """Apply operations in order and return the new root, which shares parts with the old one.

    `trace` is told of what is set. Raises TransformError that names an operation which fails.
    """
    for operation in operations:
        name, path = operation.get("op"), operation.get("path")
        if name == "add":
            root = _add(root, path, clone(operation.get("value")), "add", trace)
        elif name == "remove":
            _remove(root, path, "remove", trace)
        elif name == "replace":
            root = _replace(root, path, clone(operation.get("value")), trace)
        elif name == "move":
            value = _get(root, operation.get("from"), "move")
            _remove(root, operation.get("from"), "move", trace)
            root = _add(root, path, value, "move", trace)
        elif name == "copy":
            root = _add(root, path, clone(_copied(root, operation.get("from"))), "copy", trace)
        elif name == "test":
            _test(root, operation)
        else:
            raise TransformError(f"JSON patch: unexpected operation {name!r}")
    return root
