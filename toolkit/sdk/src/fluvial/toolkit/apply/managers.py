"""Field managers: who set what, and taking over from kubectl."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from fluvial.apis.ids import Unstructured

__all__ = ["Fields", "cleanup_patch", "entries", "merge_keys", "owned", "union"]

Fields = dict[str, Any]
"""A FieldsV1 tree."""

_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/checksum",
    "fluxcd.io/sync-checksum",
)
_LABELS = ("fluxcd.io/sync-gc-mark",)


def cleanup_patch(
    live: Unstructured, manager: str, override: Sequence[str] = ()
) -> list[Unstructured]:
    """Build the JSON patch that makes `manager` the heir of kubectl, empty if nothing is to do.

    Upstream's rule: every entry (but those of subresources) of kubectl, of client-side updates by
    `manager` itself, of `before-first-apply` and of any manager in `override`, by prefix, is folded
    into the Apply entry of `manager`. So their fields vanish with the next apply unless it has
    them. The patch holds the resourceVersion: an entry that is made meanwhile is not lost, the
    server answers 409.
    """
    metadata = live["metadata"]
    patch: list[Unstructured] = []
    for field, keys in (("annotations", _ANNOTATIONS), ("labels", _LABELS)):
        patch += [
            {
                "op": "remove",
                "path": f"/metadata/{field}/{key.replace('~', '~0').replace('/', '~1')}",
            }
            for key in keys
            if key in (metadata.get(field) or {})
        ]
    before = metadata.get("managedFields") or []
    after = _fold(before, manager, override)
    if after != before:
        patch.append({"op": "replace", "path": "/metadata/managedFields", "value": after})
    if patch:
        version = metadata.get("resourceVersion", "")
        patch.append({"op": "replace", "path": "/metadata/resourceVersion", "value": version})
    return patch


def _fold(before: list[Unstructured], manager: str, override: Sequence[str]) -> list[Unstructured]:
    heirs = [entry for entry in before if _is_apply_of(entry, manager)]
    left = [
        entry
        for entry in before
        if not _is_apply_of(entry, manager) and _is_foreign(entry, manager, override)
    ]
    if not left:
        return before
    heir = dict(heirs[0] if heirs else left[0]) | {"manager": manager, "operation": "Apply"}
    for entry in left if heirs else left[1:]:
        heir["fieldsV1"] = union(heir.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    gone = [*heirs, *left]
    return [*(entry for entry in before if not any(entry is one for one in gone)), heir]


def _is_apply_of(entry: Unstructured, manager: str) -> bool:
    return (
        entry.get("manager") == manager
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
    )


def _is_foreign(entry: Unstructured, manager: str, override: Sequence[str]) -> bool:
    if entry.get("subresource"):
        return False
    name = entry.get("manager") or ""
    if name.startswith("kubectl") or (override and name.startswith(tuple(override))):
        return True
    return entry.get("operation") == "Update" and name.startswith(("before-first-apply", manager))


def union(left: Fields, right: Fields) -> Fields:
    """Join two FieldsV1 trees."""
    joined = dict(left)
    for key, below in right.items():
        joined[key] = union(joined[key], below) if key in joined else below
    return joined


def entries(
    live: Unstructured, operation: str | None = None, *, other_than: str = ""
) -> Iterator[Unstructured]:
    """Go through the managedFields entries of the object itself, without its subresources."""
    for entry in live["metadata"].get("managedFields") or ():
        if entry.get("subresource") or entry.get("manager") == other_than:
            continue
        if operation is None or entry.get("operation") == operation:
            yield entry


def owned(fields: Fields, path: Sequence[str | int], obj: Unstructured) -> bool:
    """Whether a FieldsV1 tree holds the field at `path` of `obj`, or something below or above it.

    A list index is translated to the key of the element: by its merge keys, as a set member, or
    by place.
    """
    value: Any = obj
    for step in path:
        value = _below(value, step)
        below = _step(fields, step, value)
        if below is None:
            return False
        if not below:
            # A leaf: an atomic value is owned whole.
            return True
        fields = below
    return True


def merge_keys(tree: Iterable[Fields], path: Sequence[str | int], obj: Unstructured) -> set[str]:
    """Name the merge keys that any of the trees uses for the list at `path`; empty if none does."""
    found: set[str] = set()
    for fields in tree:
        value: Any = obj
        here: Fields | None = fields
        for step in path:
            value = _below(value, step)
            here = _step(here, step, value) if here else None
        for key in here or ():
            if key.startswith("k:"):
                found |= set(msgspec.json.decode(key[2:], type=dict[str, Any]))
    return found


def _below(value: Any, step: str | int) -> Any:
    if isinstance(value, list) and isinstance(step, int):
        return value[step] if step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def _step(fields: Fields, step: str | int, element: Any) -> Fields | None:
    if isinstance(step, str):
        return fields.get(f"f:{step}")
    for key, below in fields.items():
        if key.startswith("k:") and isinstance(element, dict):
            wanted = msgspec.json.decode(key[2:], type=dict[str, Any])
            if all(element.get(name) == value for name, value in wanted.items()):
                return below if isinstance(below, dict) else {}
        elif key.startswith("v:") and msgspec.json.decode(key[2:]) == element:
            return {}
    return fields.get(f"i:{step}")
