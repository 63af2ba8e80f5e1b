"""Schemas of custom kinds, from the OpenAPI schema of their definition."""

from __future__ import annotations

from typing import Any

from fluvial.cluster.fields.builtin import schema_for_builtin
from fluvial.cluster.fields.schema import Schema, deduced, leaf

__all__ = ["schema_from_crd"]

_STATUS_RESET = {"": (("f:status",),), "status": (("f:spec",), ("f:metadata",))}


def schema_from_crd(
    openapi_v3_schema: dict[str, Any],
    *,
    kind: str = "",
    api_version: str = "",
    status_subresource: bool = False,
) -> Schema:
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
    return root.with_metadata(
        fields=fields,
        kind=kind,
        api_version=api_version,
        zero={},
        reset=_STATUS_RESET if status_subresource else {},
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
    map_type = "atomic" if schema.get("x-kubernetes-map-type") == "atomic" else "granular"
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
