"""Server-side apply, and tracking who owns what through all other writes.

The rules are those of structured-merge-diff and of the field manager of apimachinery. An object
is merged with what a manager applies; fields that the manager applied before and leaves out now
are removed unless somebody else owns them; changing a field of another manager is a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from fluvial.cluster.fields.compare import Comparison, compare
from fluvial.cluster.fields.errors import ApplyConflict, BadPatch, ConflictCause, TypedObjectError
from fluvial.cluster.fields.lastapplied import allowed_conflicts, sync_last_applied
from fluvial.cluster.fields.managed import Entry, Key, Managers, Operation, keep_times
from fluvial.cluster.fields.merge import fitted, merge, named_members, remove
from fluvial.cluster.fields.paths import FieldSet, Path, path_text, without_subtrees
from fluvial.cluster.fields.schema import Schema
from fluvial.cluster.fields.typed import ItemError, check, field_set
from fluvial.cluster.fields.values import copied, equal

__all__ = ["apply", "track_update"]

Object = dict[str, Any]

BEFORE_FIRST_APPLY = "before-first-apply"
KUBECTL = "kubectl"

_NOTHING: tuple[Any, ...] = (None, {}, [])

# What nobody owns: identity and what the server sets.
_NEVER_OWNED: FieldSet = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName",
            "generation", "managedFields", "resourceVersion",
        )
    }
)  # fmt: skip


def apply(
    live: Object | None,
    patch: Object,
    *,
    manager: str,
    subresource: str = "",
    schema: Schema,
    force: bool,
    now: str,
    version: str,
) -> Object:
    """Return what server-side apply makes of an object, as an object of the caller's own.

    `live` is None for an object that does not exist yet, `version` the apiVersion of the
    endpoint, `now` an RFC 3339 time in seconds. When nothing changes, the result equals `live`,
    times in managedFields included; after defaulting, ask `managed.keep_times` again. Nulls that
    were applied are still there: decoding a built-in object drops those that its type never
    writes.

    Raises `BadPatch` for another version or for managedFields in the patch, `TypedObjectError`
    for what does not fit the schema, `ApplyConflict` without `force`.
    """
    _check_patch(patch, schema, version)
    current = _without_managed(live) if live is not None else _zero(schema, version, patch)
    try:
        check(schema, patch)
    except TypedObjectError as error:
        raise TypedObjectError(
            f"failed to create typed patch object ({_described(patch, version)}): {error}"
        ) from None
    try:
        check(schema, current, duplicates=True)
    except TypedObjectError as error:
        raise TypedObjectError(
            f"failed to create typed live object ({_described(current, version)}): {error}"
        ) from None

    managers = _decoded(live)
    if live is not None and not managers.entries:
        managers = _first_owner(current, schema, version, now)
    writer = _Writer(schema, version, subresource)
    key = Key.of(manager or "unknown", "Apply", version, subresource)
    try:
        applied, managers = writer.apply(current, patch, managers, key, force)
    except ApplyConflict as conflict:
        if manager != KUBECTL or live is None:
            raise
        applied, managers = _retry_for_kubectl(
            writer, conflict=conflict, live=current, patch=patch, managers=managers, key=key
        )
    if key in managers.entries and (live is None or not equal(applied, current)):
        # A change of owners alone moves no time: a new owner then has none at all.
        entry = managers.entries[key]
        managers.entries[key] = Entry(entry.version, entry.fields, now)
    if manager == KUBECTL:
        applied = sync_last_applied(applied, patch)
    result = _with_managed(applied, managers)
    return copied(keep_times(live, result) if live is not None else result)


def track_update(
    old: Object | None,
    new: Object,
    *,
    manager: str,
    operation: Operation = "Update",
    subresource: str = "",
    schema: Schema,
    now: str,
    version: str,
) -> Object:
    """Return `new` with managedFields that say what `manager` changed in it.

    `new` is the whole object after defaulting, `old` the one before, None for a creation. A
    write may replace managedFields; `[]` and `[{}]` clear them, after which updates are not
    tracked until the next apply.
    """
    managers = _requested(old, new, subresource)
    body = _without_managed(new)
    if managers is None:
        return copied(body)
    exists = old is not None and bool((old.get("metadata") or {}).get("uid"))
    if not managers.entries and exists:
        return copied(body)
    before = _without_managed(old) if old is not None else _zero(schema, version, new)
    writer = _Writer(schema, version, subresource)
    key = Key.of(manager or "unknown", operation, version, subresource)
    managers = writer.update(before, body, managers, key, now)
    managers.cap_updates()
    result = _with_managed(body, managers)
    return copied(keep_times(old, result) if old is not None else result)


class _Writer:
    """One write to one version of a kind."""

    def __init__(self, schema: Schema, version: str, subresource: str) -> None:
        self.schema = schema
        self.version = version
        self.ignored: FieldSet = frozenset(schema.reset.get(subresource, ()))

    def fit(self, managers: Managers) -> Managers:
        """Bring what managers own in line with a schema that changed since."""
        if self.schema.builtin:
            return managers
        return Managers(
            {
                key: Entry(entry.version, fitted(self.schema, entry.fields), entry.time)
                for key, entry in managers.entries.items()
            }
        )

    def apply(
        self, live: Object, patch: Object, managers: Managers, key: Key, force: bool
    ) -> tuple[Object, Managers]:
        managers = self.fit(managers)
        merged = merge(self.schema, live, patch)
        own = without_subtrees(field_set(self.schema, patch), self.ignored)
        last = managers.entries.get(key)
        entries = dict(managers.entries)
        entries[key] = Entry(self.version, own, last.time if last else None)
        after = Managers(entries)
        if last is not None and not (last.fields <= own and _is_filled(patch)):
            merged = self._pruned(merged, after, last.fields)
        after, _ = self._take(live, merged, after, key, force)
        if key in after.entries:
            after.entries[key] = after.entries[key].without(_NEVER_OWNED)
        after.drop_empty()
        return merged, after

    def update(self, live: Object, new: Object, managers: Managers, key: Key, now: str) -> Managers:
        try:
            after, difference = self._take(live, new, self.fit(managers), None, force=True)
        except ItemError:
            return managers  # an object that does not fit its schema is stored, not tracked
        gained = without_subtrees(difference.modified | difference.added, self.ignored)
        gained -= _NEVER_OWNED
        if gained:
            previous = after.entries.get(key)
            fields = gained | (previous.fields if previous else frozenset())
            after.entries[key] = Entry(self.version, fields, now)
        return after

    def _take(
        self, live: Object, new: Object, managers: Managers, key: Key | None, force: bool
    ) -> tuple[Managers, Comparison]:
        """Take what changed from everybody but `key`; raises `ApplyConflict` without force."""
        difference = compare(self.schema, live, new).without(self.ignored)
        changed = difference.modified | difference.added
        conflicts = {
            other: found
            for other, entry in managers.entries.items()
            if other != key and (found := entry.fields & changed)
        }
        if conflicts and not force:
            raise _conflict(conflicts)
        after: dict[Key, Entry] = {}
        for other, entry in managers.entries.items():
            kept = entry if other == key else entry.without(changed | difference.removed)
            if kept.fields:
                after[other] = kept
        return Managers(after), difference

    def _pruned(self, merged: Object, managers: Managers, last: FieldSet) -> Object:
        """Remove what was applied last time, is no longer, and belongs to nobody else.

        That is nothing where all of it is applied again and `_is_filled`.
        """
        schema = self.schema
        last = named_members(schema, last)
        pruned = remove(schema, merged, last)
        all_fields = named_members(schema, field_set(schema, merged))
        kept = named_members(schema, field_set(schema, pruned))
        owned = named_members(schema, managers.owned())
        pruned = remove(schema, merged, all_fields - (kept | owned))
        kept = named_members(schema, field_set(schema, pruned))
        result: Object = remove(schema, merged, (all_fields - kept) & last)
        return result


def _is_filled(patch: Any) -> bool:
    """Tell whether every map and list in a patch holds something, and nothing is null.

    Only below what is empty or null may everything be somebody else's, or nobody's.
    """
    parts: Iterable[Any] = ()
    if isinstance(patch, dict):
        parts = patch.values()
    elif isinstance(patch, list):
        parts = patch
    return all(
        part.__class__ is str or (part not in _NOTHING and _is_filled(part)) for part in parts
    )


def _retry_for_kubectl(
    writer: _Writer,
    *,
    conflict: ApplyConflict,
    live: Object,
    patch: Object,
    managers: Managers,
    key: Key,
) -> tuple[Object, Managers]:
    """Take over what `kubectl apply` owned client-side; other conflicts stay."""
    allowed = {path_text(path) for path in allowed_conflicts(live, writer.schema)}
    left = tuple(cause for cause in conflict.causes if cause.field not in allowed)
    if left:
        raise ApplyConflict(_conflict_message(left), left)
    return writer.apply(live, patch, managers, key, force=True)


def _check_patch(patch: Object, schema: Schema, version: str) -> None:
    api_version, kind = patch.get("apiVersion") or "", patch.get("kind") or ""
    if api_version != version or (schema.kind and kind != schema.kind):
        group_version = api_version if "/" in api_version else f"/{api_version}"
        raise BadPatch(f"invalid object type: {group_version}, Kind={kind}")
    if (patch.get("metadata") or {}).get("managedFields") is not None:
        raise BadPatch("metadata.managedFields must be nil")


def _described(item: Object, version: str) -> str:
    metadata = item.get("metadata") or {}
    name = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
    group_version = version if "/" in version else f"/{version}"
    return f"{name}; {group_version}, Kind={item.get('kind') or ''}"


def _zero(schema: Schema, version: str, like: Object) -> Object:
    zero = {"apiVersion": version, "kind": like.get("kind", schema.kind)}
    return {**zero, **deepcopy(dict(schema.zero))}


def _first_owner(live: Object, schema: Schema, version: str, now: str) -> Managers:
    """Attribute an object that nobody was tracked on to one manager, as if it updated it all."""
    key = Key.of(BEFORE_FIRST_APPLY, "Update", version, "")
    zero = _zero(schema, version, live)
    return _Writer(schema, version, "").update(zero, live, Managers(), key, now)


def _decoded(live: Object | None) -> Managers:
    metadata = (live or {}).get("metadata") or {}
    try:
        return Managers.decode(metadata.get("managedFields"))
    except (ValueError, AttributeError, TypeError):
        return Managers()


def _requested(old: Object | None, new: Object, subresource: str) -> Managers | None:
    """Return the managers that a write starts from, None when it clears them."""
    wanted = (new.get("metadata") or {}).get("managedFields")
    if subresource:
        return _decoded(old)
    if wanted == [{}] or (wanted == [] and old is not None):
        return None
    found = _decoded(new)
    return found if found.entries else _decoded(old)


def _without_managed(item: Object) -> Object:
    metadata = item.get("metadata") or {}
    if "managedFields" not in metadata:
        return item
    return {**item, "metadata": {k: v for k, v in metadata.items() if k != "managedFields"}}


def _with_managed(item: Object, managers: Managers) -> Object:
    wire = managers.encode()
    metadata = dict(item.get("metadata") or {})
    if wire:
        metadata["managedFields"] = wire
    return {**item, "metadata": metadata}


def _conflict(conflicts: Mapping[Key, FieldSet]) -> ApplyConflict:
    causes = tuple(
        ConflictCause(key.text(), path_text(path))
        for key in sorted(conflicts)
        for path in sorted(conflicts[key], key=_printed)
    )
    return ApplyConflict(_conflict_message(causes), causes)


def _printed(path: Path) -> str:
    return path_text(path)


def _conflict_message(causes: tuple[ConflictCause, ...]) -> str:
    if len(causes) == 1:
        return f"Apply failed with 1 conflict: conflict with {causes[0].manager}: {causes[0].field}"
    grouped: dict[str, list[str]] = {}
    for cause in causes:
        grouped.setdefault(cause.manager, []).append(cause.field)
    parts = [
        f"conflicts with {manager}:\n" + "\n".join(f"- {name}" for name in names)
        for manager, names in grouped.items()
    ]
    return f"Apply failed with {len(causes)} conflicts: " + "\n".join(parts)
