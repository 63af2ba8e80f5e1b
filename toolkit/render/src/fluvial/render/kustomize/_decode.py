"""Decoding configuration the way Go does: names match in any case, nulls are empty values."""

import re
import types
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from fluvial.render.kustomize._errors import KustomizationError
from fluvial.render.yaml import Position, YamlError, dump, load_documents

__all__ = ["decode", "line_of", "load_config", "positions_of"]

T = TypeVar("T")
_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")


@lru_cache(maxsize=256)
def _fields(struct: type) -> dict[str, tuple[str, Any]]:
    """Return a struct's fields by lower-case name."""
    hints = get_type_hints(struct)
    return {name.lower(): (name, hints[name]) for name in struct.__struct_fields__}  # type: ignore[attr-defined]  # every msgspec Struct has it


def _shape(value: Any, hint: Any, *, lenient: bool) -> Any:
    """Rename fields to their exact spelling and drop nulls; the types are checked later.

    Where unknown fields are dropped, scalars become strings if strings are wanted, as they do in
    the reader that upstream uses there.
    """
    if get_origin(hint) in {Union, types.UnionType}:
        hint = next(one for one in get_args(hint) if one is not type(None))
    origin = get_origin(hint)
    if isinstance(value, dict) and isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        known = _fields(hint)
        shaped: dict[str, Any] = {}
        for key, item in value.items():
            if key.lower() not in known:
                if not lenient:
                    shaped[key] = item
                continue
            name, inner = known[key.lower()]
            if item is not None:
                shaped[name] = _shape(item, inner, lenient=lenient)
        return shaped
    if isinstance(value, dict) and origin is dict and get_args(hint)[1] is str:
        return {
            key: "" if item is None else _shape(item, str, lenient=lenient)
            for key, item in value.items()
        }
    if lenient and hint is str and isinstance(value, bool | int | float):
        return dump(value).strip()
    if isinstance(value, list) and origin is list:
        inner = get_args(hint)[0]
        empty: Any = "" if inner is str else {}
        return [_shape(empty if item is None else item, inner, lenient=lenient) for item in value]
    return value


def positions_of(content: bytes | str, file: str) -> dict[str, Position]:
    """Read a text again for the places of its values; empty when it is no YAML."""
    try:
        documents = load_documents(content, file=file, positions=True)
    except YamlError:
        return {}
    return (documents[0].positions or {}) if documents else {}


def line_of(content: bytes | str, file: str, pointer: str) -> int:
    """Return the line of the value at a pointer, or of its nearest parent; 0 if there is none."""
    places = positions_of(content, file)
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return places[pointer].line if pointer in places else 0


def decode(
    value: Any, hint: type[T], *, file: str, content: bytes | str, lenient: bool = False
) -> T:
    """Turn decoded YAML into a struct or a list of them.

    `lenient` drops unknown fields instead of refusing them. Raises KustomizationError that quotes
    the line.
    """
    try:
        return msgspec.convert(_shape(value, hint, lenient=lenient), hint)
    except msgspec.ValidationError as error:
        message = str(error)
        pointer = ""
        if match := _AT.search(message):
            message = message[: match.start()]
            for step in _STEP.finditer(match[1]):
                if step[0] == "[...]":
                    break
                pointer += f"/{step[1] or step[2]}"
        if unknown := re.search(r"unknown field `(.*)`", message):
            pointer += f"/{unknown[1]}"
            message = f"unknown field {unknown[1]!r}"
        elif pointer:
            message = f"{pointer[1:].replace('/', '.')}: {message[0].lower()}{message[1:]}"
        source = content if isinstance(content, str) else content.decode("utf-8", "replace")
        raise KustomizationError(
            f"invalid configuration: {message}",
            file=file,
            line=line_of(content, file, pointer),
            text=source,
        ) from None


def load_config(content: bytes | str, hint: type[T], *, file: str, lenient: bool = False) -> T:
    """Read a configuration file of one document into a struct."""
    documents = load_documents(content, file=file, first=True)
    value = documents[0].value if documents else {}
    return decode(value, hint, file=file, content=content, lenient=lenient)
