"""`toYamlPretty`: the style of go-yaml v3 with an indent of two.

Sequences are indented below their key, nothing is folded, floats keep their exponent.
"""

import base64
from typing import Any, Final, Self

from fluvial.render.gotemplate import FunctionError
from fluvial.render.gotemplate._format import DEEPEST
from fluvial.render.gotemplate._values import to_bytes
from fluvial.render.gotemplate.gojson import Fields, plain
from fluvial.render.gotemplate.sprig.durations import GoDuration
from fluvial.render.gotemplate.sprig.moments import GoTime
from fluvial.render.helm._reading import utf8_problem
from fluvial.render.yaml import Layout, write_unfolded

__all__ = ["to_yaml_pretty"]

_BINARY_LINE: Final = 70
_LAYOUT: Final = Layout(
    indented_lists=True, tabs_in_blocks=True, own_order=Fields, newer_order=True
)


def to_yaml_pretty(value: Any) -> str:
    """Print a value. Raises FunctionError."""
    return write_unfolded(_shaped(value, 0), _LAYOUT).removesuffix("\n")


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
    if isinstance(value, str) and utf8_problem(value):
        return _Bare(_binary(value))
    if isinstance(value, GoDuration):
        return str(value)
    if isinstance(value, GoTime):
        return _Bare(value.json_text())
    shaped = plain(value, finite=False)
    return _lowered(shaped) if isinstance(shaped, Fields) else shaped


def _binary(text: str) -> str:
    """Write a text that is no UTF-8: in base64, which is a block when it is long."""
    encoded = base64.b64encode(to_bytes(text)).decode()
    if len(encoded) <= _BINARY_LINE:
        return f"!!binary {encoded}"
    starts = range(0, len(encoded), _BINARY_LINE)
    return "\n".join(["!!binary |", *(encoded[at : at + _BINARY_LINE] for at in starts)])


class _Bare(int):
    """Something that the writer takes for a number, printed as a text without quotes."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Make one of its text."""
        made = super().__new__(cls)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


def _lowered(value: Any) -> Any:
    if isinstance(value, Fields):
        return Fields((key.lower(), _lowered(item)) for key, item in value.items())
    return value
