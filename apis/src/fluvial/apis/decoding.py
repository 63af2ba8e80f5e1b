"""From decoded JSON to models and back, as tolerant as Go's decoder.

Errors: `DecodeError` (a ValueError) is the only one.
"""

import math
import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec

from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import Resource

__all__ = ["DecodeError", "decode", "decode_list", "encode"]

M = TypeVar("M", bound=Resource)

_FAILURE: Final = re.compile(r"^(?P<expected>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(?:\d+|\.\.\.)\]")


class DecodeError(ValueError):
    """An object that is not of its kind's form.

    `name` is `Kind namespace/name`, `path` the field as in `spec.interval` (empty for the object
    itself), and `expected` what should stand there.
    """

    def __init__(self, name: str, path: str, expected: str) -> None:
        super().__init__(f"{name}: {path or 'object'}: {expected}")
        self.name = name
        self.path = path
        self.expected = expected


def decode(kind: Kind[M], obj: Unstructured) -> M:
    """Read an object as its kind's model; `obj` is not changed.

    Unknown fields are ignored. A null stands for an absent field, and a fraction where the model
    has a whole number is rounded (Flagger's schema admits both). What only the API server checks
    is not checked again. Raises DecodeError when a required field is missing or a value has the
    wrong type.
    """
    copied = False
    while True:
        try:
            return msgspec.convert(obj, kind.model)
        except msgspec.ValidationError as error:
            found = _FAILURE.match(str(error))
            path = (found and found["path"]) or ""
            expected = found["expected"] if found else str(error)
        if not copied:
            obj, copied = _copy(obj), True
        # Each repair mends a field wherever it stands, so there are at most as many as fields.
        if not _repair(obj, path, whole=expected.startswith("Expected `int")):
            raise DecodeError(_name(kind, obj), path.removeprefix("."), expected)


def decode_list(
    kind: Kind[M], objects: Iterable[Unstructured]
) -> tuple[list[M], list[DecodeError]]:
    """Read many objects; one that cannot be read is an error beside the others."""
    models: list[M] = []
    errors: list[DecodeError] = []
    for obj in objects:
        try:
            models.append(decode(kind, obj))
        except DecodeError as error:
            errors.append(error)
    return models, errors


def encode(model: msgspec.Struct) -> Unstructured:
    """Return the JSON form of a model: Go's names, zero values left out."""
    obj: Unstructured = msgspec.to_builtins(model)
    return obj


def _name(kind: Kind[M], obj: Unstructured) -> str:
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    if not isinstance(metadata, dict):
        return kind.kind
    parts = (metadata.get("namespace"), metadata.get("name"))
    return f"{kind.kind} {'/'.join(str(part) for part in parts if part)}".rstrip()


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _repair(obj: Unstructured, path: str, *, whole: bool) -> bool:
    """Mend the values of a field that failed, in place; False when there was nothing to mend.

    Nulls go, and with `whole` fractions are rounded. msgspec names the first element of a list
    that failed and no key of a map; the same field is mended in all of them at once, so that an
    object with many odd values takes no longer than one.
    """
    steps = [match[1] for match in _STEP.finditer(path)]
    if not steps:
        return False
    parents: list[Any] = [obj]
    for step in steps[:-1]:
        parents = [child for parent in parents for _, child in _children(parent, step)]
    mended = False
    for parent in parents:
        for key, value in _children(parent, steps[-1]):
            if value is None:
                del parent[key]
                mended = True
            elif whole and isinstance(value, float) and math.isfinite(value):
                parent[key] = round(value)
                mended = True
    return mended


def _children(parent: Any, step: str | None) -> list[tuple[Any, Any]]:
    """Return key and value of one member, or for None of all members, last first."""
    if isinstance(parent, dict):
        if step is None:
            return list(parent.items())
        return [(step, parent[step])] if step in parent else []
    if isinstance(parent, list) and step is None:
        return list(enumerate(parent))[::-1]
    return []
