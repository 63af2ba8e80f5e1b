"""The functions that Helm adds to sprig's, or has in their place.

`include`, `tpl` and `lookup` need the templates or the cluster; the engine binds those.
"""

import tomllib
from collections.abc import Callable
from typing import Any

import msgspec

from fluvial.render.gotemplate import FunctionError, Int64
from fluvial.render.gotemplate.sprig import functions as sprig_functions
from fluvial.render.helm._encode import to_json, to_pretty_json, to_toml, to_yaml
from fluvial.render.helm._errors import go_yaml_problem
from fluvial.render.helm._pretty import to_yaml_pretty
from fluvial.render.helm._values import floats
from fluvial.render.yaml import YamlError, load

__all__ = ["MARK_END", "MARK_START", "helm_functions"]

MARK_START, MARK_END = "\x02HELM_ERR_START\x02", "\x03HELM_ERR_END\x03"
_KINDS = {bool: "bool", float: "number", int: "number", str: "string"}


def helm_functions() -> dict[str, Callable[..., Any]]:
    """Return sprig's functions with Helm's additions, and without the environment."""
    functions = dict(sprig_functions())
    for name in ("env", "expandenv"):
        functions.pop(name, None)
    return functions | {
        "fail": _fail,
        "required": _required,
        "getHostByName": _no_host,
        "toYaml": _lenient(to_yaml),
        "mustToYaml": to_yaml,
        "toYamlPretty": _lenient(to_yaml_pretty),
        "fromYaml": _from_yaml,
        "fromYamlArray": _from_yaml_array,
        "toJson": _lenient(to_json),
        "mustToJson": to_json_strictly,
        "toPrettyJson": _lenient(to_pretty_json),
        "toRawJson": _lenient(_raw_json),
        "fromJson": _from_json,
        "fromJsonArray": _from_json_array,
        "toToml": _to_toml,
        "mustToToml": to_toml,
        "fromToml": _from_toml,
    }


def to_json_strictly(value: Any) -> str:
    """Print JSON, or fail the render."""
    return to_json(value)


def _raw_json(value: Any) -> str:
    return to_json(value, html=False)


def _lenient(encode: Callable[[Any], str]) -> Callable[..., str]:
    """Make an encoder that answers with nothing where it cannot encode."""

    def encoded(value: Any) -> str:
        try:
            return encode(value)
        except FunctionError:
            return ""

    return encoded


def _to_toml(value: Any) -> str:
    try:
        return to_toml(value)
    except FunctionError as error:
        return str(error)


def _fail(message: str) -> str:
    raise FunctionError(f"{MARK_START}{message}{MARK_END}")


def _required(message: str, value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value):
        raise FunctionError(f"{MARK_START}{message}{MARK_END}")
    return value


def _no_host(_name: str) -> str:
    return ""


def _mismatch(value: Any, go_type: str) -> str:
    kind = _KINDS.get(type(value), "array" if isinstance(value, list) else "object")
    return f"json: cannot unmarshal {kind} into Go value of type {go_type}"


def _read_yaml(text: str) -> Any:
    """Read YAML with every number a float. Raises FunctionError with Go's beginning."""
    try:
        return floats(load(text, file="yaml"))
    except YamlError as error:
        raise FunctionError(f"error converting YAML to JSON: {go_yaml_problem(error)}") from None


def _from_yaml(text: str) -> dict[str, Any]:
    try:
        value = _read_yaml(text)
    except FunctionError as error:
        return {"Error": str(error)}
    if value is None:
        return {}
    if not isinstance(value, dict):
        problem = _mismatch(value, "map[string]interface {}")
        return {"Error": f"error unmarshaling JSON: while decoding JSON: {problem}"}
    return value


def _from_yaml_array(text: str) -> list[Any]:
    try:
        value = _read_yaml(text)
    except FunctionError as error:
        return [str(error)]
    if value is None:
        return []
    if not isinstance(value, list):
        problem = _mismatch(value, "[]interface {}")
        return [f"error unmarshaling JSON: while decoding JSON: {problem}"]
    return value


def _read_json(text: str) -> Any:
    if not text.strip():
        raise FunctionError("unexpected end of JSON input")
    try:
        return floats(msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        truncated = "truncated" in str(error)
        problem = "unexpected end of JSON input" if truncated else f"invalid JSON: {error}"
        raise FunctionError(problem) from None


def _from_json(text: str) -> dict[str, Any]:
    try:
        value = _read_json(text)
    except FunctionError as error:
        return {"Error": str(error)}
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {"Error": _mismatch(value, "map[string]interface {}")}
    return value


def _from_json_array(text: str) -> list[Any]:
    try:
        value = _read_json(text)
    except FunctionError as error:
        return [str(error)]
    if value is None:
        return []
    return value if isinstance(value, list) else [_mismatch(value, "[]interface {}")]


def _from_toml(text: str) -> dict[str, Any]:
    try:
        return {key: _toml_value(item) for key, item in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        return {"Error": f"toml: {error}"}


def _toml_value(value: Any) -> Any:
    if isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return Int64(value)
    if isinstance(value, dict):
        return {key: _toml_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_toml_value(item) for item in value]
    return value.isoformat()
