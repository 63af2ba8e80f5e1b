"""The expressions of mutating policies: apply configurations and JSON patches, in CEL.

An expression is compiled twice: for its types, in which an `Object` is nothing but an `Object`, and
for running, in which it is a map that remembers the name of its type (the CEL library cannot carry
values of types of ours). Same as upstream, `k8s.io/apiserver/pkg/cel/mutation`: fields may be named
at will, and whether types fit the places they stand at shows when the expression runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped] # (ships no py.typed)

from fluvial.cluster import permissions
from fluvial.cluster.expressions import CelError, Expression, Scope
from fluvial.cluster.fields import mixed_literal
from fluvial.cluster.fields.cel import compile_text, extensions_and_functions
from fluvial.cluster.objectliterals import LiteralError, Rewritten, rewritten
from fluvial.cluster.objects import Object

__all__ = ["KINDS", "PatchExpression", "TypeNameError", "compiled_patch"]

KINDS = {"ApplyConfiguration": "Object", "JSONPatch": "list(JSONPatch)"}
"""The types of patches, and what their expressions evaluate to."""

_RESULTS = {"Object": "Object", "LIST<JSONPatch>": "list(JSONPatch)"}
_TYPE = "\1type"
"""The key under which a map remembers of which type it was built; no field can be called so."""

_T = cel.Type
_MAP = _T.Map(_T.STRING, _T.DYN)


class TypeNameError(ValueError):
    """An object stands where its type does not fit; the message is upstream's."""


class PatchExpression(Expression):
    """A compiled expression that says how an object changes."""

    def __init__(self, source: str, names: tuple[str, ...]) -> None:
        """Compile, with only these names known besides the types; raises `CelError`."""
        try:
            self._literals = rewritten(source.strip())
        except LiteralError as error:
            raise CelError(str(error)) from None
        self._types = _compiled(self._literals, names, typed=True)
        super().__init__(source, names)

    def _compile(self, names: tuple[str, ...]) -> Any:
        return _compiled(self._literals, names, typed=False)

    @property
    def result(self) -> str:
        """The type of the result; `Object` and `list(JSONPatch)` are those of patches."""
        name: str = self._types.return_type().name()
        return _RESULTS.get(name, name)

    def configuration(self, scope: Scope) -> Object:
        """Return the apply configuration for a request; raises `EvaluationError`."""
        found = self.run(scope)
        _check_names(found)
        plain = _plain(found)
        assert isinstance(plain, dict)
        return plain

    def operations(self, scope: Scope) -> list[Object]:
        """Return the operations of a JSON patch for a request; raises `EvaluationError`."""
        operations = []
        for found in self.run(scope):
            _check_names(found.get("value"))
            operation = {key: value for key, value in found.items() if key != _TYPE}
            if not operation.get("from"):
                operation.pop("from", None)
            operations.append({"op": "", "path": "", **_plain(operation)})
        return operations


@lru_cache(maxsize=256)
def compiled_patch(source: str, names: tuple[str, ...]) -> PatchExpression:
    """Return an expression, compiled once; raises `CelError`."""
    return PatchExpression(source, names)


def _compiled(literals: Rewritten, names: tuple[str, ...], *, typed: bool) -> Any:
    extensions, functions = extensions_and_functions()
    try:
        env = cel.NewEnv(
            variables=dict.fromkeys(names, _T.DYN),
            extensions=extensions,
            functions=[
                *functions,
                *permissions.functions(),
                *_functions(),
                *_constructors(literals.types, typed=typed),
            ],
        )
        program = env.compile(literals.text)
    except RuntimeError as error:
        raise CelError(literals.relocated(compile_text(str(error)))) from None
    if problem := mixed_literal(program.serialize(), literals.text):
        raise CelError(literals.relocated(problem))
    return program


def _function(name: str, parameter: Any, result: Any, call: Any) -> Any:
    overload = cel.Overload(
        f"k8s_{name.replace('.', '_')}",
        return_type=result,
        parameters=[parameter],
        is_member=False,
        impl=call,
    )
    return cel.FunctionDecl(name, [overload])


@cache
def _functions() -> list[Any]:
    """Return what only these expressions have: texts of patches, and the escaping of keys."""
    texts = [
        _function(f"__text_{name}", _T.STRING, _T.STRING, lambda text: text)
        for name in ("op", "path", "from")
    ]
    return [*texts, _function("jsonpatch.escapeKey", _T.STRING, _T.STRING, _escaped)]


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _constructors(types: tuple[str, ...], *, typed: bool) -> Iterator[Any]:
    def made(name: str) -> Any:
        return lambda fields: {**fields, _TYPE: name}

    for index, name in enumerate(types):
        result = _T.AbstractType(name) if typed else _MAP
        yield _function(f"__new_{index}", _MAP, result, made(name))
    result = _T.AbstractType("JSONPatch") if typed else _MAP
    yield _function("__patch", _MAP, result, made("JSONPatch"))


def _check_names(value: Any) -> None:
    """Refuse objects whose types do not name the places they stand at."""
    if not isinstance(value, dict) or _TYPE not in value:
        return
    wrong = list(_misplaced(value, value[_TYPE]))
    if wrong:
        raise TypeNameError("type mismatch: " + "\n".join(wrong))


def _misplaced(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _misplaced(item, path)
    if not isinstance(value, dict):
        return
    name = value.get(_TYPE)
    if name is not None and name != path:
        yield (
            f'unexpected type name "{name}", expected "{path}", which matches field name path '
            "from root Object type"
        )
    for key, item in value.items():
        if key != _TYPE:
            yield from _misplaced(item, path if name is None else f"{path}.{key}")


def _plain(value: Any) -> Any:
    """Return a value without the names of its types."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != _TYPE}
    return [_plain(item) for item in value] if isinstance(value, list) else value
