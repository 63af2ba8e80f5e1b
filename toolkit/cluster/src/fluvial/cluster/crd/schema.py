"""One served version of a custom resource: its schema and the paths of its subresources."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from fluvial.cluster import fields
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

if TYPE_CHECKING:
    from fluvial.cluster.resources import Resource

__all__ = ["Conversion", "CustomVersion"]


@dataclasses.dataclass(frozen=True, slots=True)
class Conversion:
    """The webhook that converts versions: its `clientConfig`, and the versions of its reviews."""

    client: Object
    reviews: tuple[str, ...]


@dataclasses.dataclass(slots=True, eq=False)
class CustomVersion:
    """What a definition says of one version.

    `openapi` is the schema as written; `storage` is the resource of the storage version (set
    once all versions are known); `columns` are the additional printer columns; `scale` holds the
    three paths of the scale subresource; `selectable` the selectable fields' paths;
    `conversion` is the webhook that converts between versions, if one does; `versions` are the
    resources of all versions by apiVersion, served or not (set with `storage`).
    """

    openapi: dict[str, Any]
    schema: fields.CustomSchema
    definition: str
    columns: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    has_status: bool = False
    scale: dict[str, str] | None = None
    selectable: tuple[str, ...] = ()
    storage: Resource | None = None
    deprecation: str = ""
    accepts: bool = True
    conversion: Conversion | None = None
    versions: dict[str, Resource] = dataclasses.field(default_factory=dict)

    def decode(self, obj: Object, *, nulls: bool = True) -> list[str]:
        """Prune and default a body, in place; returns the paths of what was dropped.

        `nulls` drops nulls that are not allowed, as is done with bodies but not after an apply.
        """
        unknown = self.schema.prune(obj)
        self.schema.default(obj, nulls=nulls)
        return unknown

    def validate(self, obj: Object, old: Object | None, subresource: str = "") -> list[Cause]:
        """Return what breaks the schema or its rules; of a status, what breaks its own."""
        of_status = subresource == "status"
        check = self.schema.validate_status if of_status else self.schema.validate
        return [
            {"reason": error.type, "message": error.message, "field": error.field}
            for error in check(obj, old)
        ]


def _whole_numbers(value: Any) -> Any:
    """Write floats without a fraction as Go does: `1.0` is `1`."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = _whole_numbers(item)
    elif isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return value
