"""A schema of one's own (`openapi.path`): what merging must know, out of OpenAPI definitions."""

from typing import Any

from fluvial.render.kustomize._errors import KustomizationError
from fluvial.render.kustomize._schema import Field, Schema
from fluvial.render.yaml import YamlError, load

__all__ = ["read_schema"]

_KINDS = "x-kubernetes-group-version-kind"


def read_schema(content: bytes, file: str) -> Schema:
    """Read a schema file, JSON or YAML. Raises KustomizationError when it is none.

    It takes the place of the built-in schema: kinds that it does not define have no merge keys.
    """
    try:
        document = load(content, file=file)
    except YamlError as error:
        raise KustomizationError(f"cannot parse the schema: {error}") from None
    definitions = document.get("definitions", {}) if isinstance(document, dict) else None
    if not isinstance(definitions, dict):
        raise KustomizationError("the schema must be a map with definitions", file=file)
    schema = Schema(kinds={}, types={})
    for name, definition in definitions.items():
        if not isinstance(definition, dict):
            raise KustomizationError(f"the definition {name!r} is no map", file=file)
        _add(schema, name, definition)
        for kind in definition.get(_KINDS) or ():
            group, version = kind.get("group") or "", kind.get("version") or ""
            api_version = f"{group}/{version}" if group else version
            schema.kinds[f"{api_version}/{kind.get('kind')}"] = name
    return schema


def _add(schema: Schema, name: str, definition: dict[str, Any]) -> None:
    """Add a type and those that are written inside it, which get names of their own."""
    fields: dict[str, Field] = {}
    schema.types[name] = fields
    for field, body in (definition.get("properties") or {}).items():
        fields[field] = Field(_type_of(schema, f"{name}.{field}", body), _keys(body))


def _type_of(schema: Schema, name: str, body: dict[str, Any]) -> str:
    """Return the name of the type that a field, or the items of its list, has."""
    inner = body.get("items") or body
    if "$ref" in inner:
        return str(inner["$ref"]).rpartition("/")[2]
    if inner.get("properties"):
        _add(schema, name, inner)
        return name
    return ""


def _keys(body: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the merge keys of a list; None when it is replaced as a whole."""
    if "merge" not in str(body.get("x-kubernetes-patch-strategy", "")).split(","):
        return None
    key = body.get("x-kubernetes-patch-merge-key")
    return tuple(body.get("x-kubernetes-list-map-keys") or ([key] if key else ()))
