"""The rules of one kind, as the verbs ask for them.

A strategy is stateless. `Strategy` is right for a kind without rules of its own; the modules
beside this one refine it per kind family.
"""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from fluvial.cluster.builtin.metadata import finalizer_errors
from fluvial.cluster.errors import Cause, StatusError, bad_request
from fluvial.cluster.names import dns_subdomain_errors
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["Context", "Strategy"]


@dataclasses.dataclass(slots=True)
class Context:
    """What a strategy may ask of its surroundings.

    `find` reads a stored object by resource text, namespace and name; `dry_run` forbids
    allocations to stay; `user` is who writes, as a `UserInfo`.
    """

    find: Callable[[str, str, str], Object | None]
    dry_run: bool = False
    user: Object = dataclasses.field(default_factory=dict)
    subresource: str = ""


class Strategy:
    """Defaulting, preparation and validation of one kind.

    Attributes say how the generic verbs treat it: `generation` whether `metadata.generation` is
    kept, `status` whether status is a part written only through its subresource,
    `create_on_update` whether PUT creates, `needs_version` whether PUT needs a resource version,
    `returns_deleted` whether DELETE answers with the object, `collection_policy` what happens
    to dependents by default (`background`, `orphan`, or empty for never finalized),
    `status_keeps` which parts of the metadata a write to the status leaves as they are.
    """

    generation = True
    deletion_generation = True
    status = True
    create_on_update = False
    needs_version = False
    returns_deleted = False
    collection_policy = "background"
    status_keeps: tuple[str, ...] = ()
    field_labels: tuple[str, ...] = ()
    name_errors: Callable[[str], list[str]] = staticmethod(dns_subdomain_errors)

    def default(self, obj: Object) -> None:
        """Fill in defaults, in place, as decoding does."""

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Change an object about to be created (status reset, allocations)."""
        if self.status:
            obj.pop("status", None)

    def undo_create(self, obj: Object) -> None:
        """Give back what `prepare_create` took: the create was refused after all."""

    def prepare_update(self, obj: Object, old: Object, context: Context) -> None:
        """Change an object about to replace `old`."""

    def narrowed(self, obj: Object, old: Object, subresource: str) -> Object:
        """Return `old` with what this subresource (other than status) may change of `obj`."""
        return obj

    def prepare_status(self, obj: Object, old: Object) -> None:
        """Change an object about to replace the status of `old`; status may hold more."""

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Return what is wrong with the object by itself."""
        return []

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Return what is wrong with the change."""
        return []

    def validate_status(self, obj: Object, old: Object) -> list[Cause]:
        """Return what is wrong with a write to the status."""
        return []

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Return what the writer should be told."""
        return []

    def finalizer_errors(self, name: str, field: str) -> list[Cause]:
        """Return what is wrong with one finalizer."""
        return finalizer_errors(name, field)

    def deleted(self, obj: Object) -> None:
        """Release what was allocated to an object that is gone."""

    def grace(self, obj: Object, asked: int | None) -> int:
        """Return the seconds between a delete and the end; most kinds have none."""
        return 0

    def changes_generation(self, obj: Object, old: Object) -> bool:
        """Tell whether an update raises `metadata.generation`: anything but metadata, status."""
        skipped = (
            ("metadata", "status", "apiVersion", "kind")
            if self.status
            else (
                "metadata",
                "apiVersion",
                "kind",
            )
        )
        keys = (set(obj) | set(old)).difference(skipped)
        return any(obj.get(key) != old.get(key) for key in keys)

    def check_field_label(self, resource: Resource, label: str) -> None:
        """Raise the 400 for a field label that cannot be selected."""
        known = ("metadata.name", "metadata.namespace", *self.field_labels)
        if label not in known:
            raise self.unknown_field_label(resource, label)

    def unknown_field_label(self, resource: Resource, label: str) -> StatusError:
        """Return the 400 in the wording that suits the kind."""
        if self.field_labels:
            return bad_request(f"field label not supported: {label}")
        return bad_request(
            f'"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"'
        )

    def field_value(self, obj: Object, label: str) -> str:
        """Return the text of a selectable field."""
        value: Any = obj
        for part in label.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            return ""
        return str(value).lower() if isinstance(value, bool) else str(value)
