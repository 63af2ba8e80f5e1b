"""Apply configurations without an owner, as mutating policies make them.

What is set is set, and no manager owns it. Same as upstream,
`apiserver/pkg/admission/plugin/policy/mutating/patch/smd.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluvial.cluster.fields.errors import TypedObjectError
from fluvial.cluster.fields.merge import merge
from fluvial.cluster.fields.schema import Schema
from fluvial.cluster.fields.typed import check
from fluvial.cluster.fields.values import copied

__all__ = ["merge_configuration"]


def merge_configuration(
    schema: Schema, live: dict[str, Any], configuration: dict[str, Any]
) -> dict[str, Any]:
    """Return an object with a configuration merged in, as an object of the caller's own.

    Raises `TypedObjectError` for what does not fit the schema, and for lists and maps that would be
    replaced as a whole: that would remove what the configuration does not know of.
    """
    _check(schema, configuration, "patch object", duplicates=False)
    whole = list(_atomics(schema, configuration, ""))
    if whole:
        raise TypedObjectError(
            "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: "
            + ", ".join(whole)
        )
    _check(schema, live, "original object", duplicates=True)
    merged: dict[str, Any] = copied(merge(schema, live, configuration))
    return merged


def _check(schema: Schema, value: Any, shown: str, *, duplicates: bool) -> None:
    try:
        check(schema, value, duplicates=duplicates)
    except TypedObjectError as error:
        raise TypedObjectError(f"failed to convert {shown} to typed object: {error}") from None


def _atomics(schema: Schema, value: Any, path: str) -> Iterator[str]:
    """Yield the paths of lists and maps in a value that are replaced as a whole."""
    if isinstance(value, dict) and schema.map_type:
        if schema.map_type == "atomic":
            yield path
        for name, item in value.items():
            if name in schema.fields:
                yield from _atomics(schema.fields[name], item, f"{path}.{name}")
    elif isinstance(value, list) and schema.list_type and schema.items is not None:
        if schema.list_type == "atomic":
            yield path
        for index, item in enumerate(value):
            yield from _atomics(schema.items, item, f"{path}[{index}]")
