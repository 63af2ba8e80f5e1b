"""JSON patch (RFC 6902) with the leniencies of the library that a kube-apiserver uses.

Negative indexes count from the end, and what stands before the first slash of a path is ignored.
"""

from __future__ import annotations

from typing import Any

from fluvial.cluster.fields.errors import BadPatch, RejectedPatch, TestFailed
from fluvial.cluster.fields.values import copied, equal

__all__ = ["patch_json"]

_MISSING = object()
_GO_KINDS = {dict: "object", str: "string", bool: "bool", int: "number", float: "number"}


def patch_json(doc: Any, ops: Any) -> Any:
    """Return a document with the operations carried out, in order.

    Raises `BadPatch` when `ops` is no list of objects, `RejectedPatch` when an operation is
    unknown, incomplete, or does not fit the document.
    """
    if not isinstance(ops, list):
        kind = _GO_KINDS.get(type(ops), "null")
        raise BadPatch(
            f"error decoding patch: json: cannot unmarshal {kind} "
            "into Go value of type []handlers.jsonPatchOp"
        )
    doc = copied(doc)
    for op in ops:
        if not isinstance(op, dict):
            raise BadPatch(
                f"error decoding patch: json: cannot unmarshal {_GO_KINDS.get(type(op), 'array')} "
                "into Go value of type handlers.jsonPatchOp"
            )
        doc = _step(doc, op)
    return doc


def _step(doc: Any, op: dict[str, Any]) -> Any:
    path = op.get("path")
    if not isinstance(path, str):
        raise RejectedPatch("an operation has no path")
    match op.get("op"):
        case "add":
            _add(doc, path, copied(op.get("value")))
        case "remove":
            _remove(doc, path)
        case "replace":
            if path == "":
                return copied(op.get("value"))
            _get(doc, path)
            _set(doc, path, copied(op.get("value")))
        case "move":
            source = _source(op)
            value = _get(doc, source)
            _remove(doc, source)
            _add(doc, path, value)
        case "copy":
            _add(doc, path, copied(_get(doc, _source(op))))
        case "test":
            _test(doc, path, op.get("value"))
        case unknown:
            raise RejectedPatch(f"unexpected kind of operation: {unknown}")
    return doc


def _source(op: dict[str, Any]) -> str:
    source = op.get("from")
    if not isinstance(source, str):
        raise RejectedPatch(f"the operation {op.get('op')} has no from")
    return source


def _container(doc: Any, path: str) -> tuple[Any, str]:
    """Return what holds the last part of a path, and that part."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if not parts:
        raise RejectedPatch(f"the document is missing the path {path!r}")
    for part in parts[:-1]:
        doc = _lookup(doc, part)
        if not isinstance(doc, dict | list):
            raise RejectedPatch(f"the document is missing the path {path!r}")
    return doc, parts[-1]


def _lookup(container: Any, part: str) -> Any:
    if isinstance(container, dict):
        return container.get(part, _MISSING)
    index = _index(part, len(container))
    return container[index] if 0 <= index < len(container) else _MISSING


def _index(part: str, length: int) -> int:
    try:
        index = int(part)
    except ValueError:
        raise RejectedPatch(f"{part!r} is not an index of a list") from None
    return index + length if index < 0 else index


def _get(doc: Any, path: str) -> Any:
    container, part = _container(doc, path)
    value = _lookup(container, part)
    if value is _MISSING:
        raise RejectedPatch(f"the document is missing the key {path!r}")
    return value


def _set(doc: Any, path: str, value: Any) -> None:
    container, part = _container(doc, path)
    if isinstance(container, dict):
        container[part] = value
    else:
        container[_index(part, len(container))] = value


def _add(doc: Any, path: str, value: Any) -> None:
    container, part = _container(doc, path)
    if isinstance(container, dict):
        container[part] = value
    elif part == "-":
        container.append(value)
    else:
        index = _index(part, len(container) + 1)
        if not 0 <= index <= len(container):
            raise RejectedPatch(f"the index of {path!r} is out of bounds")
        container.insert(index, value)


def _remove(doc: Any, path: str) -> None:
    _get(doc, path)
    container, part = _container(doc, path)
    if isinstance(container, dict):
        del container[part]
    else:
        del container[_index(part, len(container))]


def _test(doc: Any, path: str, expected: Any) -> None:
    if path == "":
        actual = doc
    else:
        container, part = _container(doc, path)
        found = _lookup(container, part)
        actual = None if found is _MISSING else found
    if not equal(actual, expected):
        raise TestFailed(f"testing the value of {path!r} failed")
