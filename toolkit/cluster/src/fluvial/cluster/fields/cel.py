"""CEL rules (`x-kubernetes-validations`), behind one small interface.

`Program` is a compiled expression over `self` and `oldSelf`; `rule_errors` runs the rules of a
schema over a value. Everything that depends on the CEL implementation is here and in
`cel_library`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import msgspec
from cel_expr_python import cel  # type: ignore[import-untyped] # (ships no py.typed)
from cel_expr_python.ext import (  # type: ignore[import-untyped] # (likewise)
    ext_bindings,
    ext_encoders,
    ext_math,
    ext_optional,
    ext_strings,
)

from fluvial.cluster.fields.cel_library import library
from fluvial.cluster.fields.celliterals import mixed_literal
from fluvial.cluster.fields.celpaths import STRINGS, undefined_fields
from fluvial.cluster.fields.errors import OMITTED, FieldError
from fluvial.cluster.fields.schema import MISSING
from fluvial.cluster.fields.validation import correlated_items
from fluvial.cluster.fields.values import equal

__all__ = [
    "CelError",
    "EvaluationError",
    "Program",
    "compile_text",
    "extensions_and_functions",
    "has_rules",
    "rule_errors",
    "run_text",
    "uses_old_self",
]

_T = cel.Type
_OLD = "__old"
_OPTIONAL_OLD = f"(size({_OLD}) == 0 ? optional.none() : optional.of({_OLD}[0]))"
_OLD_SELF = re.compile(r"\boldSelf\b")
_IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_RESERVED = frozenset(
    {
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
        "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
        "void", "while",
    }
)  # fmt: skip


_RESOURCE = frozenset({"apiVersion", "kind", "metadata"})


class CelError(ValueError):
    """An expression does not compile; the message has line, column and a pointer."""


class EvaluationError(ValueError):
    """An expression failed on a value, such as by a missing key."""


@cache
def extensions_and_functions() -> tuple[list[Any], list[Any]]:
    """Return what every environment of Kubernetes has, for `cel.NewEnv`."""
    extensions = [
        ext_strings.ExtStrings(),
        ext_bindings.ExtBindings(),
        ext_optional.ExtOptional(),
        ext_encoders.ExtEncoders(),
        ext_math.ExtMath(),
    ]
    return extensions, library()


def uses_old_self(expression: str) -> bool:
    """Tell whether an expression looks at the old value (string literals do not count)."""
    return bool(_OLD_SELF.search(STRINGS.sub('""', expression)))


class Program:
    """A compiled expression for values of one schema."""

    def __init__(
        self, expression: str, schema: dict[str, Any], *, optional_old: bool = False
    ) -> None:
        """Compile; raises `CelError`."""
        extensions, functions = extensions_and_functions()
        own = _type(schema)
        variables = {"self": own, "oldSelf": own}
        source = expression
        if optional_old:
            variables = {"self": own, _OLD: _T.List(own)}
            source = _with_optional_old(expression)
        try:
            env = cel.NewEnv(variables=variables, extensions=extensions, functions=functions)
            self._expression = env.compile(source)
        except RuntimeError as error:
            raise CelError(compile_text(str(error))) from None
        if problem := mixed_literal(self._expression.serialize(), source):
            raise CelError(problem)
        if problem := _undefined_field(expression, schema):
            raise CelError(problem)
        self._schema = schema
        self._optional_old = optional_old

    @property
    def result(self) -> str:
        """The type of the result: BOOL, STRING, …; DYN when only running it tells."""
        name: str = self._expression.return_type().name()
        return name

    def run(self, value: Any, old: Any = MISSING) -> Any:
        """Return the result for a value; raises `EvaluationError`."""
        data = {"self": _converted(self._schema, value)}
        before = MISSING if old is MISSING else _converted(self._schema, old)
        if self._optional_old:
            data[_OLD] = [] if before is MISSING else [before]
        elif before is not MISSING:
            data["oldSelf"] = before
        outcome = self._expression.eval(data=data)
        if outcome.type().name() == "ERROR":
            raise EvaluationError(run_text(str(outcome.plain_value())))
        return outcome.plain_value()


@lru_cache(maxsize=1024)
def _compiled(expression: str, schema: bytes, optional_old: bool) -> Program:
    return Program(expression, msgspec.json.decode(schema), optional_old=optional_old)


def _with_optional_old(expression: str) -> str:
    out, end = [], 0
    for literal in STRINGS.finditer(expression):
        out.append(_OLD_SELF.sub(_OPTIONAL_OLD, expression[end : literal.start()]))
        out.append(literal.group(0))
        end = literal.end()
    return "".join(out) + _OLD_SELF.sub(_OPTIONAL_OLD, expression[end:])


def _undefined_field(expression: str, schema: dict[str, Any]) -> str | None:
    """Return the complaint about a field that the schema lacks, as a typed checker has it."""
    roots = {"self": schema, "oldSelf": schema}
    return next(undefined_fields(expression, roots, _field), None)


def _field(schema: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return the schema of a field; KeyError when an object of this type has none so called."""
    open_ended = schema.get("additionalProperties") or schema.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    if schema.get("type") != "object" or open_ended:
        return None
    found = {_escaped(key): child for key, child in (schema.get("properties") or {}).items()}
    if name in _RESOURCE and name not in found:
        return None  # every whole object has them, declared or not
    child: dict[str, Any] = found[name]
    return child


def compile_text(text: str) -> str:
    """Put a compile error into the words of the Go implementation."""
    text = text.removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
    return re.sub(
        r"expression of type '(.+?)' cannot be the operand of a select operation",
        r"type '\1' does not support field selection",
        text,
    )


def run_text(text: str) -> str:
    """Put an error of an evaluation into the words of the Go implementation."""
    if match := re.search(r'Key not found in map : "?(.*?)"?$', text):
        return f"no such key: {match[1]}"
    if match := re.search(r"Index error: index=(-?\d+)", text):
        return f"index out of bounds: {match[1]}"
    if "divide by zero" in text:
        return "division by zero"
    if "No matching overloads" in text:
        return "no such overload"
    return text.partition(": ")[2] or text


def _type(schema: dict[str, Any]) -> Any:
    """Return the CEL type of values of a schema."""
    if schema.get("x-kubernetes-int-or-string"):
        return _T.DYN
    match schema.get("type"):
        case "string":
            by_format = {
                "date-time": _T.TIMESTAMP, "date": _T.TIMESTAMP, "duration": _T.DURATION,
                "byte": _T.BYTES,
            }  # fmt: skip
            return by_format.get(schema.get("format", ""), _T.STRING)
        case "integer":
            return _T.INT
        case "number":
            return _T.DOUBLE
        case "boolean":
            return _T.BOOL
        case "array":
            return _T.List(_type(schema.get("items") or {}))
        case "object":
            values = schema.get("additionalProperties")
            if isinstance(values, dict) and not schema.get("properties"):
                return _T.Map(_T.STRING, _type(values))
            return _T.Map(_T.STRING, _T.DYN)
        case _:
            return _T.DYN


def _converted(schema: dict[str, Any], value: Any) -> Any:
    """Return a value as CEL sees it: numbers by type, times parsed, field names escaped."""
    match value:
        case dict():
            properties = schema.get("properties") or {}
            additional = schema.get("additionalProperties")
            rest = additional if isinstance(additional, dict) else {}
            return {
                _escaped(name) if name in properties else name: _converted(
                    properties.get(name, rest), item
                )
                for name, item in value.items()
            }
        case list():
            items = schema.get("items") or {}
            return [_converted(items, item) for item in value]
        case bool():
            return value
        case int() if schema.get("type") == "number":
            return float(value)
        case str():
            return _converted_text(schema.get("format", ""), value)
        case _:
            return value


def _converted_text(form: str, value: str) -> Any:
    try:
        if form in {"date-time", "date"}:
            return datetime.fromisoformat(value)
        if form == "duration":
            return _duration(value)
        if form == "byte":
            return value.encode()
    except ValueError:
        return value
    return value


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def _duration(text: str) -> timedelta:
    parts = re.findall(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)", text)
    if not parts:
        raise ValueError(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def _escaped(name: str) -> str:
    """Return a field name as expressions spell it."""
    if name in _RESERVED:
        return f"__{name}__"
    if _IDENTIFIER.match(name) and "__" not in name:
        return name
    return (
        name.replace("__", "__underscores__")
        .replace(".", "__dot__")
        .replace("-", "__dash__")
        .replace("/", "__slash__")
    )


def has_rules(schema: Any) -> bool:
    """Tell whether a schema has rules anywhere."""
    if isinstance(schema, dict):
        return "x-kubernetes-validations" in schema or any(map(has_rules, schema.values()))
    return isinstance(schema, list) and any(map(has_rules, schema))


def rule_errors(
    schema: dict[str, Any], value: Any, old: Any = MISSING, path: str = ""
) -> Iterator[FieldError]:
    """Yield what the rules of a schema say against a value.

    Rules that name `oldSelf` need an old value, or `optionalOldSelf`. The others are not run
    where the value did not change.
    """
    if value is None:
        return
    for rule in schema.get("x-kubernetes-validations") or ():
        yield from _rule_error(schema, rule, value, old, path)
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        additional = schema.get("additionalProperties")
        before = old if isinstance(old, dict) else {}
        for name, item in value.items():
            child = properties.get(name, additional)
            if isinstance(child, dict):
                where = f"{path}.{name}" if path else name
                yield from rule_errors(child, item, before.get(name, MISSING), where)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        previous = correlated_items(schema, value, old)
        for index, item in enumerate(value):
            yield from rule_errors(schema["items"], item, previous[index], f"{path}[{index}]")


def _rule_error(
    schema: dict[str, Any], rule: dict[str, Any], value: Any, old: Any, path: str
) -> Iterator[FieldError]:
    expression = rule.get("rule", "")
    optional = bool(rule.get("optionalOldSelf"))
    if uses_old_self(expression):
        if old is MISSING and not optional:
            return
    elif old is not MISSING and equal(value, old):
        return
    raw = msgspec.json.encode(schema)
    try:
        if _compiled(expression, raw, optional).run(value, old):
            return
    except (CelError, EvaluationError) as error:
        text = f"{error} evaluating rule: {rule.get('message') or expression}"
        yield FieldError("FieldValueInvalid", path or "<nil>", schema.get("type", ""), text)
        return
    detail = _message(rule, raw, value, old)
    where = path + (rule.get("fieldPath") or "") or "<nil>"
    reason = rule.get("reason") or "FieldValueInvalid"
    shown = OMITTED if isinstance(value, dict | list) else value
    yield FieldError(reason, where.removeprefix("."), shown, detail)


def _message(rule: dict[str, Any], schema: bytes, value: Any, old: Any) -> str:
    plain = rule.get("message") or f"failed rule: {rule.get('rule', '')}"
    expression = rule.get("messageExpression")
    if not expression:
        return plain.strip()
    try:
        program = _compiled(expression, schema, bool(rule.get("optionalOldSelf")))
        text = program.run(value, old)
    except (CelError, EvaluationError):
        return plain.strip()
    usable = isinstance(text, str) and text.strip() and "\n" not in text
    return text.strip() if usable else plain.strip()
