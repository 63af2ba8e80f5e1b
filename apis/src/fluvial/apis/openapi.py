"""The structural OpenAPI schema of a model, as a CRD carries it."""

import ast
import functools
import inspect
import sys
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias, get_args, get_origin

import msgspec

from fluvial.apis.meta import ObjectMeta, Resource
from fluvial.apis.schema import Default, Model, Schema

__all__ = ["Field", "JSONSchema", "fields", "resource_schema", "summary", "unwrap"]

JSONSchema: TypeAlias = dict[str, Any]
"""An OpenAPI v3 schema object."""

_SCALARS: Final[Mapping[Any, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
}


class Field(typing.NamedTuple):
    """One field of a model, as users see it.

    `type` is the plain Python type, without None and without markers; `default` is the CRD's, or
    msgspec.NODEFAULT.
    """

    name: str
    type: Any
    description: str
    required: bool
    default: Any
    constraints: JSONSchema


def summary(model: type[msgspec.Struct]) -> str:
    """Return what a model's docstring says, on one line."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def fields(model: type[msgspec.Struct]) -> list[Field]:
    """List the fields of a model in the order of their declaration."""
    descriptions = _descriptions(model)
    found = []
    for field in msgspec.structs.fields(model):
        plain, constraints, required = unwrap(field.type)
        found.append(
            Field(
                name=field.encode_name,
                type=plain,
                description=descriptions.get(field.name, ""),
                required=required or field.required,
                default=_default(field.default_factory),
                constraints=constraints,
            )
        )
    return found


def resource_schema(model: type[Resource]) -> JSONSchema:
    """Return the schema of a whole object. Nothing is required at its top level, as upstream."""
    schema = _object(model)
    del schema["required"]
    return schema


def _default(factory: Any) -> Any:
    return _plain(factory()) if isinstance(factory, Default) else msgspec.NODEFAULT


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, tuples as lists."""
    return msgspec.json.decode(msgspec.json.encode(value))


def unwrap(hint: Any) -> tuple[Any, JSONSchema, bool]:
    """Take None and markers off a type; return it, what they say, and whether they require it."""
    constraints: JSONSchema = {}
    required = False
    while True:
        if get_origin(hint) is Annotated:
            for marker in hint.__metadata__:
                if isinstance(marker, Schema):
                    constraints = {**_plain(marker), **constraints}
            hint = hint.__origin__
        elif get_origin(hint) in {typing.Union, types.UnionType} and type(None) in get_args(hint):
            rest = tuple(arg for arg in get_args(hint) if arg is not type(None))
            hint = functools.reduce(lambda left, right: left | right, rest)
        else:
            required = bool(constraints.pop("required", False))
            return hint, constraints, required


def _object(model: type[msgspec.Struct]) -> JSONSchema:
    schema: JSONSchema = {"description": summary(model), "type": "object"}
    found = sorted(fields(model))
    properties = {}
    for field in found:
        # What a field says of its use stands in for what its type says of itself.
        value = _value(field.type) | field.constraints
        value.pop("description", None)
        properties[field.name] = {"description": field.description, **value}
        if field.default is not msgspec.NODEFAULT:
            properties[field.name]["default"] = field.default
    schema["properties"] = properties
    schema["required"] = [field.name for field in found if field.required]
    if not schema["required"] and not issubclass(model, Resource):
        del schema["required"]
    if issubclass(model, Model):
        if model.cel_rules:
            schema["x-kubernetes-validations"] = [
                {"message": rule.message, "rule": rule.rule} for rule in model.cel_rules
            ]
        if model.one_of:
            schema["oneOf"] = list(model.one_of)
    return schema


def _value(hint: Any) -> JSONSchema:
    plain, constraints, _ = unwrap(hint)
    if plain in _SCALARS:
        return {"type": _SCALARS[plain], **constraints}
    if plain is ObjectMeta:
        return {"type": "object"}
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return _object(plain)
    origin = get_origin(plain)
    if origin is list:
        return {"type": "array", "items": _value(get_args(plain)[0]), **constraints}
    if origin is dict:
        return {"type": "object", "additionalProperties": _value(get_args(plain)[1]), **constraints}
    return constraints  # a union or Any, of which the markers say what it may be


@functools.cache
def _module(name: str) -> Mapping[str, Mapping[str, str]]:
    """Return the strings below the fields of a module's classes, by class and field.

    None where the source is not at hand (an interactive session, a compiled module).
    """
    try:
        source = ast.parse(inspect.getsource(sys.modules[name]))
    except (KeyError, OSError, TypeError):
        return {}
    return {
        node.name: dict(_documented(node)) for node in source.body if isinstance(node, ast.ClassDef)
    }


def _documented(node: ast.ClassDef) -> typing.Iterator[tuple[str, str]]:
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, " ".join(text.split())


def _descriptions(model: type[msgspec.Struct]) -> dict[str, str]:
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, msgspec.Struct):
            found |= _module(cls.__module__).get(cls.__name__, {})
    return found
