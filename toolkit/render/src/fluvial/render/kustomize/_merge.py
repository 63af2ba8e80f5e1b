"""Strategic merge as kustomize does it, quirks included.

Lists merge by the keys of the 1.21 schema, everything else is replaced; the patch's elements come
first. Of the directives only `$patch` is known. Lists with two keys whose second one is missing in
places behave as erratically as upstream's do, because manifests in the field rely on it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._schema import Field, fields_of
from fluvial.render.kustomize._styles import overlay
from fluvial.render.yaml import Blank, is_text

__all__ = ["MISSING", "Taken", "clone", "merge"]

MISSING: Any = object()
_ATOMIC = Field("", None)
_DIRECTIVE = "$patch"
Taken = tuple[Any, Any, Any, Any]
"""A container and a key in it whose value came from another container, and the key there."""


def clone(value: Any) -> Any:
    """Copy a tree of dicts, lists and scalars."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value


def merge(
    base: Any,
    patch: Any,
    type_name: str,
    taken: Callable[[Taken], None] | None = None,
    blanks: Iterable[Blank] = (),
) -> Any:
    """Merge `patch` into `base` and return the result, MISSING when the patch deletes it.

    Both are changed and share parts afterwards: pass copies. `taken` is told of each value that
    was taken from the patch, and of the elements of merged sets. `blanks` are the base's keys
    without a value, which go wherever the merge comes by.
    Raises TransformError when kinds of nodes conflict or a directive is unknown.
    """
    return _Walker(taken, blanks).walk(base, patch, Field(type_name, None), "")


class _Walker:
    def __init__(self, taken: Callable[[Taken], None] | None, blanks: Iterable[Blank]) -> None:
        self.taken = taken
        self.blanks = {(id(blank.mapping), blank.key) for blank in blanks}

    def walk(self, base: Any, patch: Any, field: Field, path: str) -> Any:
        present = base if base is not MISSING and base is not None else patch
        if present is MISSING or present is None:
            # A null that the base already had stays; a null of the patch deletes.
            return None if patch is MISSING and base is None else MISSING
        if patch is not MISSING and patch is not None and present is base:
            self._check(base, patch, path)
        if isinstance(present, dict):
            return self._map(base, patch, field, path)
        if isinstance(present, list):
            if field.keys is None:
                return _overlay(base, patch)
            return self._list(base, patch, field, path)
        return _overlay(base, patch)

    @staticmethod
    def _check(base: Any, patch: Any, path: str) -> None:
        if _shape(base) != _shape(patch):
            raise TransformError(
                f"patch has a {_shape(patch)} at {path.lstrip('.') or 'the root'}, "
                f"where the resource has a {_shape(base)}"
            )

    def _map(self, base: Any, patch: Any, field: Field, path: str) -> Any:
        if base is MISSING or base is None:
            if _directive(patch, strict=False) == "delete":
                return MISSING
            result = patch
        elif patch is None:
            return MISSING
        elif patch is MISSING:
            result = base
            if not field.type and not self.blanks:
                return base
        else:
            directive = _directive(patch)
            if directive == "delete":
                return MISSING
            result = patch if directive == "replace" else base
        fields = fields_of(field.type)
        names = {*result, *patch} if isinstance(patch, dict) else {*result}
        for name in sorted(names):
            theirs = patch.get(name, MISSING) if isinstance(patch, dict) else MISSING
            entry = fields.get(name, _ATOMIC)
            if theirs is MISSING and result[name] is None and (id(result), name) in self.blanks:
                del result[name]
                continue
            value = self.walk(result.get(name, MISSING), theirs, entry, f"{path}.{name}")
            if value is MISSING:
                result.pop(name, None)
                continue
            if self.taken and theirs is not MISSING and result is not patch:
                whole = value is theirs or not isinstance(value, dict | list)
                if whole and value != result.get(name, MISSING):
                    self.taken((result, name, patch, name))
            result[name] = value
        return result

    def _list(self, base: Any, patch: Any, field: Field, path: str) -> Any:
        if base is MISSING or base is None:
            result = patch
        elif patch is None:
            return MISSING
        elif patch is MISSING:
            result = base
        else:
            directive = _list_directive(patch)
            if directive == "delete":
                return MISSING
            result = patch if directive == "replace" else base
        sources = [result, patch if isinstance(patch, list) else None]
        if not field.keys:
            merged = _union(sources)
            if self.taken:
                self._tell(merged, sources)
            return merged
        return self._associate(result, sources, field, path)

    def _tell(self, merged: list[Any], sources: list[list[Any] | None]) -> None:
        """Say of each element of a merged set where it was first."""
        assert self.taken is not None
        for index, item in enumerate(merged):
            source, place = next(
                (source, place)
                for source in reversed(sources)
                for place, one in enumerate(source or ())
                if text(one) == text(item)
            )
            self.taken((merged, index, source, place))

    def _associate(
        self, result: list[Any], sources: list[list[Any] | None], field: Field, path: str
    ) -> list[Any]:
        keys = list(field.keys or ())
        if sources[1] is None and _is_regular(result, keys):
            # Nothing to merge with, and every element finds only itself: the list stays.
            for index, item in enumerate(result if field.type or self.blanks else ()):
                inner = f"{path}[{index}]"
                result[index] = self.walk(item, MISSING, Field(field.type, None), inner)
            return result
        rows = _rows(sources, keys)
        if len(keys) > 1:
            _unify(rows)
        merged: list[Any] = []
        valid: list[str] = []
        for row in rows:
            valid, values = _validate(rows, row, keys)
            pair = [self._find(source, valid, values) for source in sources]
            item = self.walk(pair[0], pair[1], Field(field.type, None), f"{path}[{values[0]}]")
            if item is MISSING or item is None or item == {}:
                result[:] = _set(result, None, valid, values)
                continue
            for key, value in zip(valid, values, strict=False):
                if key not in item and value:
                    item[key] = value
            merged = _set(merged, item, valid, values)
        if not rows:
            return result
        for item in result:
            merged = self._append(merged, item, valid)
        return merged

    def _key_text(self, item: dict[str, Any], key: str) -> str:
        """Return what a merge key's value reads; nothing for a key without a value."""
        value = item[key]
        return "" if value is None and (id(item), key) in self.blanks else text(value)

    def _find(self, source: list[Any] | None, keys: list[str], values: list[str]) -> Any:
        if source is None:
            return MISSING
        if len(keys) == len(values):
            keys, values = _validate([values], values, keys)
        if len(keys) != len(values):
            return MISSING
        for item in source:
            if isinstance(item, dict) and all(
                key in item and self._key_text(item, key) == value
                for key, value in zip(keys, values, strict=False)
            ):
                return item
        return MISSING

    def _append(self, merged: list[Any], item: Any, keys: list[str]) -> list[Any]:
        """Put an element of the base behind the merged ones, or in the place it already has."""
        values: list[str] = []
        for key in keys:
            if not isinstance(item, dict) or item.get(key, MISSING) is MISSING:
                merged.append(item)
                continue
            values.append(self._key_text(item, key))
        if len(keys) > 1:
            merged = _set(merged, None, keys, values)
        return _set(merged, item, keys, values)


def _is_regular(items: list[Any], keys: list[str]) -> bool:
    """Say whether every element has all keys, no two of them the same ones."""
    seen = set()
    for item in items:
        if not isinstance(item, dict):
            return False
        row = tuple(text(item[key]) if item.get(key) is not None else "" for key in keys)
        if row in seen or not all(row):
            return False
        seen.add(row)
    return True


def _overlay(base: Any, patch: Any) -> Any:
    if patch is MISSING:
        return base
    if patch is None:
        return MISSING
    if isinstance(base, str) and not isinstance(patch, dict | list):
        return overlay(base, patch)
    return str(patch) if is_text(patch) and base is not MISSING else patch


def _shape(value: Any) -> str:
    return "map" if isinstance(value, dict) else "list" if isinstance(value, list) else "scalar"


def _directive(patch: Any, *, strict: bool = True) -> str:
    """Take the `$patch` directive out of a map."""
    if not isinstance(patch, dict) or _DIRECTIVE not in patch:
        return "merge"
    value = text(patch[_DIRECTIVE])
    if value in {"delete", "replace", "merge"}:
        del patch[_DIRECTIVE]
        return value
    if strict:
        raise TransformError(f"unknown patch strategy {value!r}: use delete, replace or merge")
    return "merge"


def _list_directive(patch: list[Any]) -> str:
    """Take a lone `- $patch: …` element out of a list."""
    for item in patch:
        if isinstance(item, dict) and item.get(_DIRECTIVE) is not None:
            if len(item) > 1:
                return "merge"
            value = text(item[_DIRECTIVE])
            if value not in {"delete", "replace", "merge"}:
                raise TransformError(
                    f"unknown patch strategy {value!r}: use delete, replace or merge"
                )
            patch[:] = _set(patch, None, [_DIRECTIVE], [value])
            return value
    return "merge"


def _union(sources: list[list[Any] | None]) -> list[Any]:
    """Merge lists of scalars as sets: the patch's first, then what only the base has.

    What both have is in the base's style.
    """
    ours = {text(item): item for item in sources[0] or ()}
    seen: dict[str, Any] = {}
    for item in sources[1] or ():
        seen.setdefault(text(item), _overlay(ours.get(text(item), MISSING), item))
    for item in sources[0] or ():
        seen.setdefault(text(item), item)
    return list(seen.values())


def _rows(sources: list[list[Any] | None], keys: list[str]) -> list[list[str]]:
    """List the elements' key values, the patch's first, each once."""
    rows: list[list[str]] = []
    for source in reversed(sources):
        for item in source or ():
            found = item if isinstance(item, dict) else {}
            row = [text(found[key]) if found.get(key) is not None else "" for key in keys]
            if row not in rows:
                rows.append(row)
    return rows


def _unify(rows: list[list[str]]) -> None:
    """Fill the gaps of rows from rows that agree with them in another key."""
    for one in range(len(rows)):
        left = rows[one]
        for other, right in enumerate(list(rows)):
            if any(a and b and a != b for a, b in zip(left, right, strict=True)):
                continue
            if any(a == b for a, b in zip(left, right, strict=True)):
                joined = [a or b for a, b in zip(left, right, strict=True)]
                rows[one] = rows[other] = joined


def _validate(
    rows: list[list[str]], row: list[str], keys: list[str]
) -> tuple[list[str], list[str]]:
    """Leave out the keys that no row has a value for."""
    used = {key for other in rows for key, value in zip(keys, other, strict=True) if value}
    if not used:
        return keys, row
    values = [value for key, value in zip(keys, row, strict=True) if value or key in used]
    return [key for key in keys if key in used], values


def _set(items: list[Any], element: Any, keys: list[str], values: list[str]) -> list[Any]:
    """Replace the elements with these keys by `element`, or append it; None removes them."""
    kept: list[Any] = []
    replaced = False
    for item in items:
        if item is None or item == {}:
            continue
        if not isinstance(item, dict):
            kept.append(item)
            continue
        if not _matches(item, keys, values):
            if values:
                kept.append(item)
            continue
        replaced = True
        if element is not None:
            kept.append(element)
    if element is not None and not replaced:
        kept.append(element)
    return kept


def _matches(item: dict[str, Any], keys: list[str], values: list[str]) -> bool:
    found = False
    for index, key in enumerate(keys):
        if index < len(values):
            wanted = values[index]
            found = key in item and (not wanted or text(item[key]) == wanted)
        if not found:
            return False
    return True
