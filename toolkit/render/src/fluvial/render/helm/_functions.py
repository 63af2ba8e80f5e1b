"""The functions that Helm adds to sprig's, or has in their place.

`include`, `tpl` and `lookup` need the templates or the cluster; the engine binds those.
"""

import re
from collections.abc import Callable
from typing import Any

from fluvial.render.gotemplate import FunctionError
from fluvial.render.gotemplate._values import NilList, NilMap
from fluvial.render.gotemplate.jsonread import read
from fluvial.render.gotemplate.sprig import functions as sprig_functions
from fluvial.render.helm._durations import DURATIONS
from fluvial.render.helm._encode import must_to_yaml, to_json, to_yaml
from fluvial.render.helm._errors import go_yaml_problem
from fluvial.render.helm._pretty import to_yaml_pretty
from fluvial.render.helm._reading import utf8_problem
from fluvial.render.helm._toml import from_toml, to_toml
from fluvial.render.helm._values import floats
from fluvial.render.yaml import YamlError, load

__all__ = ["MARK_END", "MARK_START", "helm_functions"]

MARK_START, MARK_END = "\x02HELM_ERR_START\x02", "\x03HELM_ERR_END\x03"
_ALIAS = re.compile(r"\*?([^\s,\[\]{}]+)")
_NO_NUMBER = {".inf": "+Inf", "+.inf": "+Inf", "-.inf": "-Inf", ".nan": "NaN"}
_KINDS = {bool: "bool", float: "number", int: "number", str: "string"}


def helm_functions() -> dict[str, Callable[..., Any]]:
    """Return sprig's functions with Helm's additions, and without the environment."""
    functions = dict(sprig_functions())
    for name in ("env", "expandenv"):
        functions.pop(name, None)
    return (
        functions
        | DURATIONS
        | {
            "fail": _fail,
            "required": _required,
            "getHostByName": _no_host,
            "toYaml": _lenient(to_yaml),
            "mustToYaml": must_to_yaml,
            "toYamlPretty": _lenient(to_yaml_pretty),
            "fromYaml": _from_yaml,
            "fromYamlArray": _from_yaml_array,
            "toJson": _lenient(to_json),
            "mustToJson": to_json_strictly,
            "fromJson": _from_json,
            "fromJsonArray": _from_json_array,
            "toToml": _to_toml,
            "mustToToml": to_toml,
            "fromToml": from_toml,
        }
    )


def to_json_strictly(value: Any) -> str:
    """Print JSON, or fail the render."""
    return to_json(value)


def _lenient(encode: Callable[[Any], str]) -> Callable[..., str]:
    """Make an encoder that answers with nothing where it cannot encode."""

    def encoded(value: Any) -> str:
        try:
            return encode(value)
        except FunctionError:
            return ""

    return encoded


def _to_toml(value: Any) -> str:
    if value is None:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
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
    unreadable = utf8_problem(text)
    if unreadable:
        raise FunctionError(f"error converting YAML to JSON: yaml: {unreadable}")
    try:
        return floats(load(text, file="yaml"))
    except YamlError as error:
        if error.problem.startswith("found undefined alias"):
            alias = _ALIAS.match(text.splitlines()[error.line - 1][error.column - 1 :])
            shown = alias[1] if alias else ""
            raise FunctionError(
                f"error converting YAML to JSON: yaml: unknown anchor '{shown}' referenced"
            ) from None
        number = _NO_NUMBER.get(error.problem.partition(" ")[0].lower())
        problem = f"json: unsupported value: {number}" if number else go_yaml_problem(error)
        raise FunctionError(f"error converting YAML to JSON: {problem}") from None


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


def _from_json(text: str) -> dict[str, Any]:
    try:
        value, problem = read(text)
    except FunctionError as error:
        return {"Error": str(error)}
    if value is None:
        return NilMap()
    if not isinstance(value, dict):
        return {"Error": _mismatch(value, "map[string]interface {}")}
    return value | {"Error": problem} if problem else value


def _from_json_array(text: str) -> list[Any]:
    try:
        value, problem = read(text)
    except FunctionError as error:
        return [str(error)]
    if value is None:
        return NilList()
    if not isinstance(value, list):
        return [_mismatch(value, "[]interface {}")]
    return [problem] if problem else value
