"""Strategic merge patch: a merge patch that knows which lists merge, and by which key.

Directives: `$patch` (merge, replace, delete), `$retainKeys`, `$setElementOrder/<list>` and
`$deleteFromPrimitiveList/<list>`. Only built-in kinds have them; merge keys and strategies come
from the schema.
"""

from __future__ import annotations

from typing import Any

from fluvial.cluster.fields.errors import BadPatch, PatchFailure, not_an_object
from fluvial.cluster.fields.schema import Schema
from fluvial.cluster.fields.values import copied, equal, go_text

__all__ = ["patch_strategic"]

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
ELEMENT_ORDER = "$setElementOrder/"
DELETE_FROM = "$deleteFromPrimitiveList/"

Object = dict[str, Any]


def patch_strategic(doc: Object, patch: Any, schema: Schema) -> Object:
    """Return an object with a strategic merge patch carried out.

    Raises `PatchFailure` for an unknown directive, a list item without its merge key, and
    directives that contradict the patch; `BadPatch` for what is no object.
    """
    if patch is None:
        return copied(doc)
    if not isinstance(patch, dict):
        raise BadPatch(f"error decoding patch: {not_an_object(patch)}")
    return _merge_map(copied(doc), copied(patch), schema)


def _merge_map(original: Object, patch: Object, schema: Schema | None) -> Object:
    if PATCH in patch:
        return _directed(patch)
    _retain_keys(original, patch)
    _order_elements(original, patch, schema)
    for name, value in patch.items():
        deleting = name.startswith(DELETE_FROM)
        key = name.removeprefix(DELETE_FROM)
        if value is None:
            original.pop(key, None)
        elif deleting:
            if isinstance(value, list) and isinstance(original.get(key), list):
                original[key] = [i for i in original[key] if not _within(i, value)]
        elif key in original and type(original[key]) is type(value):
            original[key] = _merge_value(original[key], value, _child(schema, key))
        else:
            _take(original, key, value)
    return original


def _merge_value(original: Any, patch: Any, schema: Schema | None) -> Any:
    strategy = schema.patch_strategy if schema is not None else frozenset()
    if isinstance(patch, dict):
        return patch if "replace" in strategy else _merge_map(original, patch, schema)
    if isinstance(patch, list) and schema is not None and "merge" in strategy:
        return _merge_list(original, patch, schema)
    return _undirected(patch)[0]


def _directed(patch: Object) -> Object:
    directive = patch[PATCH]
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != PATCH}
    if directive == "delete":
        return {}
    raise _unknown(directive, patch)


def _unknown(directive: Any, patch: Object) -> PatchFailure:
    return PatchFailure(f"unknown patch type: {go_text(directive)} in map: {go_text(patch)}")


def _child(schema: Schema | None, name: str) -> Schema | None:
    return schema.child(name) if schema is not None and schema.map_type else None


def _take(original: Object, name: str, value: Any) -> None:
    """Set what the original does not have; what a directive would change is not there."""
    kept, keep = _undirected(_without_nulls(value))
    if keep:
        original[name] = kept


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _undirected(value: Any) -> tuple[Any, bool]:
    """Return a value without what carries directives, and whether anything is left of it."""
    if isinstance(value, dict):
        if PATCH in value:
            return None, False
        parts = {
            name: _undirected(child)
            for name, child in value.items()
            if name != RETAIN_KEYS and not name.startswith((ELEMENT_ORDER, DELETE_FROM))
        }
        return {name: child for name, (child, keep) in parts.items() if keep}, True
    if isinstance(value, list):
        return [child for child, keep in map(_undirected, value) if keep], True
    return value, True


def _retain_keys(original: Object, patch: Object) -> None:
    if RETAIN_KEYS not in patch:
        return
    keys = patch.pop(RETAIN_KEYS)
    bad = PatchFailure("the patch format is invalid for retainKeys")
    if not isinstance(keys, list):
        raise bad
    for name, value in patch.items():
        directive = name.startswith((DELETE_FROM, ELEMENT_ORDER))
        if value is not None and not directive and name not in keys:
            raise bad
    for name in [name for name in original if name not in keys]:
        del original[name]


def _order_elements(original: Object, patch: Object, schema: Schema | None) -> None:
    """Merge the lists of which the patch gives the order, and take them out of the patch."""
    for directive in [name for name in patch if name.startswith(ELEMENT_ORDER)]:
        order = patch.pop(directive)
        name = directive.removeprefix(ELEMENT_ORDER)
        if not isinstance(order, list):
            raise PatchFailure(f"expected a list in {directive}, got {go_text(order)}")
        live, items = original.get(name), patch.get(name)
        if live is None and items is None:
            continue
        node = _child(schema, name)
        key = node.merge_key if node is not None else None
        _check_order(items or [], order, key, name)
        if items is None:
            merged = live or []
        elif live is None or node is None:
            merged = _undirected(items)[0]
        else:
            merged = _merge_value(live, items, node)
        original[name] = _ordered(merged, order, live or [], key)
        patch.pop(name, None)


def _check_order(items: list[Any], order: list[Any], key: str | None, name: str) -> None:
    """Refuse a patch whose list has items that its own order does not name, or in another order."""
    wanted = [i for i in items if not (isinstance(i, dict) and PATCH in i)]
    places = [_place(order, item, key) for item in wanted]
    if any(place < 0 for place in places) or places != sorted(places):
        raise PatchFailure(
            f"The order in patch list:\n{go_text(items)}\n "
            f"doesn't match {ELEMENT_ORDER}{name} list:\n{go_text(order)}\n"
        )


def _merge_list(original: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    if not original and not patch:
        return original
    key = schema.merge_key
    if not isinstance((original or patch)[0], dict):
        merged: list[Any] = []
        for item in original + patch:
            if not _within(item, merged):
                merged.append(item)
        return _ordered(merged, patch, original, None)
    if not key:
        raise PatchFailure(f"cannot merge lists without merge key for {schema.detail or 'list'}")
    base, items = _special_items(original, patch, key)
    for item in items:
        if key not in item:
            raise _no_key(item, key)
        place = _place(base, item, key)
        if place >= 0:
            base[place] = _merge_map(base[place], item, schema.items)
        else:
            base.append(_undirected(_without_nulls(item))[0])
    return _ordered(base, items, original, key)


def _special_items(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the items that are directives; return the list to merge into and what is left."""
    plain: list[Any] = []
    base, replace = list(original), False
    for item in patch:
        if not isinstance(item, dict):
            raise PatchFailure(f"expected a map in a merging list, got {go_text(item)}")
        match item.get(PATCH):
            case None:
                plain.append(item)
            case "delete":
                if key not in item:
                    raise _no_key(item, key)
                base = [i for i in base if not equal(i.get(key), item[key])]
            case "replace":
                replace = True
            case "merge":
                raise PatchFailure("merging lists cannot yet be specified in the patch")
            case unknown:
                raise _unknown(unknown, item)
    return (plain, []) if replace else (base, plain)


def _no_key(item: Object, key: str) -> PatchFailure:
    return PatchFailure(f"map: {go_text(item)} does not contain declared merge key: {key}")


def _ordered(merged: list[Any], order: list[Any], live: list[Any], key: str | None) -> list[Any]:
    """Return merged items with those of the patch in its order and the others as they were live.

    Items that only the server has stand before the first item of the patch that came later live.
    """
    named = sorted(
        (item for item in merged if _place(order, item, key) >= 0),
        key=lambda item: _place(order, item, key),
    )
    others = sorted(
        (item for item in merged if _place(order, item, key) < 0),
        key=lambda item: _place(live, item, key),
    )
    out: list[Any] = []
    while named and others:
        ours, theirs = _place(live, others[0], key), _place(live, named[0], key)
        out.append((others if 0 <= ours < theirs else named).pop(0))
    return out + named + others


def _place(items: list[Any], item: Any, key: str | None) -> int:
    """Return where an item of the same identity stands, -1 for nowhere."""
    for index, other in enumerate(items):
        if key is None:
            if equal(other, item):
                return index
        elif (
            isinstance(other, dict)
            and isinstance(item, dict)
            and key in other
            and equal(other[key], item.get(key))
        ):
            return index
    return -1


def _within(item: Any, items: list[Any]) -> bool:
    return any(equal(item, other) for other in items)
