"""JSON patch (RFC 6902) with the leniencies of the library that a kube-apiserver uses.

Negative indexes count from the end, and what stands before the first slash of a path is ignored.
The detail of what was rejected is in that library's words (`gopkg.in/evanphx/json-patch.v4`).
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
            _replace(doc, path, copied(op.get("value")))
        case "move":
            _transfer(doc, "move", _source(op), path)
        case "copy":
            _transfer(doc, "copy", _source(op), path)
        case "test":
            _test(doc, path, op.get("value"))
        case unknown:
            raise RejectedPatch(f"Unexpected kind: {unknown}")
    return doc


def _source(op: dict[str, Any]) -> str:
    source = op.get("from")
    if not isinstance(source, str):
        raise RejectedPatch(f"{op.get('op')} operation failed to decode from: missing value")
    return source


def _place(doc: Any, path: str) -> tuple[Any, str] | None:
    """Return what holds the last part of a path, and that part; None when it is not there."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    for part in parts[:-1]:
        doc = _lookup(doc, part)
        if not isinstance(doc, dict | list):
            return None
    return (doc, parts[-1]) if parts else None


def _lookup(container: Any, part: str) -> Any:
    if isinstance(container, dict):
        return container.get(part, _MISSING)
    try:
        index = _index(part, len(container))
    except _StepError:
        return _MISSING
    return container[index]


class _StepError(ValueError):
    """A part of a path leads nowhere in what holds it."""


def _index(part: str, length: int) -> int:
    """Return an index into a list of `length`; raises `_StepError`."""
    try:
        index = int(part)
    except ValueError:
        raise _StepError(f'strconv.Atoi: parsing "{part}": invalid syntax') from None
    if not -length <= index < length:
        raise _StepError(f"Unable to access invalid index: {index}: invalid index referenced")
    return index + length if index < 0 else index


def _insert(container: Any, part: str, value: Any) -> None:
    if isinstance(container, dict):
        container[part] = value
    elif part == "-":
        container.append(value)
    else:
        container.insert(_index(part, len(container) + 1), value)


def _delete(container: Any, part: str) -> None:
    if isinstance(container, list):
        del container[_index(part, len(container))]
    elif part in container:
        del container[part]
    else:
        raise _StepError(f"Unable to remove nonexistent key: {part}: missing value")


def _add(doc: Any, path: str, value: Any) -> None:
    place = _place(doc, path)
    if place is None:
        text = f'add operation does not apply: doc is missing path: "{path}": missing value'
        raise RejectedPatch(text)
    try:
        _insert(*place, value)
    except _StepError as error:
        raise RejectedPatch(f"error in add for path: '{path}': {error}") from None


def _remove(doc: Any, path: str) -> None:
    place = _place(doc, path)
    if place is None:
        text = f'remove operation does not apply: doc is missing path: "{path}": missing value'
        raise RejectedPatch(text)
    try:
        _delete(*place)
    except _StepError as error:
        raise RejectedPatch(f"error in remove for path: '{path}': {error}") from None


def _replace(doc: Any, path: str, value: Any) -> None:
    place = _place(doc, path)
    if place is None or _lookup(*place) is _MISSING:
        what = "path" if place is None else "key"
        raise RejectedPatch(
            f"replace operation does not apply: doc is missing {what}: {path}: missing value"
        )
    container, part = place
    container[part if isinstance(container, dict) else _index(part, len(container))] = value


def _transfer(doc: Any, operation: str, source: str, path: str) -> None:
    """Move or copy a value."""
    place = _place(doc, source)
    if place is None or _lookup(*place) is _MISSING:
        raise RejectedPatch(
            f"{operation} operation does not apply: doc is missing from path: {source}: "
            "missing value"
        )
    value = copied(_lookup(*place))
    if operation == "move":
        _delete(*place)
    destination = _place(doc, path)
    if destination is None:
        raise RejectedPatch(
            f"{operation} operation does not apply: doc is missing destination path: {path}: "
            "missing value"
        )
    try:
        _insert(*destination, value)
    except _StepError as error:
        raise RejectedPatch(f"error in {operation} for path: '{path}': {error}") from None


def _test(doc: Any, path: str, expected: Any) -> None:
    actual = doc
    if path:
        place = _place(doc, path)
        if place is None:
            raise RejectedPatch(
                f"test operation does not apply: is missing path: {path}: missing value"
            )
        found = _lookup(*place)
        actual = None if found is _MISSING else found
    if not equal(actual, expected):
        raise TestFailed(f"testing path {path} failed: test failed")
