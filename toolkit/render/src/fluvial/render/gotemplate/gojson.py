"""JSON as Go's encoding/json writes it, and what of a template's values it makes.

Objects of other classes take part by what they have: `as_json()` gives a struct's fields under
their JSON names, `json_text()` the text of a time or a version, `go_fields` the exported fields.
"""

import base64
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._format import DEEPEST, format_float
from fluvial.render.gotemplate._values import is_nil, type_of

__all__ = ["Fields", "encode", "number_text", "plain", "well_formed"]

_HTML: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_LINES: Final = {"\u2028": "\\u2028", "\u2029": "\\u2029"}
_LOOSE_BYTE: Final = re.compile("[\udc80-\udcff]")
_MARKED: Final = re.compile("[<>&\u2028\u2029]")
_SEPARATORS: Final = re.compile("[\u2028\u2029]")


class Fields(dict[str, Any]):
    """The fields of a Go struct: JSON keeps their order, where it sorts the keys of a map."""

    __slots__ = ()


def well_formed(text: str) -> str:
    """Replace each byte that is no UTF-8, as Go does where a text must be one."""
    return text if text.isascii() else _LOOSE_BYTE.sub("\ufffd", text)


def plain(value: Any, *, finite: bool = True, depth: int = 0) -> Any:
    """Return a value in JSON's types: None, bool, int, float, str, list, dict, Fields.

    Raises FunctionError for what JSON cannot say; `finite=False` lets infinities pass.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if finite and not math.isfinite(value):
            raise FunctionError(f"json: unsupported value: {format_float(value)}")
        return value
    if depth > DEEPEST:
        raise FunctionError("json: unsupported value: encountered a cycle")
    if is_nil(value):
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        pairs = sorted(value.items())
        return {
            well_formed(str(key)): plain(item, finite=finite, depth=depth + 1)
            for key, item in pairs
        }
    if isinstance(value, list | tuple):
        return [plain(item, finite=finite, depth=depth + 1) for item in value]
    return _object(value, finite, depth)


def _object(value: Any, finite: bool, depth: int) -> Any:
    text = getattr(value, "json_text", None)
    if callable(text):
        return text()
    as_json = getattr(value, "as_json", None)
    fields = as_json() if callable(as_json) else getattr(value, "go_fields", None)
    if fields is None:
        raise FunctionError(f"json: unsupported type: {type_of(value)}")
    return Fields(
        (key, plain(item, finite=finite, depth=depth + 1)) for key, item in fields.items()
    )


def encode(value: Any, *, indent: int = 0, html: bool = True) -> str:
    """Encode: keys sorted, numbers in ES6's form, `< > &` escaped unless `html` is False.

    Raises FunctionError for what JSON does not have.
    """
    out: list[str] = []
    _write(out, plain(value), html, " " * indent, "\n" if indent else "")
    return "".join(out)


def _write(out: list[str], value: Any, html: bool, step: str, line: str) -> None:
    """Write a plain value; `line` is the line break with the indentation of where it stands."""
    if isinstance(value, str):
        out.append(_string(value, html))
    elif value is None or isinstance(value, bool):
        out.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, float):
        out.append(number_text(value))
    elif isinstance(value, dict):
        inner = line + step if line else ""
        colon = ": " if line else ":"
        for index, (key, item) in enumerate(value.items()):
            out.append(f"{',' if index else '{'}{inner}{_string(key, html)}{colon}")
            _write(out, item, html, step, inner)
        out.append(f"{line}}}" if value else "{}")
    elif isinstance(value, list):
        inner = line + step if line else ""
        for index, item in enumerate(value):
            out.append(f"{',' if index else '['}{inner}")
            _write(out, item, html, step, inner)
        out.append(f"{line}]" if value else "[]")
    else:
        out.append(str(value))


def _string(text: str, html: bool) -> str:
    written = json.dumps(text, ensure_ascii=False)
    if html:
        if _MARKED.search(written):
            for char, escape in (_HTML | _LINES).items():
                written = written.replace(char, escape)
    elif _SEPARATORS.search(written):
        for char, escape in _LINES.items():
            written = written.replace(char, escape)
    return written


def number_text(number: float) -> str:
    """Print a float as encoding/json does: exponents only below 1e-6 and from 1e21."""
    size = abs(number)
    digits = repr(number)
    if size and (size < 1e-6 or size >= 1e21):
        mantissa, _, exponent = digits.partition("e")
        return f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}"
    if "e" in digits:
        digits = f"{Decimal(digits):f}"
    return digits.removesuffix(".0")
