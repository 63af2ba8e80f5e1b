"""Maps: making, reading, changing in place, and merging as mergo does."""

import copy
from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import DEEPEST
from fluvial.render.gotemplate._values import NilMap, PlainMap, Strings, truth, type_of
from fluvial.render.gotemplate.sprig.conversion import strval

__all__ = ["FUNCTIONS", "deep_copy"]


def make(*pairs: Any) -> dict[str, Any]:
    """Make a map of keys and values in turn; a last key alone has the empty string."""
    made: dict[str, Any] = {}
    for place in range(0, len(pairs), 2):
        made[strval(pairs[place])] = pairs[place + 1] if place + 1 < len(pairs) else ""
    return made


def get(entries: dict[str, Any], key: str) -> Any:
    """Read an entry; a missing one is the empty string."""
    return entries.get(key, "")


def put(entries: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Set an entry in place."""
    if isinstance(entries, NilMap):
        raise FunctionError("assignment to entry in nil map")
    entries[key] = value
    return _unnamed(entries)


def unset(entries: dict[str, Any], key: str) -> dict[str, Any]:
    """Remove an entry in place."""
    entries.pop(key, None)
    return _unnamed(entries)


def _unnamed(entries: dict[str, Any]) -> dict[str, Any]:
    """Return the very same map, under the type of Go's parameter, which has no name."""
    if isinstance(entries, PlainMap):
        entries.unnamed = True
    return entries


def has_key(entries: dict[str, Any], key: str) -> bool:
    """Say whether there is an entry, nil or not."""
    return key in entries


def pluck(key: str, *maps: dict[str, Any]) -> list[Any]:
    """List the values of one key over several maps."""
    return [entries[key] for entries in maps if key in entries]


def keys(*maps: dict[str, Any]) -> Strings:
    """List the keys. Go's order is random; ours is sorted."""
    return Strings(key for entries in maps for key in sorted(entries))


def values(entries: dict[str, Any]) -> list[Any]:
    """List the values, in the order of their keys."""
    return [entries[key] for key in sorted(entries)]


def pick(entries: dict[str, Any], *names: str) -> dict[str, Any]:
    """Copy only some entries."""
    return {name: entries[name] for name in names if name in entries}


def omit(entries: dict[str, Any], *names: str) -> dict[str, Any]:
    """Copy all but some entries."""
    return {key: value for key, value in entries.items() if key not in names}


def dig(*path: Any) -> Any:
    """Go along keys: `dig "a" "b" default map`; the default is for a missing key."""
    if len(path) < 3:
        raise FunctionError("dig needs at least three arguments")
    *names, fallback, entries = path
    if not _plain(entries):
        raise FunctionError(_conversion(entries))
    for name in names:
        if not isinstance(name, str):
            raise FunctionError(_conversion(name, "string"))
    for place, name in enumerate(names):
        if name not in entries:
            return fallback
        entries = entries[name]
        if place < len(names) - 1 and not _plain(entries):
            raise FunctionError(_conversion(entries))
    return entries


def _plain(value: Any) -> bool:
    """Say whether a value is a plain map: the values of a chart are of another type."""
    if isinstance(value, PlainMap):
        return value.unnamed
    return type(value) is dict or isinstance(value, NilMap)


def _conversion(value: Any, wanted: str = "map[string]interface {}") -> str:
    got = "nil" if value is None else type_of(value)
    return f"interface conversion: interface {{}} is {got}, not {wanted}"


def deep_copy(value: Any) -> Any:
    """Copy maps and lists all the way down."""
    if value is None:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    return _copied(value, 0)


def _copied(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise FunctionError("the value is nested too deep, or holds itself")
    if isinstance(value, dict):
        copied: dict[str, Any] = copy.copy(value)  # with what its type has besides the keys
        for key, item in value.items():
            copied[key] = _copied(item, depth + 1)
        return copied
    if isinstance(value, list):
        items: list[Any] = type(value)()
        for item in value:
            items.append(_copied(item, depth + 1))  # noqa: PERF401  (a comprehension costs C stack)
        return items
    return value


def _zero(value: Any) -> bool:
    """Say whether mergo takes a value for empty; a struct never is."""
    return value is None or not truth(value)


def _fill(target: dict[str, Any], source: dict[str, Any], depth: int = 0) -> None:
    """Fill missing and zero entries; nil fills nothing."""
    if depth > DEEPEST:
        raise FunctionError("the maps are nested too deep, or hold themselves")
    for key, value in source.items():
        present = target.get(key)
        if isinstance(present, dict) and isinstance(value, dict) and present:
            if present is not value:
                _fill(present, value, depth + 1)
        elif value is not None and _zero(present):
            target[key] = value


def _overwrite(target: dict[str, Any], source: dict[str, Any], depth: int = 0) -> None:
    """Take every entry of the source; maps join."""
    if depth > DEEPEST:
        raise FunctionError("the maps are nested too deep, or hold themselves")
    for key, value in source.items():
        present = target.get(key)
        if isinstance(present, dict) and isinstance(value, dict) and present:
            if present is not value:
                _overwrite(present, value, depth + 1)
        else:
            target[key] = value


def merge(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    """Fill the first map, in place, from the others."""
    for source in sources:
        if source is not target:
            _fill(target, source)
    return _unnamed(target)


def merge_overwrite(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    """Overwrite the first map, in place, with the others."""
    for source in sources:
        if source is not target:
            _overwrite(target, source)
    return _unnamed(target)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "deepCopy": deep_copy,
    "dict": make,
    "dig": dig,
    "get": get,
    "hasKey": has_key,
    "keys": keys,
    "merge": merge,
    "mergeOverwrite": merge_overwrite,
    "mustDeepCopy": deep_copy,
    "mustMerge": merge,
    "mustMergeOverwrite": merge_overwrite,
    "omit": omit,
    "pick": pick,
    "pluck": pluck,
    "set": put,
    "unset": unset,
    "values": values,
}
