"""The body of a DELETE: `DeleteOptions`, which any group version may claim as its own."""

from __future__ import annotations

from typing import Any

from fluvial.cluster.errors import bad_request
from fluvial.cluster.http import bodies
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource
from fluvial.cluster.typed import json_type

__all__ = ["delete_options"]

_KIND = "DeleteOptions"
_SCHEME = "pkg/apis/meta/internalversion/scheme/register.go:27"
_TYPES: dict[str, tuple[type, str]] = {
    "gracePeriodSeconds": (int, "int64"),
    "preconditions": (dict, "v1.Preconditions"),
    "preconditions.uid": (str, "types.UID"),
    "preconditions.resourceVersion": (str, "string"),
    "orphanDependents": (bool, "bool"),
    "propagationPolicy": (str, "v1.DeletionPropagation"),
    "dryRun": (list, "[]string"),
    "ignoreStoreReadErrorWithClusterBreakingPotential": (bool, "bool"),
}
"""By field: what it must be, and the name of its type in Go."""


def delete_options(body: bytes, content_type: str, resource: Resource) -> Object:
    """Read a body; unknown fields are dropped. Raises 400 for another kind or a wrong type."""
    obj, _ = bodies.decode(body, content_type, resource)
    kind = obj.get("kind") or _KIND
    if kind != _KIND:
        version = obj.get("apiVersion") or "v1"
        raise bad_request(
            f'no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"'
        )
    found = {name: value for name, value in obj.items() if name in _TYPES and value is not None}
    for name, value in found.items():
        _check(name, value, _KIND)
        if isinstance(value, dict):
            for inner, item in value.items():
                if f"{name}.{inner}" in _TYPES and item is not None:
                    _check(f"{name}.{inner}", item, "Preconditions")
        elif isinstance(value, list):
            for item in value:
                if not isinstance(item, str):
                    raise _mismatch(name, item, _KIND, "string")
    return found


def _check(field: str, value: Any, struct: str) -> None:
    wanted, shown = _TYPES[field]
    if type(value) is not wanted:
        raise _mismatch(field, value, struct, shown)


def _mismatch(field: str, value: Any, struct: str, wanted: str) -> Exception:
    found = json_type(value)
    if isinstance(value, float) and wanted == "int64":
        found = f"number {value}"
    return bad_request(
        f"json: cannot unmarshal {found} into Go struct field {struct}.{field} of type {wanted}"
    )
