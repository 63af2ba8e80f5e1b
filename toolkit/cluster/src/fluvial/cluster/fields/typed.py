"""Check a value against its schema and list the fields that it sets.

Both follow structured-merge-diff, the library behind server-side apply: `check` reports what an
applied object may not contain, `field_set` is what its manager owns then.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from fluvial.cluster.fields.errors import TypedObjectError
from fluvial.cluster.fields.paths import (
    FieldSet,
    Path,
    field_element,
    index_element,
    key_element,
    path_text,
    value_element,
)
from fluvial.cluster.fields.schema import Schema
from fluvial.cluster.fields.values import go_syntax, go_text

__all__ = ["ItemError", "check", "field_set", "item_element"]

_TEXTS = frozenset({"string", "untyped"})
"""The kinds of scalars that any string fits."""


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
    found = [f"{path_text(path)}: {text}" for path, text in _problems(schema, value, duplicates)]
    if len(found) == 1:
        raise TypedObjectError(found[0])
    if found:
        raise TypedObjectError("errors:\n" + "\n".join(f"  {line}" for line in sorted(set(found))))


def _problems(schema: Schema, value: Any, duplicates: bool) -> list[tuple[Path, str]]:
    """Return what does not fit, by paths below `value`, in no particular order."""
    form, _ = schema.form_of(value)
    if value is None:
        return []
    if form == "scalar":
        text = _scalar_problem(schema, value)
        return [((), text)] if text else []
    if form == "list":
        if not isinstance(value, list):
            return [((), f"expected list, got &{{{go_text(value)}}}")]
        return _list_problems(schema, value, duplicates)
    if not isinstance(value, dict):
        return [((), f"expected map, got &{{{go_text(value)}}}")]
    found: list[tuple[Path, str]] = []
    declared, others = schema.fields, schema.values
    for name, item in value.items():
        child = declared.get(name, others)
        if child is None:
            found.append(((field_element(name),), "field not declared in schema"))
        elif item.__class__ is not str or child.scalar not in _TEXTS:
            found += [
                ((field_element(name), *path), text)
                for path, text in _problems(child, item, duplicates)
            ]
    return found


def _list_problems(schema: Schema, value: list[Any], duplicates: bool) -> list[tuple[Path, str]]:
    items, found = schema.items, list[tuple[Path, str]]()
    if items is None:
        return found
    seen: set[str] = set()
    for index, item in enumerate(value):
        if schema.list_type == "atomic":
            element = index_element(index)
        else:
            try:
                element = item_element(schema, item)
            except ItemError as error:
                found.append(((), f"element {index}: {error}"))
                continue
            if element in seen and not duplicates:
                found.append(((), f"duplicate entries for key {path_text((element,))}"))
            seen.add(element)
        found += [((element, *path), text) for path, text in _problems(items, item, duplicates)]
    return found


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
    found: set[Path] = set()
    _add_fields(schema, value, (), found)
    return frozenset(found)


def _add_fields(schema: Schema, value: Any, path: Path, found: set[Path]) -> None:
    form, _ = schema.form_of(value)
    if form == "scalar":
        found.add(path)
    elif form == "list":
        if schema.list_type == "atomic":
            found.add(path)
        elif isinstance(value, list):
            _add_items(schema, value, path, found)
    elif form == "map":
        if schema.map_type == "atomic":
            found.add(path)
        elif isinstance(value, dict):
            declared, others = schema.fields, schema.values
            for name, item in value.items():
                child = declared.get(name, others)
                if child is None:
                    continue
                here = (*path, field_element(name))
                if item.__class__ is str and child.scalar:
                    found.add(here)
                    continue
                _add_fields(child, item, here, found)
                if item is None or item == {} or name not in declared:
                    found.add(here)


def _add_items(schema: Schema, value: list[Any], path: Path, found: set[Path]) -> None:
    assert schema.items is not None
    elements = [item_element(schema, item) for item in value]
    times = Counter(elements)
    for element, item in zip(elements, value, strict=True):
        here = (*path, element)
        found.add(here)
        if times[element] == 1:  # duplicates are owned as a whole
            _add_fields(schema.items, item, here, found)
