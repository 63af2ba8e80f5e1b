"""The text of a patched object, as the API server quotes it when it cannot be decoded.

What a patch goes through is written again with sorted keys; everything else stands as the server
had written it: metadata in the order of its Go struct.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

__all__ = ["patched_text"]

_Place = tuple[str, ...]

_METADATA = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation",
    "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels",
    "annotations", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip
_MANAGED = (
    "manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource",
)  # fmt: skip


def patched_text(new: Any, patch: Any) -> str:
    """Return the JSON of `new`, which a JSON patch (a list) or a merge patch has made."""
    if isinstance(patch, list):
        touched = {place for op in patch for place in _of_operation(op)}
    else:
        touched = set(_of_merge(patch, ()))
    return _written(new, (), touched | {()})


def _of_operation(op: Any) -> Iterator[_Place]:
    for key in ("path", "from"):
        path = op.get(key) if isinstance(op, dict) else None
        if isinstance(path, str):
            parts = tuple(p.replace("~1", "/").replace("~0", "~") for p in path.split("/")[1:])
            for end in range(len(parts)):
                yield parts[:end]


def _of_merge(patch: Any, place: _Place) -> Iterator[_Place]:
    if isinstance(patch, dict):
        yield place
        for name, value in patch.items():
            yield from _of_merge(value, (*place, name))


def _written(value: Any, place: _Place, touched: set[_Place]) -> str:
    if place in touched and isinstance(value, dict):
        parts = (
            f"{_json(name)}:{_written(value[name], (*place, name), touched)}"
            for name in sorted(value)
        )
        return "{" + ",".join(parts) + "}"
    if place in touched and isinstance(value, list):
        items = (_written(item, (*place, str(index)), touched) for index, item in enumerate(value))
        return "[" + ",".join(items) + "]"
    if place == ("metadata",) and isinstance(value, dict):
        value = _in_order(value, _METADATA)
        if isinstance(value.get("managedFields"), list):
            value["managedFields"] = _entries(value["managedFields"])
    elif place == ("metadata", "managedFields") and isinstance(value, list):
        value = _entries(value)
    return _json(value)


def _entries(items: list[Any]) -> list[Any]:
    return [_in_order(item, _MANAGED) if isinstance(item, dict) else item for item in items]


def _in_order(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    ordered = {name: value[name] for name in names if name in value}
    return ordered | value


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
