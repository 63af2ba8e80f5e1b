"""`toYamlPretty`: the style of go-yaml v3 with an indent of two.

Sequences are indented below their key, nothing is folded, floats keep their exponent.
"""

from typing import Any, Final

from fluvial.render.gotemplate import FunctionError
from fluvial.render.gotemplate._format import DEEPEST
from fluvial.render.gotemplate.gojson import Fields, plain
from fluvial.render.gotemplate.sprig.durations import GoDuration
from fluvial.render.gotemplate.sprig.moments import GoTime
from fluvial.render.yaml import dump
from fluvial.render.yaml._emit import sorted_keys

__all__ = ["to_yaml_pretty"]

_HIDDEN_TAB: Final = "\ue009"


def to_yaml_pretty(value: Any) -> str:
    """Print a value. Raises FunctionError."""
    return "\n".join(_lines(_shaped(value, 0)))


def _shaped(value: Any, depth: int) -> Any:
    """Bring a value to YAML's types: structs become maps of their fields in small letters."""
    if depth > DEEPEST:
        raise FunctionError("yaml: the value is nested too deep, or holds itself")
    if isinstance(value, dict):
        return {str(key): _shaped(value[key], depth + 1) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_shaped(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, GoDuration):
        return str(value)
    if isinstance(value, GoTime):
        return value
    shaped = plain(value, finite=False)
    return _lowered(shaped) if isinstance(shaped, Fields) else shaped


def _lowered(value: Any) -> Any:
    if isinstance(value, Fields):
        return Fields((key.lower(), _lowered(item)) for key, item in value.items())
    return value


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        return _mapping(value)
    if isinstance(value, list) and value:
        return _sequence(value)
    return _scalar(value)


def _mapping(value: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    keys = list(value) if isinstance(value, Fields) else sorted_keys(tuple(value))
    for key in keys:
        shown, item = _key(key), value[key]
        inner = _lines(item)
        if isinstance(item, dict | list) and item:
            lines.append(f"{shown}:")
            lines.extend(f"  {line}" if line else "" for line in inner)
        else:
            lines.append(f"{shown}: {inner[0]}")
            lines.extend(f"  {line}" if line else "" for line in inner[1:])
    return lines


def _key(key: str) -> str:
    lines = dump({key: None}).splitlines()
    if len(lines) != 1:
        raise FunctionError(f"toYamlPretty: the key {key!r} spans lines")
    return lines[0].rpartition(":")[0]


def _sequence(value: list[Any]) -> list[str]:
    lines: list[str] = []
    for item in value:
        inner = _lines(item)
        lines.append(f"- {inner[0]}")
        lines.extend(f"  {line}" if line else "" for line in inner[1:])
    return lines


def _scalar(value: Any) -> list[str]:
    """Write a scalar or an empty collection; the first line stands beside the key."""
    if isinstance(value, GoTime):
        return [value.json_text()]
    if isinstance(value, str) and "\n" in value and "\t" in value and _HIDDEN_TAB not in value:
        # This version of the writer keeps tabs in a literal block: hide them from the other one.
        return [
            line.replace(_HIDDEN_TAB, "\t") for line in _scalar(value.replace("\t", _HIDDEN_TAB))
        ]
    if not isinstance(value, str) or "\n" not in value:
        # Without a blank there is nothing to fold: hide them from the writer and put them back.
        return [_unfolded(value)]
    # A literal block's lines are indented by two: take that off, the caller indents.
    first, *rest = dump([value]).removesuffix("\n").split("\n")
    return [first.removeprefix("- "), *(line.removeprefix("  ") for line in rest)]


def _unfolded(value: Any) -> str:
    written = dump(value).removesuffix("\n")
    return (
        written if "\n" not in written else " ".join(part.strip() for part in written.split("\n"))
    )
