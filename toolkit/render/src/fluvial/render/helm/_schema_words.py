"""Violations of a schema in helm's words, as far as those quote no value."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import jsonschema_rs

__all__ = ["worded"]

_SIZES: Final = {
    "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties",
}  # fmt: skip
_TYPES: Final = {
    type(None): "null", bool: "boolean", str: "string", list: "array", dict: "object",
}  # fmt: skip


def worded(errors: Iterable["jsonschema_rs.ValidationError"]) -> list[str]:
    """Return a line for each violation, pointer first, sorted.

    Bounds and patterns keep the library's words: helm's would tell the value, which may be secret.
    """
    missing: dict[str, list[str]] = {}
    lines = []
    for error in errors:
        pointer = "".join(f"/{part}" for part in error.instance_path)
        kind: Any = error.kind
        if kind.name == "required":
            missing.setdefault(pointer, []).append(_quoted(kind.property))
        else:
            lines.append(f"'{pointer}': {_words(error)}")
    for pointer, names in missing.items():
        noun = "property" if len(names) == 1 else "properties"
        lines.append(f"'{pointer}': missing {noun} {', '.join(names)}")
    return sorted(lines)


def _words(error: "jsonschema_rs.ValidationError") -> str:
    kind: Any = error.kind
    value: Any = error.instance
    match kind.name:
        case "type":
            got = _TYPES.get(type(value), "number")
            return f"got {got}, want {' or '.join(kind.types)}"
        case "additionalProperties":
            names = ", ".join(map(_quoted, sorted(kind.unexpected)))
            return f"additional properties {names} not allowed"
        case "enum" if all(isinstance(one, str | int) for one in kind.options):
            options = [
                _quoted(one) if isinstance(one, str) else str(one).lower() for one in kind.options
            ]
            return f"value must be one of {', '.join(options)}"
        case name if name in _SIZES:
            return f"{name}: got {len(value)}, want {kind.limit}"
        case _:
            return error.message


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
