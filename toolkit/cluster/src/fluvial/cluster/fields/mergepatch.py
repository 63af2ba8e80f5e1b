"""JSON merge patch (RFC 7396)."""

from __future__ import annotations

from typing import Any

from fluvial.cluster.fields.values import equal

__all__ = ["diff_merge", "patch_merge"]


def patch_merge(doc: Any, patch: Any) -> Any:
    """Return a document with a merge patch carried out; null removes a key."""
    if not isinstance(patch, dict):
        return patch
    out = dict(doc) if isinstance(doc, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = patch_merge(out.get(name), value)
    return out


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
