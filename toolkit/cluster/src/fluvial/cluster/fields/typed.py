"""Check a value against its schema and list the fields that it sets.

Both follow structured-merge-diff, the library behind server-side apply: `check` reports what an
applied object may not contain, `field_set` is what its manager owns then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fluvial.cluster.fields.errors import TypedObjectError
from fluvial.cluster.fields.paths import (
    FieldSet,
    Path,
    field_element,
    key_element,
    path_text,
    value_element,
)
from fluvial.cluster.fields.schema import Schema
from fluvial.cluster.fields.values import go_syntax, go_text

__all__ = ["ItemError", "check", "field_set", "item_element"]


class ItemError(ValueError):
    """An item of a keyed list or a set has no identity."""


def item_element(schema: Schema, item: Any) -> str:
    """Return the path element of an item of a keyed list or set; raises `ItemError`."""
    if schema.list_type == "map":
        if item is None:
            raise ItemError("associative list with keys may not have a null element")
        if not isinstance(item, dict):
            raise ItemError("associative list with keys may not have non-map elements")
        keys: dict[str, Any] = {}
        for key in schema.keys:
            if key in item:
                keys[key] = item[key]
            elif key in schema.key_defaults:
                keys[key] = schema.key_defaults[key]
            else:
                raise ItemError(
                    "associative list with keys has an element that omits key field "
                    f'"{key}" (and doesn\'t have default value)'
                )
        return key_element(keys)
    if isinstance(item, dict):
        raise ItemError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ItemError("not supported: associative list with lists as elements")
    if item is None:
        raise ItemError("associative list without keys has an element that's an explicit null")
    return value_element(item)


def check(schema: Schema, value: Any, *, duplicates: bool = False) -> None:
    """Raise `TypedObjectError` when a value does not fit its schema.

    `duplicates` allows equal keys in keyed lists and sets, which live objects may have.
    """
    found = [
        f"{path_text(path)}: {text}" for path, text in _problems(schema, value, (), duplicates)
    ]
    if len(found) == 1:
        raise TypedObjectError(found[0])
    if found:
        raise TypedObjectError("errors:\n" + "\n".join(f"  {line}" for line in sorted(set(found))))


def _problems(
    schema: Schema, value: Any, path: Path, duplicates: bool
) -> Iterator[tuple[Path, str]]:
    form, _ = schema.form_of(value)
    if value is None:
        return
    if form == "scalar":
        if text := _scalar_problem(schema, value):
            yield path, text
    elif form == "list":
        if not isinstance(value, list):
            yield path, f"expected list, got &{{{go_text(value)}}}"
        else:
            yield from _list_problems(schema, value, path, duplicates)
    elif not isinstance(value, dict):
        yield path, f"expected map, got &{{{go_text(value)}}}"
    else:
        for name in sorted(value):
            here = (*path, field_element(name))
            child = schema.child(name)
            if child is None:
                yield here, "field not declared in schema"
            else:
                yield from _problems(child, value[name], here, duplicates)


def _list_problems(
    schema: Schema, value: list[Any], path: Path, duplicates: bool
) -> Iterator[tuple[Path, str]]:
    items = schema.items
    if items is None:
        return
    if schema.list_type == "atomic":
        for index, item in enumerate(value):
            yield from _problems(items, item, (*path, f"i:{index}"), duplicates)
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        try:
            element = item_element(schema, item)
        except ItemError as error:
            yield path, f"element {index}: {error}"
            continue
        if element in seen and not duplicates:
            yield path, f"duplicate entries for key {path_text((element,))}"
        seen.add(element)
        yield from _problems(items, item, (*path, element), duplicates)


def _scalar_problem(schema: Schema, value: Any) -> str | None:
    kind = schema.scalar
    if isinstance(value, dict | list):
        match kind:
            case "untyped":
                return f"expected any scalar, got &{{{go_text(value)}}}"
            case "numeric":
                go = "map" if isinstance(value, dict) else "list"
                return f"expected numeric (int or float), got {go}"
    if kind == "numeric" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"expected numeric (int or float), got {_type_name(value)}"
    if kind == "string" and not isinstance(value, str):
        return f"expected string, got &value.valueUnstructured{{Value:{go_syntax(value)}}}"
    if kind == "boolean" and not isinstance(value, bool):
        return f"expected boolean, got &{{{go_text(value)}}}"
    return None


def _type_name(value: object) -> str:
    return "string" if isinstance(value, str) else "bool"


def field_set(schema: Schema, value: Any) -> FieldSet:
    """Return the fields that a value sets: its leaves, and the entries of its maps and lists."""
    return frozenset(_fields(schema, value, ()))


def _fields(schema: Schema, value: Any, path: Path) -> Iterator[Path]:
    form, _ = schema.form_of(value)
    if form == "scalar":
        yield path
    elif form == "list":
        if schema.list_type == "atomic":
            yield path
        elif isinstance(value, list):
            yield from _item_fields(schema, value, path)
    elif form == "map":
        if schema.map_type == "atomic":
            yield path
        elif isinstance(value, dict):
            for name, item in value.items():
                child = schema.child(name)
                if child is None:
                    continue
                here = (*path, field_element(name))
                yield from _fields(child, item, here)
                if item is None or item == {} or name not in schema.fields:
                    yield here


def _item_fields(schema: Schema, value: list[Any], path: Path) -> Iterator[Path]:
    assert schema.items is not None
    elements = [item_element(schema, item) for item in value]
    times = Counter(elements)
    for element, item in zip(elements, value, strict=True):
        here = (*path, element)
        yield here
        if times[element] == 1:  # duplicates are owned as a whole
            yield from _fields(schema.items, item, here)
