"""Pruning and defaulting of custom resources, in place, by their OpenAPI schema."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fluvial.cluster.fields.schema import Schema

__all__ = ["default", "drop_nulls", "prune"]

_RESOURCE_FIELDS = ("apiVersion", "kind", "metadata")


def prune(
    schema: dict[str, Any], value: Any, *, resource: bool, metadata: Schema, path: str = ""
) -> Iterator[str]:
    """Remove what the schema does not know and yield the paths of it.

    `resource` says that the value is a whole object, with apiVersion, kind and metadata;
    `metadata` is the schema of the latter.
    """
    if isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            embedded = bool(items.get("x-kubernetes-embedded-resource"))
            for index, item in enumerate(value):
                yield from prune(
                    items, item, resource=embedded, metadata=metadata, path=f"{path}[{index}]"
                )
        return
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    preserve = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    for name in list(value):
        where = f"{path}.{name}" if path else name
        if resource and name in _RESOURCE_FIELDS:
            if name == "metadata":
                yield from _prune_metadata(metadata, value[name], where)
            continue
        child = properties.get(name)
        if child is None and isinstance(additional, dict):
            child = additional
        if child is not None:
            embedded = bool(child.get("x-kubernetes-embedded-resource"))
            yield from prune(child, value[name], resource=embedded, metadata=metadata, path=where)
        elif not preserve and additional is not True:
            del value[name]
            yield where


def _prune_metadata(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name in [name for name in value if name not in schema.fields]:
        del value[name]
        yield f"{path}.{name}"


def default(schema: dict[str, Any], value: Any) -> None:
    """Fill in defaults; a null that may not be null gives way to its default."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        for name, child in properties.items():
            if "default" in child and (
                name not in value or (value[name] is None and not child.get("nullable"))
            ):
                value[name] = deepcopy(child["default"])
        additional = schema.get("additionalProperties")
        for name, item in value.items():
            node = properties.get(name, additional)
            if isinstance(node, dict):
                default(node, item)
        if isinstance(additional, dict) and "default" in additional:
            for name in [n for n, item in value.items() if item is None and n not in properties]:
                if not additional.get("nullable"):
                    value[name] = deepcopy(additional["default"])
    elif isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            for index, item in enumerate(value):
                if item is None and "default" in items and not items.get("nullable"):
                    value[index] = deepcopy(items["default"])
                default(items, value[index])


def drop_nulls(schema: dict[str, Any], value: Any) -> None:
    """Remove nulls that the schema does not allow and has no default for, in place."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        additional = schema.get("additionalProperties")
        for name in list(value):
            node = properties.get(name, additional)
            if not isinstance(node, dict):
                continue
            if value[name] is None and not node.get("nullable") and "default" not in node:
                del value[name]
            else:
                drop_nulls(node, value[name])
    elif isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            for item in value:
                drop_nulls(items, item)
