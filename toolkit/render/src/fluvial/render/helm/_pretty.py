"""`toYamlPretty`: the style of go-yaml v3 with an indent of two.

Sequences are indented below their key, nothing is folded, floats keep their exponent.
"""

from typing import Any

from fluvial.render.gotemplate import FunctionError
from fluvial.render.helm._encode import plain
from fluvial.render.yaml import dump

__all__ = ["to_yaml_pretty"]


def to_yaml_pretty(value: Any) -> str:
    """Print a value. Raises FunctionError."""
    return "\n".join(_lines(plain(value)))


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        return _mapping(value)
    if isinstance(value, list) and value:
        return _sequence(value)
    return _scalar(value)


def _mapping(value: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    order = [line.rpartition(":")[0] for line in dump(dict.fromkeys(value)).splitlines()]
    written = {_key(key): key for key in value}
    for shown in order:
        item = value[written[shown]]
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
