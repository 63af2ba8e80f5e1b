"""What field ownership and patches know of a type: a graph of `Schema` nodes.

A node says which forms its value may take. Most nodes have one form; nodes without a declared
type have several, and then the value decides (`form_of`). Built-in types come from the table in
`builtin`, custom ones from their OpenAPI schema, and kinds of which nothing is known are deduced:
maps are merged, lists are atomic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

__all__ = ["MISSING", "Form", "Missing", "Schema", "atomic", "deduced", "leaf"]

Form = Literal["map", "scalar", "list", "any"]
Scalar = Literal["string", "numeric", "boolean", "untyped"]


class Missing:
    """The type of `MISSING`: no value at all, unlike JSON's null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


@dataclass(slots=True, eq=False)
class Schema:
    """One node: the forms its value may take and how each is merged.

    `scalar` is the kind of scalar, or None where a scalar is not allowed. `list_type` and
    `map_type` are None where a list or a map is not allowed. A map may have declared `fields`
    and a schema for all other `values`; without the latter, other fields are not declared.
    `patch_strategy` and `merge_key` are those of strategic merge patches. `detail` is the
    type as the source of the schema names it (`int32`, `quantity`, …), for error messages.
    """

    scalar: Scalar | None = None
    map_type: Literal["granular", "atomic"] | None = None
    fields: dict[str, Schema] = field(default_factory=dict)
    values: Schema | None = None
    list_type: Literal["atomic", "set", "map"] | None = None
    items: Schema | None = None
    keys: tuple[str, ...] = ()
    key_defaults: Mapping[str, Any] = field(default_factory=dict)
    patch_strategy: frozenset[str] = frozenset()
    merge_key: str | None = None
    required: bool = False
    detail: str = ""
    # Of a whole kind only:
    kind: str = ""
    api_version: str = ""
    zero: Mapping[str, Any] = field(default_factory=dict)
    reset: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    builtin: bool = False

    def child(self, name: str) -> Schema | None:
        """Return the schema of a field or map value, or None where it is not declared."""
        return self.fields.get(name, self.values)

    def form_of(self, value: object) -> tuple[Form, bool]:
        """Return the form in which a value is treated, and whether the value decided it.

        Where it did not (null, or a value that does not fit), the order is map, scalar, list.
        """
        if isinstance(value, dict):
            if self.map_type:
                return "map", True
        elif isinstance(value, list):
            if self.list_type:
                return "list", True
        elif value is not None and value is not MISSING and self.scalar:
            return "scalar", True
        if self.map_type:
            return "map", False
        if self.scalar:
            return "scalar", False
        return ("list" if self.list_type else "any"), False

    @property
    def forms(self) -> int:
        """How many forms the value may take."""
        return bool(self.scalar) + bool(self.map_type) + bool(self.list_type)

    def unknown_fields(self, value: object, path: str = "") -> Iterator[str]:
        """Yield the paths of fields that are not declared, `spec.containers[0].nope`."""
        if isinstance(value, dict) and self.map_type:
            for name in value:
                node = self.child(name)
                where = f"{path}.{name}" if path else name
                if node is None:
                    yield where
                else:
                    yield from node.unknown_fields(value[name], where)
        elif isinstance(value, list) and self.list_type and self.items is not None:
            for index, item in enumerate(value):
                yield from self.items.unknown_fields(item, f"{path}[{index}]")

    def with_metadata(self, **changes: Any) -> Schema:
        """Return a copy for one place, sharing everything below."""
        return replace(self, **changes)


def leaf(kind: Scalar = "untyped", detail: str = "") -> Schema:
    """Return the schema of a scalar."""
    return Schema(scalar=kind, detail=detail)


def _self_nested(map_type: Literal["granular", "atomic"]) -> Schema:
    node = Schema(scalar="untyped", map_type=map_type, list_type="atomic")
    node.values = node
    return node


_DEDUCED = _self_nested("granular")
_ATOMIC = _self_nested("atomic")
# Items of lists of unknown type are inside a leaf: nothing below them is tracked.
_DEDUCED.items = _ATOMIC
_ATOMIC.items = _ATOMIC


def deduced() -> Schema:
    """Return the schema of a value of which nothing is known: maps merge, lists are atomic."""
    return _DEDUCED


def atomic() -> Schema:
    """Return the schema of a value of unknown type that is replaced as a whole."""
    return _ATOMIC
