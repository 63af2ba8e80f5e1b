"""Merge an applied value into a live one, and remove fields from a value.

Where both have a field the applied value wins; atomic lists and maps win as a whole. Items of
keyed lists and sets are matched by identity, keep the order of the applied list among themselves
and otherwise the order of the live list.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from fluvial.cluster.fields.paths import FieldSet, Path, field_element
from fluvial.cluster.fields.schema import MISSING, Schema
from fluvial.cluster.fields.typed import item_element

__all__ = ["fitted", "merge", "named_members", "remove"]


def merge(schema: Schema, live: Any, applied: Any) -> Any:
    """Return the merged value, which shares parts with both; either may be MISSING, not both.

    Both have to fit the schema, see `typed.check`.
    """
    if applied is MISSING:
        return live
    if live is MISSING:
        return applied
    form, _ = schema.form_of(applied)
    if form == "map":
        left = live if isinstance(live, dict) else {}
        right = applied if isinstance(applied, dict) else {}
        if schema.map_type == "granular" and (left or right):
            return _merged_maps(schema, left, right)
    elif form == "list":
        left_list = live if isinstance(live, list) else []
        right_list = applied if isinstance(applied, list) else []
        if schema.list_type != "atomic" and (left_list or right_list):
            return _merged_lists(schema, left_list, right_list)
    return applied


def _merged_maps(schema: Schema, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    out = {**left, **right}
    declared, others = schema.fields, schema.values
    for name, theirs in right.items():
        child = declared.get(name, others)
        if child is None or name not in left or (theirs.__class__ is str and child.scalar):
            continue  # replaced, not merged with
        out[name] = merge(child, left[name], theirs)
    return out


def _merged_lists(schema: Schema, left: list[Any], right: list[Any]) -> list[Any]:
    assert schema.items is not None
    left_elements = [item_element(schema, item) for item in left]
    right_elements = [item_element(schema, item) for item in right]
    mine = dict(zip(left_elements, left, strict=True))
    theirs = dict(zip(right_elements, right, strict=True))
    for element in (e for e, times in Counter(left_elements).items() if times > 1):
        mine[element] = MISSING  # a duplicated live item is replaced, not merged with
    shared = iter([element for element in right_elements if element in mine])
    wanted = next(shared, None)
    out: list[Any] = []
    done: set[str] = set()
    i = j = 0

    def take(live_item: Any, applied_item: Any) -> None:
        assert schema.items is not None
        out.append(merge(schema.items, live_item, applied_item))

    while i < len(left) or j < len(right):
        if i < len(left) and j < len(right):
            element = left_elements[i]
            if element == right_elements[j]:
                done.add(element)
                take(mine[element], theirs[element])
                i, j = i + 1, j + 1
                wanted = next(shared, None)
                continue
            if element in theirs and wanted is not None and wanted != element:
                i += 1  # shared, but its turn comes in the order of the applied list
                continue
        if i < len(left):
            element = left_elements[i]
            if element not in theirs:
                take(left[i], MISSING)
                i += 1
                continue
            if element in done:
                i += 1
        if j < len(right):
            element = right_elements[j]
            done.add(element)
            take(mine.get(element, MISSING), theirs[element])
            j += 1
            if wanted == element:
                wanted = next(shared, None)
    return out


def remove(schema: Schema, value: Any, fields: FieldSet) -> Any:
    """Return the value without some fields.

    A map or list from which everything was taken stays as an empty one; an atomic one of which a
    part is named goes as a whole.
    """
    tree: dict[str, Any] = {}
    for path in fields:
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _removed(schema, value, tree)


def _removed(schema: Schema, value: Any, tree: dict[str, Any]) -> Any:
    form, _ = schema.form_of(value)
    if form == "map" and isinstance(value, dict) and value:
        if schema.map_type == "atomic":
            return None
        return _removed_map(schema, value, tree)
    if form == "list" and isinstance(value, list) and value:
        if schema.list_type == "atomic":
            return None
        out: list[Any] = []
        for item in value:
            node = tree.get(item_element(schema, item), {})
            if "." in node:
                continue
            assert schema.items is not None
            out.append(_removed(schema.items, item, node) if node else item)
        return out
    return value


def _removed_map(schema: Schema, value: dict[str, Any], tree: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, item in value.items():
        node = tree.get(field_element(name), {})
        if "." in node:
            continue
        child = schema.child(name)
        left = _removed(child, item, node) if node and child is not None else item
        if left is not None or item is None:
            out[name] = left
    return out


def named_members(schema: Schema, fields: FieldSet) -> FieldSet:
    """Return the set with every declared field on the way to a member as a member too."""
    out = set(fields)
    for path in fields:
        node: Schema | None = schema
        for depth, element in enumerate(path[:-1], start=1):
            if node is None:
                break
            if element[0] == "f":
                name = element[2:]
                if node.map_type and name in node.fields:
                    out.add(path[:depth])
                node = node.child(name) if node.map_type else None
            else:
                node = node.items if node.list_type else None
    return frozenset(out)


def fitted(schema: Schema, fields: FieldSet) -> FieldSet:
    """Return the set as it has to be after a map or list became atomic: owned as a whole.

    A definition may change how a field merges; what was owned inside of it is owned with it then.
    """
    return frozenset(_fitted_path(schema, path) for path in fields)


def _fitted_path(schema: Schema, path: Path) -> Path:
    node: Schema | None = schema
    for depth, element in enumerate(path):
        if node is None or node.forms != 1:
            return path
        if element[0] == "f":
            if node.map_type == "atomic":
                return path[:depth]
            node = node.child(element[2:])
        else:
            if node.list_type == "atomic":
                return path[:depth]
            node = node.items
    return path
