"""JSON merge patch (RFC 7396)."""

from __future__ import annotations

from typing import Any

from fluvial.cluster.fields.errors import BadPatch, not_an_object
from fluvial.cluster.fields.values import copied, equal

__all__ = ["diff_merge", "patch_merge"]


def patch_merge(doc: Any, patch: Any) -> Any:
    """Return a document of the caller's own with a merge patch carried out; null removes a key.

    Unlike RFC 7396, and like the API server, a patch that is no object is refused: `BadPatch`.
    """
    if patch is None:
        raise BadPatch("Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise BadPatch(f"error decoding patch: {not_an_object(patch)}")
    out = copied(doc) if isinstance(doc, dict) else {}
    _merge_into(out, patch)
    return out


def _merge_into(doc: dict[str, Any], patch: dict[str, Any]) -> None:
    for name, value in patch.items():
        if value is None:
            doc.pop(name, None)
        elif isinstance(value, dict):
            if not isinstance(doc.get(name), dict):
                doc[name] = {}
            _merge_into(doc[name], value)
        else:
            doc[name] = copied(value)


def diff_merge(old: Any, new: Any) -> Any:
    """Return the smallest merge patch that makes `new` of `old`.

    A merge patch cannot set null: objects that hold null inside a map do not round trip.
    """
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old or not equal(old[name], value):
            patch[name] = diff_merge(old.get(name), value)
    return patch
