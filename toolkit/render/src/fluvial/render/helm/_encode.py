"""`toJson`, `toYaml`, `toToml` and their kin: Go's encoders on template values.

Values pass through Go's JSON on their way to YAML, so whole floats come out as integers there.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from fluvial.render.gotemplate import FunctionError
from fluvial.render.yaml import dump

__all__ = ["go_json_float", "plain", "to_json", "to_pretty_json", "to_toml", "to_yaml"]

_SMALLEST, _LARGEST = -(2**63), 2**64
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_LINES = {"\u2028": "\\u2028", "\u2029": "\\u2029"}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TOML_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
    **{chr(n): f"\\u{n:04x}" for n in (*range(8), 11, *range(14, 32), 127)},
}  # fmt: skip


class Ordered(dict[str, Any]):
    """The fields of a Go struct: JSON keeps their order, where it sorts the keys of a map."""


def plain(value: Any) -> Any:
    """Return `value` in JSON's types. Raises FunctionError for what JSON cannot say."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if value - value != 0:
            raise FunctionError(f"json: unsupported value: {value}")
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    as_json = getattr(value, "as_json", None)
    if callable(as_json):
        return Ordered(plain(as_json()))
    raise FunctionError(f"json: unsupported type: {type(value).__name__}")


def go_json_float(number: float) -> str:
    """Print a float as Go's encoding/json does: exponents only below 1e-6 and from 1e21."""
    digits = repr(number)
    if number == 0:
        return "-0" if digits.startswith("-") else "0"
    if abs(number) < 1e-6 or abs(number) >= 1e21:
        mantissa, _, exponent = f"{number!r}".partition("e")
        mantissa = mantissa.removesuffix(".0")
        return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
    from decimal import Decimal  # noqa: PLC0415  (only for numbers, which are few in charts)

    return f"{Decimal(digits):f}".removesuffix(".0")


def _string(text: str, *, html: bool) -> str:
    written = msgspec.json.encode(text).decode()
    for table in (_HTML, _LINES) if html else (_LINES,):
        for char, escape in table.items():
            if char in written:
                written = written.replace(char, escape)
    return written


def to_json(value: Any, *, html: bool = True) -> str:
    """Print compact JSON with sorted keys. Raises FunctionError."""
    return "".join(_json(plain(value), html, "", ""))


def to_pretty_json(value: Any) -> str:
    """Print JSON indented by two spaces. Raises FunctionError."""
    return "".join(_json(plain(value), True, "  ", "\n"))


def _json(value: Any, html: bool, step: str, line: str) -> Iterator[str]:
    """Write JSON; `line` is the line break with the indentation of where the value stands."""
    if isinstance(value, dict):
        yield "{"
        for index, key in enumerate(value if isinstance(value, Ordered) else sorted(value)):
            yield f"{',' if index else ''}{line}{step}{_string(key, html=html)}:"
            yield " " if line else ""
            yield from _json(value[key], html, step, line + step if line else "")
        yield f"{line}}}" if value else "}"
    elif isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            yield f"{',' if index else ''}{line}{step}"
            yield from _json(item, html, step, line + step if line else "")
        yield f"{line}]" if value else "]"
    elif isinstance(value, str):
        yield _string(value, html=html)
    elif isinstance(value, float):
        yield go_json_float(value)
    else:
        yield (
            {None: "null", True: "true", False: "false"}[value]
            if (value is None or isinstance(value, bool))
            else str(value)
        )


def to_yaml(value: Any) -> str:
    """Print YAML as sigs.k8s.io/yaml does, without the last newline. Raises FunctionError."""
    return dump(_whole(plain(value))).removesuffix("\n")


def _whole(value: Any) -> Any:
    """Turn floats that JSON prints as integers into integers, as the YAML reader then does."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer() and _SMALLEST <= value < _LARGEST:
        text = go_json_float(value)
        return int(text) if "e" not in text else value
    return value


def to_toml(value: Any) -> str:
    """Print TOML: scalars first, then tables, nested ones indented. Raises FunctionError."""
    if not isinstance(value, Mapping):
        return _toml_inline(value)
    return "".join(_toml_table(value, (), "")).removeprefix("\n")


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _toml_text(key)


def _toml_text(text: str) -> str:
    return '"' + "".join(_TOML_ESCAPES.get(char, char) for char in text) + '"'


def _is_tables(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def _toml_table(value: Mapping[str, Any], path: tuple[str, ...], pad: str) -> Iterator[str]:
    """Write a table's entries; headers of the first level follow a blank line."""
    later = []
    for key in sorted(value):
        item = value[key]
        if isinstance(item, Mapping) or _is_tables(item):
            later.append(key)
        elif item is not None:
            yield f"{pad}{_toml_key(key)} = {_toml_inline(item)}\n"
    for key in later:
        item = value[key]
        inner = (*path, key)
        name = ".".join(map(_toml_key, inner))
        deeper = pad + "  "
        blank = "" if path else "\n"
        if isinstance(item, Mapping):
            yield f"{blank}{pad}[{name}]\n"
            yield from _toml_table(item, inner, deeper)
        else:
            for one in item:
                yield f"{blank}{pad}[[{name}]]\n"
                yield from _toml_table(one, inner, deeper)


def _toml_inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _toml_text(value)
    if isinstance(value, float):
        return _toml_float(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, list | tuple):
        if any(item is None for item in value):
            raise FunctionError("toml: array cannot contain nil elements")
        return f"[{', '.join(map(_toml_inline, value))}]"
    if isinstance(value, Mapping):
        pairs = (
            f"{_toml_key(key)} = {_toml_inline(value[key])}"
            for key in sorted(value)
            if value[key] is not None
        )
        return f"{{{', '.join(pairs)}}}"
    raise FunctionError(f"toml: unsupported type: {type(value).__name__}")


def _toml_float(number: float) -> str:
    """Print a float as Go's %v with at least one decimal."""
    if number.is_integer() and abs(number) < 1e6:
        return f"{int(number)}.0"
    digits, _, exponent = repr(number).partition("e")
    if exponent:
        return f"{digits.removesuffix('.0')}e{exponent[0]}{exponent[1:].zfill(2)}"
    if abs(number) < 1e6:
        return digits
    return dump(number).strip()
