"""Who owns which fields: `metadata.managedFields` in memory and on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from fluvial.cluster.fields.paths import FieldSet, decode_fields, encode_fields

__all__ = ["Entry", "Key", "Managers", "Operation", "keep_times"]

Operation = Literal["Apply", "Update"]

ANCIENT = "ancient-changes"
MAX_UPDATE_ENTRIES = 10


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The identity of an entry. An applier is the same in every version: it has none here."""

    manager: str
    operation: str
    api_version: str
    subresource: str

    @classmethod
    def of(cls, manager: str, operation: str, version: str, subresource: str) -> Key:
        """Return the identity of a manager that writes with one operation."""
        return cls(manager, operation, "" if operation == "Apply" else version, subresource)

    def text(self) -> str:
        """Return the manager as conflicts print it."""
        text = _quoted(self.manager)
        if self.subresource:
            text += f" with subresource {_quoted(self.subresource)}"
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


@dataclass(frozen=True, slots=True)
class Entry:
    """What one manager owns, in the version that it was written in."""

    version: str
    fields: FieldSet
    time: str | None = None

    def without(self, fields: FieldSet) -> Entry:
        """Return the entry less some fields."""
        left = self.fields - fields
        return self if len(left) == len(self.fields) else Entry(self.version, left, self.time)


@dataclass(slots=True)
class Managers:
    """All entries of one object. Entries that own nothing are dropped on the wire."""

    entries: dict[Key, Entry] = field(default_factory=dict)

    @classmethod
    def decode(cls, wire: Any) -> Managers:
        """Read `metadata.managedFields`.

        Raises ValueError for entries with an unknown operation, fields type or path element.
        """
        entries: dict[Key, Entry] = {}
        for item in wire or ():
            operation = item.get("operation", "")
            if operation not in {"Apply", "Update"}:
                raise ValueError(
                    f"operation is `{operation}` in managedFields, not Apply or Update"
                )
            if item.get("fieldsType", "") != "FieldsV1":
                raise ValueError("fieldsType in managedFields must be FieldsV1")
            version = item.get("apiVersion", "")
            key = Key.of(item.get("manager", ""), operation, version, item.get("subresource", ""))
            fields = decode_fields(item.get("fieldsV1") or {})
            entries[key] = Entry(version, fields, item.get("time"))
        return cls(entries)

    def encode(self) -> list[dict[str, Any]]:
        """Return the wire form: by operation, time in seconds, manager, version, subresource.

        It shares parts with others: whoever keeps it takes a copy.
        """
        rows = [(key, entry) for key, entry in self.entries.items() if entry.fields]
        rows.sort(
            key=lambda row: (
                row[0].operation,
                _seconds(row[1].time),
                row[0].manager,
                row[1].version,
                row[0].subresource,
            )
        )
        return [_encoded(key, entry) for key, entry in rows]

    def drop_empty(self) -> None:
        """Forget the managers that own nothing."""
        self.entries = {key: entry for key, entry in self.entries.items() if entry.fields}

    def cap_updates(self, limit: int = MAX_UPDATE_ENTRIES) -> None:
        """Merge the oldest update entries of one version into one when there are too many."""
        updaters = sorted(
            (key for key in self.entries if key.operation == "Update"),
            key=lambda key: (_seconds(self.entries[key].time), key),
        )
        surplus = len(updaters) - limit
        first: dict[str, Key] = {}
        for key in updaters:
            if surplus <= 0:
                return
            entry = self.entries[key]
            if entry.version not in first:
                first[entry.version] = key
                continue
            bucket = Key(ANCIENT, "Update", entry.version, "")
            if bucket not in self.entries:
                self.entries[bucket] = self.entries.pop(first[entry.version])
            fields = self.entries[bucket].fields | entry.fields
            if key != bucket:
                del self.entries[key]
            self.entries[bucket] = Entry(entry.version, fields, entry.time)
            surplus -= 1

    def owned(self) -> FieldSet:
        """Return the fields that anybody owns."""
        return frozenset().union(*(entry.fields for entry in self.entries.values()))


def _encoded(key: Key, entry: Entry) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "manager": key.manager,
        "operation": key.operation,
        "apiVersion": entry.version,
    }
    if entry.time:
        wire["time"] = entry.time
    wire["fieldsType"] = "FieldsV1"
    wire["fieldsV1"] = encode_fields(entry.fields)
    if key.subresource:
        wire["subresource"] = key.subresource
    return wire


def _seconds(time: str | None) -> int:
    return int(datetime.fromisoformat(time).timestamp()) if time else 0


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def keep_times(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return `new`, or `old` where only times in managedFields tell them apart.

    To be called again on what defaulting made of a written object: a write that changes nothing
    keeps the resource version, and so must not move a time.
    """
    old_meta, new_meta = old.get("metadata") or {}, new.get("metadata") or {}
    left = _timeless(new_meta.get("managedFields"))
    for row in _timeless(old_meta.get("managedFields")):
        if row not in left:
            return new
        left.remove(row)
    if left:
        return new
    managed = old_meta.get("managedFields")
    settled = {**new_meta, "managedFields": managed} if managed else new_meta
    candidate = {**new, "metadata": settled}
    return old if candidate == old else new


def _timeless(wire: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [{k: v for k, v in item.items() if k != "time"} for item in wire or ()]
