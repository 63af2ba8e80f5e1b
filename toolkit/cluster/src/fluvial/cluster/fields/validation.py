"""Validation of custom resources against their OpenAPI schema.

Follows go-openapi/validate as the API server uses it, so that messages are the same: each schema
is a row of checks that apply by the kind of the value, and of the alternatives of `anyOf` and
`oneOf` the errors of the one that matched best are kept.

Updates are ratcheted: what is wrong in a part that did not change is not held against the new
object. Parts are matched by field name, and by key in lists of type map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from fluvial.cluster.fields.errors import FieldError
from fluvial.cluster.fields.formats import is_of_format
from fluvial.cluster.fields.schema import MISSING
from fluvial.cluster.fields.values import equal

__all__ = [
    "correlated_items",
    "go_number",
    "pattern",
    "validate_embedded",
    "validate_lists",
    "validate_schema",
]

_RANGES = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "int64": (-(2**63), 2**63 - 1),
}


def validate_schema(
    schema: dict[str, Any], value: Any, old: Any = MISSING, path: str = ""
) -> list[FieldError]:
    """Return what is wrong with a value; `old` is what it replaces, for ratcheting."""
    return _validate(schema, value, old, path).errors


@dataclass(slots=True)
class _Result:
    errors: list[FieldError] = field(default_factory=list)
    matches: int = 0

    def add(self, *errors: FieldError) -> None:
        self.errors.extend(errors)
        self.matches += not errors

    def merge(self, other: _Result) -> None:
        self.errors.extend(other.errors)
        self.matches += other.matches


def _validate(schema: dict[str, Any], value: Any, old: Any, path: str) -> _Result:
    result = _Result()
    if old is not MISSING and equal(value, old):
        return result
    result.add(*_type(schema, value, path))
    if value is None:
        if not schema.get("nullable"):
            result.add(*_enum(schema, value, path))
        return result
    result.merge(_composites(schema, value, old, path))
    if isinstance(value, str):
        result.add(*_string(schema, value, path))
    elif isinstance(value, bool):
        pass
    elif isinstance(value, int | float):
        result.add(*_number(schema, value, path))
    elif isinstance(value, list):
        result.merge(_list(schema, value, old, path))
    else:
        result.merge(_object(schema, value, old, path))
    result.add(*_enum(schema, value, path))
    return result


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _types(schema: dict[str, Any]) -> tuple[str, ...]:
    if schema.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    wanted = schema.get("type")
    return (wanted,) if wanted else ()


def _type(schema: dict[str, Any], value: Any, path: str) -> Iterator[FieldError]:
    wanted = _types(schema)
    if not wanted:
        return
    kind = _kind(value)
    if kind == "null" and schema.get("nullable"):
        return
    fits = kind in wanted
    fits |= kind == "integer" and "number" in wanted
    fits |= kind == "number" and "integer" in wanted and float(value).is_integer()
    if not fits:
        text = f'{path} in body must be of type {",".join(wanted)}: "{kind}"'
        yield FieldError("FieldValueTypeInvalid", path, kind, text)


def _invalid(path: str, value: Any, text: str) -> FieldError:
    return FieldError("FieldValueInvalid", path, value, f"{path} in body {text}")


def _nowhere(text: str) -> FieldError:
    """Return an error of the library's that has no place, as upstream prints it."""
    return FieldError("FieldValueInvalid", "<nil>", "", text)


@lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    r"""Return a compiled Go regular expression; raises re.error for what neither side can read.

    The grammars agree but for a few spellings: `\z` and POSIX classes are put into Python's.
    """
    text = text.replace("\\z", "\\Z")
    for name, chars in _POSIX.items():
        text = text.replace(f"[:{name}:]", chars)
    text = re.sub(r"(?<!\\)((?:\\\\)*)\$(?!\))$", r"\1\\Z", text)
    return re.compile(text, re.ASCII)


_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z",
    "space": r"\t\n\v\f\r ", "xdigit": "0-9A-Fa-f", "word": r"\w", "punct": r"!-/:-@\[-`{-~",
}  # fmt: skip


def _string(schema: dict[str, Any], value: str, path: str) -> Iterator[FieldError]:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    if longest is not None and len(value) > longest:
        unit = "byte" if longest == 1 else "bytes"
        text = f"may not be more than {longest} {unit}"
        yield FieldError("FieldValueTooLong", path, value, text)
    if shortest is not None and len(value) < shortest:
        yield _invalid(path, value, f"should be at least {shortest} chars long")
    if (expression := schema.get("pattern")) and not pattern(expression).search(value):
        yield _invalid(path, value, f"should match '{expression}'")
    name = schema.get("format", "")
    if name and not is_of_format(value, name):
        text = f"{path} in body must be of type {name}: {msgspec.json.encode(value).decode()}"
        yield FieldError("FieldValueTypeInvalid", path, value, text)


def go_number(value: float) -> str:
    """Return a number as Go's `%v` prints a float64."""
    number = float(value)
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    return repr(number)


def _number(schema: dict[str, Any], value: float, path: str) -> Iterator[FieldError]:
    wanted, name = schema.get("type"), schema.get("format", "")
    if wanted == "integer":
        low, high = _RANGES.get(name, _RANGES["int64"])
        if not (float(value).is_integer() and low <= value <= high):
            form = f"with format {name}" if name in _RANGES else "(default format)"
            yield _nowhere(f"Checked value must be of type integer {form} in {path}")
    factor = schema.get("multipleOf")
    if factor is not None and not (value / factor).is_integer():
        yield _invalid(path, value, f"should be a multiple of {go_number(factor)}")
    high_limit, low_limit = schema.get("maximum"), schema.get("minimum")
    if high_limit is not None:
        if schema.get("exclusiveMaximum"):
            if value >= high_limit:
                yield _invalid(path, value, f"should be less than {go_number(high_limit)}")
        elif value > high_limit:
            yield _invalid(path, value, f"should be less than or equal to {go_number(high_limit)}")
    if low_limit is not None:
        if schema.get("exclusiveMinimum"):
            if value <= low_limit:
                yield _invalid(path, value, f"should be greater than {go_number(low_limit)}")
        elif value < low_limit:
            text = f"should be greater than or equal to {go_number(low_limit)}"
            yield _invalid(path, value, text)


def _enum(schema: dict[str, Any], value: Any, path: str) -> Iterator[FieldError]:
    allowed = schema.get("enum")
    if allowed and not any(equal(value, item) for item in allowed):
        names = sorted(
            item if isinstance(item, str) else msgspec.json.encode(item).decode()
            for item in allowed
        )
        shown = ", ".join(f'"{name}"' for name in names)
        yield FieldError("FieldValueNotSupported", path, value, f"supported values: {shown}")


def _too_many(path: str, count: int, limit: int) -> FieldError:
    unit = "item" if limit == 1 else "items"
    return FieldError("FieldValueTooMany", path, count, f"must have at most {limit} {unit}")


def _list(schema: dict[str, Any], value: list[Any], old: Any, path: str) -> _Result:
    result = _Result()
    items = schema.get("items")
    if isinstance(items, dict):
        before = correlated_items(schema, value, old)
        for index, item in enumerate(value):
            result.merge(_validate(items, item, before[index], f"{path}[{index}]"))
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None and len(value) > most:
        result.add(_too_many(path, len(value), most))
    if least is not None and len(value) < least:
        result.add(_invalid(path, len(value), f"should have at least {least} items"))
    return result


def correlated_items(schema: dict[str, Any], value: list[Any], old: Any) -> list[Any]:
    """Return for each item the one that it replaces, or MISSING: by key in lists of type map."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return [MISSING] * len(value)
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    properties = (schema.get("items") or {}).get("properties") or {}

    def identity(item: Any) -> bytes:
        if not isinstance(item, dict):
            return b""
        wanted = [item.get(k, (properties.get(k) or {}).get("default")) for k in keys]
        return msgspec.json.encode(wanted)

    before = {identity(item): item for item in old if isinstance(item, dict)}
    return [before.get(identity(item), MISSING) for item in value]


def _object(schema: dict[str, Any], value: dict[str, Any], old: Any, path: str) -> _Result:
    result = _Result()
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        result.add(_too_many(path, len(value), most))
    if least is not None and len(value) < least:
        result.add(_invalid(path, len(value), f"should have at least {least} properties"))
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    for name in schema.get("required") or ():
        if name not in value:
            result.add(FieldError("FieldValueRequired", _join(path, name), "", ""))
        else:
            result.matches += 1
    before = old if isinstance(old, dict) else {}
    for name, item in value.items():
        child = properties.get(name)
        if child is None and isinstance(additional, dict):
            child = additional
        if child is not None:
            result.merge(_validate(child, item, before.get(name, MISSING), _join(path, name)))
    return result


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _composites(schema: dict[str, Any], value: Any, old: Any, path: str) -> _Result:
    result = _Result()
    if alternatives := schema.get("anyOf"):
        found = [_validate(child, value, old, path) for child in alternatives]
        if all(one.errors for one in found):
            text = f'"{path}" must validate at least one schema (anyOf)'
            result.add(_nowhere(text))
            result.merge(max(found, key=lambda one: one.matches))
    if alternatives := schema.get("oneOf"):
        found = [_validate(child, value, old, path) for child in alternatives]
        valid = sum(not one.errors for one in found)
        if valid != 1:
            how = f"Found {valid} valid alternatives" if valid else "Found none valid"
            text = f'"{path}" must validate one and only one schema (oneOf). {how}'
            result.add(_nowhere(text))
            if not valid:
                result.merge(max(found, key=lambda one: one.matches))
    if parts := schema.get("allOf"):
        found = [_validate(child, value, old, path) for child in parts]
        for one in found:
            result.merge(one)
        failed = sum(bool(one.errors) for one in found)
        if failed:
            how = ". None validated" if failed == len(found) else ""
            result.add(_nowhere(f'"{path}" must validate all the schemas (allOf){how}'))
    if (refused := schema.get("not")) and not _validate(refused, value, MISSING, path).errors:
        result.add(_nowhere(f'"{path}" must not validate the schema (not)'))
    return result


def validate_lists(
    schema: dict[str, Any], value: Any, old: Any = MISSING, path: str = ""
) -> Iterator[FieldError]:
    """Yield the duplicates of lists of type set and map."""
    if old is not MISSING and equal(value, old):
        return
    if isinstance(value, list):
        yield from _duplicates(schema, value, path)
        items = schema.get("items")
        if isinstance(items, dict):
            before = correlated_items(schema, value, old)
            for index, item in enumerate(value):
                yield from validate_lists(items, item, before[index], f"{path}[{index}]")
    elif isinstance(value, dict):
        properties = schema.get("properties") or {}
        additional = schema.get("additionalProperties")
        before_map = old if isinstance(old, dict) else {}
        for name, item in value.items():
            child = properties.get(name, additional)
            if isinstance(child, dict):
                yield from validate_lists(
                    child, item, before_map.get(name, MISSING), _join(path, name)
                )


def _duplicates(schema: dict[str, Any], value: list[Any], path: str) -> Iterator[FieldError]:
    list_type = schema.get("x-kubernetes-list-type")
    if list_type not in {"set", "map"}:
        return
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[Any] = []
    reported: list[Any] = []
    for index, item in enumerate(value):
        identity = item
        if list_type == "map":
            if not isinstance(item, dict):
                continue
            identity = {key: item[key] for key in keys if key in item}
        if not any(equal(identity, other) for other in seen):
            seen.append(identity)
        elif not any(equal(identity, other) for other in reported):
            reported.append(identity)
            yield FieldError("FieldValueDuplicate", f"{path}[{index}]", identity, "")


def validate_embedded(
    schema: dict[str, Any], value: Any, old: Any = MISSING, path: str = ""
) -> Iterator[FieldError]:
    """Yield what is missing in objects that are embedded whole: apiVersion and kind."""
    if old is not MISSING and equal(value, old):
        return
    if isinstance(value, dict):
        if schema.get("x-kubernetes-embedded-resource"):
            for name in ("apiVersion", "kind"):
                if not value.get(name):
                    text = "must not be empty"
                    yield FieldError("FieldValueRequired", _join(path, name), None, text)
        properties = schema.get("properties") or {}
        additional = schema.get("additionalProperties")
        before_map = old if isinstance(old, dict) else {}
        for name, item in value.items():
            child = properties.get(name, additional)
            if isinstance(child, dict):
                yield from validate_embedded(
                    child, item, before_map.get(name, MISSING), _join(path, name)
                )
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        before = correlated_items(schema, value, old)
        for index, item in enumerate(value):
            yield from validate_embedded(schema["items"], item, before[index], f"{path}[{index}]")
