"""`toJson`, `toYaml` and their kin: Go's encoders on template values.

Values pass through Go's JSON on their way to YAML, and that JSON is read as YAML: whole floats come
out as integers, and what YAML's scanner does not take in a JSON text makes the function fail.
"""

import re
from typing import Any, Final

from fluvial.render.gotemplate import FunctionError
from fluvial.render.gotemplate.gojson import encode, number_text, plain
from fluvial.render.yaml import dump

__all__ = ["must_to_yaml", "to_json", "to_pretty_json", "to_yaml"]

_SMALLEST, _LARGEST = -(2**63), 2**64
_LONGEST_KEY: Final = 1024
_REFUSED: Final = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")
_NEXT_LINE: Final = re.compile("[ \t]*(\x85+)[ \t]*")


def to_json(value: Any, *, html: bool = True) -> str:
    """Print compact JSON with sorted keys. Raises FunctionError."""
    return encode(value, html=html)


def to_pretty_json(value: Any) -> str:
    """Print JSON indented by two spaces. Raises FunctionError."""
    return encode(value, indent=2)


def to_yaml(value: Any) -> str:
    """Print YAML as sigs.k8s.io/yaml does, without the last newline. Raises FunctionError."""
    return dump(_scanned(plain(value))).removesuffix("\n")


def must_to_yaml(value: Any) -> str:
    """Print YAML, or fail the render in the words of sigs.k8s.io/yaml."""
    try:
        return to_yaml(value)
    except FunctionError as error:
        if str(error).startswith("json: "):
            raise FunctionError(f"error marshaling into JSON: {error}") from None
        raise


def _scanned(value: Any) -> Any:
    """Make of a value what YAML's scanner makes of its JSON."""
    if isinstance(value, str):
        return _scanned_text(value)
    if isinstance(value, dict):
        return {_scanned_key(key): _scanned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_scanned(item) for item in value]
    if isinstance(value, float) and value.is_integer() and _SMALLEST <= value < _LARGEST:
        text = number_text(value)
        return int(text) if "e" not in text else value
    return value


def _scanned_text(text: str) -> str:
    if text.isascii() and "\x7f" not in text:
        return text
    if _REFUSED.search(text):
        raise FunctionError("yaml: control characters are not allowed")
    # JSON leaves the line break of C1 as it is, and YAML folds it as any line break of a text
    return _NEXT_LINE.sub(lambda found: "\n" * (len(found[1]) - 1) or " ", text)


def _scanned_key(key: str) -> str:
    if len(key) >= _LONGEST_KEY - 2 and len(encode(key)) > _LONGEST_KEY:
        raise FunctionError("yaml: did not find expected ',' or '}'")
    return _scanned_text(key)
