"""The annotation that ties client-side and server-side `kubectl apply` together."""

from __future__ import annotations

from typing import Any

import msgspec

from fluvial.cluster.fields.errors import TypedObjectError
from fluvial.cluster.fields.paths import FieldSet
from fluvial.cluster.fields.schema import Schema
from fluvial.cluster.fields.typed import check, field_set

__all__ = ["LAST_APPLIED", "allowed_conflicts", "sync_last_applied"]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def _annotation(item: dict[str, Any]) -> str | None:
    annotations = (item.get("metadata") or {}).get("annotations") or {}
    value = annotations.get(LAST_APPLIED)
    return value if isinstance(value, str) else None


def allowed_conflicts(live: dict[str, Any], schema: Schema) -> FieldSet:
    """Return the fields that kubectl owned client-side and may take over server-side."""
    text = _annotation(live)
    if not text:
        return frozenset()
    try:
        applied = msgspec.json.decode(text)
        check(schema, applied)
    except (msgspec.DecodeError, TypedObjectError):
        return frozenset()
    return field_set(schema, applied)


def sync_last_applied(item: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return the object with the annotation, where it has one, telling what was applied now."""
    if _annotation(item) is None:
        return item
    metadata = {k: v for k, v in patch["metadata"].items() if k != "managedFields"}
    annotations = {
        k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED
    }
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
    text = msgspec.json.encode({**patch, "metadata": metadata}, order="sorted").decode() + "\n"
    live_metadata = item["metadata"]
    return {
        **item,
        "metadata": {
            **live_metadata,
            "annotations": {**live_metadata["annotations"], LAST_APPLIED: text},
        },
    }
