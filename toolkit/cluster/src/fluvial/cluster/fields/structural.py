"""What the API server demands of the schema in a CustomResourceDefinition.

A schema has to be structural: every part of a value has a type, and conditions (`anyOf` and the
like) only narrow what is declared outside of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fluvial.cluster.fields.builtin import schema_for_builtin
from fluvial.cluster.fields.errors import FieldError
from fluvial.cluster.fields.pruning import prune
from fluvial.cluster.fields.rulecheck import check_rules
from fluvial.cluster.fields.validation import pattern, validate_schema

__all__ = ["check_definition_schema"]

Node = dict[str, Any]

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = (
    "$ref", "additionalItems", "definitions", "dependencies", "deprecated", "id",
    "patternProperties",
)  # fmt: skip
_ONLY_OUTSIDE = {
    "type": "must be empty to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "default": "must be undefined to be structural",
    "additionalProperties": "must be undefined to be structural",
    "nullable": "must be false to be structural",
    "x-kubernetes-preserve-unknown-fields": "must be false to be structural",
    "x-kubernetes-embedded-resource": "must be false to be structural",
    "x-kubernetes-int-or-string": "must be false to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
}
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_METADATA_FIELDS = frozenset({"name", "generateName"})


def check_definition_schema(schema: Node, path: str) -> list[FieldError]:
    """Return what is wrong with the schema of a version; `path` is where it stands.

    Rules are compiled only when the rest is in order.
    """
    errors = [*_node(schema, path, root=True), *_root(schema, path)]
    return errors or check_rules(schema, path)


def _error(kind: str, path: str, detail: str, value: Any = None) -> FieldError:
    return FieldError(f"FieldValue{kind}", path, value, detail)


def _root(schema: Node, path: str) -> Iterator[FieldError]:
    wanted = schema.get("type")
    if not wanted:
        yield _error("Required", f"{path}.type", "must not be empty at the root")
    elif wanted != "object":
        yield _error("Invalid", f"{path}.type", "must be object at the root", wanted)
    if "additionalProperties" in schema:
        yield _error("Forbidden", f"{path}.additionalProperties", "must not be used at the root")
    metadata = (schema.get("properties") or {}).get("metadata")
    if metadata is not None:
        allowed = set(metadata) <= {"type", "properties", "description"}
        if not allowed or not set(metadata.get("properties") or ()) <= _METADATA_FIELDS:
            text = (
                "must not specify anything other than name and generateName, "
                "but metadata is implicitly specified"
            )
            yield _error("Forbidden", f"{path}.properties[metadata]", text)


def _children(schema: Node, path: str) -> Iterator[tuple[Node, str, str]]:
    """Yield the parts of a schema, where they stand, and what they are parts of."""
    for name, child in (schema.get("properties") or {}).items():
        yield child, f"{path}.properties[{name}]", "object fields"
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        yield additional, f"{path}.additionalProperties", "object fields"
    items = schema.get("items")
    if isinstance(items, dict):
        yield items, f"{path}.items", "array items"


def _node(schema: Node, path: str, *, root: bool = False) -> Iterator[FieldError]:
    yield from _keywords(schema, path)
    yield from _types(schema, path)
    yield from _list_type(schema, path)
    yield from _map_type(schema, path)
    yield from _default(schema, path)
    if not root and schema.get("additionalProperties") is False:
        text = "additionalProperties cannot be set to false"
        yield _error("Forbidden", f"{path}.additionalProperties", text)
    if schema.get("properties") and schema.get("additionalProperties"):
        text = "additionalProperties and properties are mutual exclusive"
        yield _error("Forbidden", f"{path}.additionalProperties", text)
    for condition, where in _conditions(schema, path):
        if not _is_int_or_string(schema, where, path):
            yield from _condition(schema, condition, path, where)
    for child, where, what in _children(schema, path):
        typed = child.get("type") or child.get("x-kubernetes-int-or-string")
        free = child.get("x-kubernetes-preserve-unknown-fields") or "$ref" in child
        if not (typed or free):
            yield _error("Required", f"{where}.type", f"must not be empty for specified {what}")
        yield from _node(child, where)


def _keywords(schema: Node, path: str) -> Iterator[FieldError]:
    for name in _UNSUPPORTED:
        if schema.get(name):
            yield _error("Forbidden", f"{path}.{name}", f"{name} is not supported")
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield _error("Forbidden", f"{path}.uniqueItems", text)
    if expression := schema.get("pattern"):
        try:
            pattern(expression)
        except re.error as error:
            text = f"must be a valid regular expression, but isn't: {_go_regexp(expression, error)}"
            yield _error("Invalid", f"{path}.pattern", text, expression)


def _go_regexp(expression: str, error: re.error) -> str:
    """Put a regular expression's error into Go's words."""
    position = error.pos or 0
    if "unterminated character set" in error.msg:
        return f"error parsing regexp: missing closing ]: `{expression[position:]}`"
    if "missing )" in error.msg:
        return f"error parsing regexp: missing closing ): `{expression}`"
    if "unbalanced parenthesis" in error.msg:
        return f"error parsing regexp: unexpected ): `{expression}`"
    if "nothing to repeat" in error.msg:
        part = expression[position : position + 1]
        return f"error parsing regexp: missing argument to repetition operator: `{part}`"
    return f"error parsing regexp: {error.msg}: `{expression}`"


def _types(schema: Node, path: str) -> Iterator[FieldError]:
    wanted = schema.get("type")
    if wanted and wanted not in _TYPES:
        supported = ", ".join(f'"{name}"' for name in _TYPES)
        yield _error("NotSupported", f"{path}.type", f"supported values: {supported}", wanted)
    if wanted == "array" and not isinstance(schema.get("items"), dict):
        yield _error("Required", f"{path}.items", "must be specified")
    if wanted and schema.get("x-kubernetes-int-or-string"):
        text = "must be empty if x-kubernetes-int-or-string is true"
        yield _error("Forbidden", f"{path}.type", text)
    if schema.get("x-kubernetes-embedded-resource") and wanted != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        kind = "Invalid" if wanted else "Required"
        yield _error(kind, f"{path}.type", text, wanted)


def _list_type(schema: Node, path: str) -> Iterator[FieldError]:
    list_type, keys = (
        schema.get("x-kubernetes-list-type"),
        schema.get("x-kubernetes-list-map-keys") or [],
    )
    keys_path = f"{path}.x-kubernetes-list-map-keys"
    if list_type is None:
        if keys:
            text = "must be map if x-kubernetes-list-map-keys is non-empty"
            yield _error("Required", f"{path}.x-kubernetes-list-type", text)
        return
    if list_type not in {"atomic", "set", "map"}:
        text = 'supported values: "atomic", "set", "map"'
        yield _error("NotSupported", f"{path}.x-kubernetes-list-type", text, list_type)
        return
    if schema.get("type") != "array":
        text = "must be array if x-kubernetes-list-type is specified"
        yield _error("Invalid", f"{path}.type", text, schema.get("type"))
        return
    items = schema.get("items") or {}
    if list_type == "set":
        yield from _set_items(items, f"{path}.items")
    elif list_type == "map":
        yield from _map_items(items, keys, keys_path, f"{path}.items")


def _set_items(items: Node, path: str) -> Iterator[FieldError]:
    if items.get("nullable"):
        text = "cannot be nullable when x-kubernetes-list-type is set"
        yield _error("Forbidden", f"{path}.nullable", text)
    text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        value = items.get("x-kubernetes-map-type")
        yield _error("Invalid", f"{path}.x-kubernetes-map-type", text, value)
    if items.get("type") == "array" and items.get("x-kubernetes-list-type") not in {None, "atomic"}:
        value = items.get("x-kubernetes-list-type")
        yield _error("Invalid", f"{path}.x-kubernetes-list-type", text, value)


def _map_items(items: Node, keys: list[str], keys_path: str, path: str) -> Iterator[FieldError]:
    if not keys:
        text = "must not be empty if x-kubernetes-list-type is map"
        yield _error("Required", keys_path, text)
        return
    if len(set(keys)) != len(keys):
        yield _error("Invalid", keys_path, "must not contain duplicate entries", keys)
    if items.get("type") != "object":
        text = "must be object if parent array's x-kubernetes-list-type is map"
        yield _error("Invalid", f"{path}.type", text, items.get("type"))
        return
    properties = items.get("properties") or {}
    for key in keys:
        if key not in properties:
            text = "entries must all be names of item properties"
            yield _error("Invalid", keys_path, text, keys)
            continue
        node, where = properties[key], f"{path}.properties[{key}]"
        if node.get("type") in {"object", "array"}:
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield _error("Invalid", f"{where}.type", text, node["type"])
        if "default" not in node and key not in (items.get("required") or ()):
            text = (
                "this property is in x-kubernetes-list-map-keys, "
                "so it must have a default or be a required property"
            )
            yield _error("Required", f"{where}.default", text)
        if node.get("nullable"):
            text = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
            yield _error("Forbidden", f"{where}.nullable", text)


def _map_type(schema: Node, path: str) -> Iterator[FieldError]:
    map_type = schema.get("x-kubernetes-map-type")
    if map_type is None:
        return
    if map_type not in {"granular", "atomic"}:
        text = 'supported values: "atomic", "granular"'
        yield _error("NotSupported", f"{path}.x-kubernetes-map-type", text, map_type)
    if schema.get("type") != "object":
        text = "must be object if x-kubernetes-map-type is specified"
        yield _error("Invalid", f"{path}.type", text, schema.get("type"))


def _default(schema: Node, path: str) -> Iterator[FieldError]:
    if "default" not in schema or schema["default"] is None:
        return
    where = f"{path}.default"
    value = deepcopy(schema["default"])
    embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    metadata = schema_for_builtin("", "v1", "ConfigMap").fields["metadata"]
    if list(prune(schema, value, resource=embedded, metadata=metadata)):
        yield _error("Invalid", where, "must not have unknown fields", schema["default"])
        return
    for error in validate_schema(schema, schema["default"]):
        field = f"{where}.{error.field}" if error.field else where
        yield FieldError(error.type, field, error.value, error.detail)


def _conditions(schema: Node, path: str) -> Iterator[tuple[Node, str]]:
    for name in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(schema.get(name) or ()):
            yield part, f"{path}.{name}[{index}]"
    if isinstance(schema.get("not"), dict):
        yield schema["not"], f"{path}.not"


def _is_int_or_string(schema: Node, where: str, path: str) -> bool:
    """Tell whether a condition is the one that int-or-string fields may carry for other readers."""
    if not schema.get("x-kubernetes-int-or-string"):
        return False
    if where.startswith(f"{path}.anyOf"):
        return bool(schema.get("anyOf") == _INT_OR_STRING)
    first = (schema.get("allOf") or [{}])[0]
    return where == f"{path}.allOf[0]" and first.get("anyOf") == _INT_OR_STRING


def _condition(outer: Node | None, part: Node, base: str, path: str) -> Iterator[FieldError]:
    """Check a condition; `outer` is what it narrows and stands at `base`."""
    for name, text in _ONLY_OUTSIDE.items():
        if part.get(name):
            yield _error("Forbidden", f"{path}.{name}", text)
    yield from _keywords(part, path)
    for child, where, _ in _children(part, path):
        place = where.removeprefix(path)
        declared = _declared(outer, place)
        yield from _condition(declared, child, f"{base}{place}", where)
        if outer is not None and declared is None:
            text = f"because it is defined in {where}"
            yield _error("Required", f"{base}{place}", text)
    for inner, where in _conditions(part, path):
        yield from _condition(outer, inner, base, where)


def _declared(outer: Node | None, place: str) -> Node | None:
    if outer is None:
        return None
    if place.startswith(".properties["):
        found = (outer.get("properties") or {}).get(place[len(".properties[") : -1])
    else:
        found = outer.get(place[1:])
    return found if isinstance(found, dict) else None
