"""JSON as Go's encoding/json writes and reads it into untyped values."""

import base64
import json
import math
from typing import Any

import msgspec

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import DEEPEST, format_float
from fluvial.render.gotemplate._values import to_bytes, type_of

__all__ = ["decode", "encode"]

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def encode(value: Any, *, indent: int = 0, html: bool = True) -> str:
    """Encode: keys sorted, numbers in ES6's form, `< > &` escaped unless `html` is False.

    Raises FunctionError for what JSON does not have.
    """
    return _encode(value, indent, html, 0)


def _encode(value: Any, indent: int, html: bool, depth: int) -> str:
    if depth > DEEPEST:
        raise FunctionError("json: unsupported value: encountered a cycle")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value, html)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, bytes):
        return f'"{base64.b64encode(value).decode()}"'
    inner = "\n" + " " * indent * (depth + 1) if indent else ""
    outer = "\n" + " " * indent * depth if indent else ""
    if isinstance(value, dict):
        if not value:
            return "{}"
        colon = ": " if indent else ":"
        pairs = [
            _string(str(key), html) + colon + _encode(value[key], indent, html, depth + 1)
            for key in sorted(value)
        ]
        return "{" + inner + f",{inner}".join(pairs) + outer + "}"
    if isinstance(value, list):
        if not value:
            return "[]"
        items = [_encode(item, indent, html, depth + 1) for item in value]
        return "[" + inner + f",{inner}".join(items) + outer + "]"
    fields = getattr(value, "go_fields", None)
    if fields is not None:
        return _encode(dict(fields), indent, html, depth)
    if callable(value):
        raise FunctionError(f"json: unsupported type: {type_of(value)}")
    return _string(str(value), html)


def _string(text: str, html: bool) -> str:
    if not text.isascii():
        text = to_bytes(text).decode("utf-8", "replace")
    encoded = json.dumps(text, ensure_ascii=False)
    encoded = encoded.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    if html:
        for char, escape in _ESCAPES.items():
            encoded = encoded.replace(char, escape)
    return encoded


def _float(number: float) -> str:
    if math.isnan(number) or math.isinf(number):
        raise FunctionError(f"json: unsupported value: {format_float(number)}")
    size = abs(number)
    if size and (size < 1e-6 or size >= 1e21):
        mantissa, _, exponent = repr(number).partition("e")
        if not exponent:
            mantissa, _, exponent = f"{number:e}".partition("e")
        return f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}"
    if number.is_integer():
        return ("-" if math.copysign(1, number) < 0 else "") + str(int(size))
    text = repr(number)
    return text if "e" not in text else f"{number:.20f}".rstrip("0")


def decode(text: str) -> Any:
    """Decode; every number is a float. Raises FunctionError."""
    try:
        return _floats(msgspec.json.decode(text.encode()))
    except (msgspec.DecodeError, RecursionError) as error:
        raise FunctionError(str(error)) from None


def _floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
