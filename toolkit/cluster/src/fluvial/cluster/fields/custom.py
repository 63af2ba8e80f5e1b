"""Schemas of custom kinds, from the OpenAPI schema of their definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from fluvial.cluster.fields import pruning
from fluvial.cluster.fields.builtin import schema_for_builtin
from fluvial.cluster.fields.cel import has_rules, rule_errors
from fluvial.cluster.fields.errors import FieldError
from fluvial.cluster.fields.schema import MISSING, Schema, deduced, leaf
from fluvial.cluster.fields.validation import validate_embedded, validate_lists, validate_schema
from fluvial.cluster.fields.values import settle_numbers

__all__ = ["CustomSchema", "schema_from_crd"]

_STATUS_RESET = {"": (("f:status",),), "status": (("f:spec",), ("f:metadata",))}
_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
_NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


@dataclass(slots=True, eq=False)
class CustomSchema(Schema):
    """The schema of one version of a custom kind, with what its definition demands."""

    openapi: dict[str, Any] = field(default_factory=dict)
    rules: bool = False

    def prune(self, obj: dict[str, Any]) -> list[str]:
        """Remove unknown fields, in place; returns their paths (`spec.o.y`), sorted.

        Numbers are brought into the form in which they are kept.
        """
        for name in obj.keys() - {"metadata"}:
            obj[name] = settle_numbers(obj[name])
        found = pruning.prune(
            self.openapi, obj, resource=True, metadata=self.fields["metadata"], path=""
        )
        return sorted(found)

    def default(self, obj: dict[str, Any], *, nulls: bool = True) -> None:
        """Fill in defaults, in place.

        `nulls` also drops nulls where null is not allowed and there is no default, as decoding
        a body does and applying does not.
        """
        if nulls:
            pruning.drop_nulls(self.openapi, obj)
        pruning.default(self.openapi, obj)

    def validate(self, obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[FieldError]:
        """Return what breaks the schema; `old` is the object that is replaced."""
        return self._validate(self.openapi, obj, MISSING if old is None else old, "")

    def validate_status(
        self, obj: dict[str, Any], old: dict[str, Any] | None = None
    ) -> list[FieldError]:
        """Return what breaks the schema of status, for writes to the status subresource."""
        schema = (self.openapi.get("properties") or {}).get("status")
        if schema is None or "status" not in obj:
            return []
        before = (old or {}).get("status", MISSING)
        found = validate_schema(schema, obj["status"], before)
        errors = [FieldError(e.type, _below("status", e.field), e.value, e.detail) for e in found]
        errors += validate_lists(schema, obj["status"], before, "status")
        return errors + self._rule_errors(schema, obj["status"], before, "status", errors)

    def _validate(
        self, schema: dict[str, Any], value: Any, old: Any, path: str
    ) -> list[FieldError]:
        errors = validate_schema(schema, value, old, path)
        errors += validate_lists(schema, value, old, path)
        errors += validate_embedded(schema, value, old, path)
        return errors + self._rule_errors(schema, value, old, path, errors)

    def _rule_errors(
        self, schema: dict[str, Any], value: Any, old: Any, path: str, errors: list[FieldError]
    ) -> list[FieldError]:
        if not self.rules:
            return []
        if any(error.type in _BLOCKING for error in errors):
            return [FieldError("FieldValueInvalid", "<nil>", None, _NOT_CHECKED)]
        return list(rule_errors(schema, value, old, path))


def _below(prefix: str, name: str) -> str:
    return name if name == "<nil>" else f"{prefix}.{name}" if name else prefix


def schema_from_crd(
    openapi_v3_schema: dict[str, Any],
    *,
    kind: str = "",
    api_version: str = "",
    status_subresource: bool = False,
) -> CustomSchema:
    """Return the schema of one version of a custom kind.

    apiVersion, kind and metadata are added, as the server does. `status_subresource` says whether
    writes to the main resource leave status alone.
    """
    root = _node(openapi_v3_schema)
    if not root.map_type:
        root = deduced().with_metadata()
    fields = dict(root.fields)
    fields["apiVersion"] = fields["kind"] = leaf("string")
    fields["metadata"] = _object_meta()
    return CustomSchema(
        map_type=root.map_type,
        fields=fields,
        values=root.values,
        kind=kind,
        api_version=api_version,
        reset=_STATUS_RESET if status_subresource else {},
        openapi=openapi_v3_schema,
        rules=has_rules(openapi_v3_schema),
    )


def _object_meta() -> Schema:
    return schema_for_builtin("", "v1", "ConfigMap").fields["metadata"]


def _node(schema: dict[str, Any]) -> Schema:
    preserve = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if schema.get("x-kubernetes-int-or-string"):
        return leaf()
    match schema.get("type"):
        case "object":
            return _map(schema, preserve)
        case "array":
            return _list(schema)
        case "string":
            return leaf("string")
        case "integer" | "number":
            return leaf("numeric")
        case "boolean":
            return leaf("boolean")
        case _:
            return deduced()


def _map(schema: dict[str, Any], preserve: bool) -> Schema:
    map_type: Literal["granular", "atomic"] = "granular"
    if schema.get("x-kubernetes-map-type") == "atomic":
        map_type = "atomic"
    fields = {name: _node(child) for name, child in (schema.get("properties") or {}).items()}
    values: Schema | None = None
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        values = _node(additional)
    elif additional or preserve:
        values = deduced()
    if schema.get("x-kubernetes-embedded-resource"):
        fields.setdefault("apiVersion", leaf("string"))
        fields.setdefault("kind", leaf("string"))
        fields.setdefault("metadata", _object_meta())
    return Schema(map_type=map_type, fields=fields, values=values)


def _list(schema: dict[str, Any]) -> Schema:
    items = _node(schema.get("items") or {})
    match schema.get("x-kubernetes-list-type"):
        case "set":
            return Schema(list_type="set", items=items)
        case "map":
            keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
            properties = (schema.get("items") or {}).get("properties") or {}
            defaults = {
                key: properties[key]["default"]
                for key in keys
                if "default" in properties.get(key, {})
            }
            return Schema(list_type="map", items=items, keys=keys, key_defaults=defaults)
        case _:
            return Schema(list_type="atomic", items=items)
