"""CEL over admission requests: match conditions, and the expressions of policies.

`object`, `oldObject`, `params` and `namespaceObject` have no schema here, as where upstream
checks no types: a field that is not there is an error when it is read, not when it is written.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped] # (ships no py.typed)

from fluvial.cluster import permissions
from fluvial.cluster.fields import mixed_literal
from fluvial.cluster.fields.cel import (
    CelError,
    EvaluationError,
    compile_text,
    extensions_and_functions,
    run_text,
)
from fluvial.cluster.objects import Object

__all__ = ["CelError", "EvaluationError", "Expression", "Scope", "compiled"]

NAMES = (
    "object",
    "oldObject",
    "request",
    "params",
    "namespaceObject",
    "variables",
    "authorizer",
)


class Expression:
    """A compiled expression; `source` is its text, without white space around it."""

    def __init__(self, source: str, names: tuple[str, ...] = NAMES) -> None:
        """Compile, with only these names known; raises `CelError`."""
        self.source = source.strip()
        self._program = self._compile(names)

    def _compile(self, names: tuple[str, ...]) -> Any:
        extensions, functions = extensions_and_functions()
        try:
            env = cel.NewEnv(
                variables=dict.fromkeys(names, cel.Type.DYN),
                extensions=extensions,
                functions=[*functions, *permissions.functions()],
            )
            program = env.compile(self.source)
        except RuntimeError as error:
            raise CelError(compile_text(str(error))) from None
        if problem := mixed_literal(program.serialize(), self.source):
            raise CelError(problem)
        return program

    @property
    def result(self) -> str:
        """The type of the result: BOOL, STRING, …; DYN when only running it tells."""
        name: str = self._program.return_type().name()
        return name

    def run(self, scope: Scope) -> Any:
        """Return the result; raises `EvaluationError`."""
        with permissions.of(scope.permissions):
            outcome = self._program.eval(data=scope.data())
        if outcome.type().name() == "ERROR":
            text = run_text(str(outcome.plain_value()))
            for name, why in scope.failed.items():
                if text == f"no such key: {name}":
                    text = f'composited variable "{name}" fails to evaluate: {why}'
            raise EvaluationError(f"expression '{self.source}' resulted in error: {text}")
        return outcome.plain_value()


@lru_cache(maxsize=512)
def compiled(source: str) -> Expression:
    """Return an expression, compiled once; raises `CelError`."""
    return Expression(source)


@dataclasses.dataclass(slots=True)
class Scope:
    """What the names of an expression stand for.

    `failed` holds the variables that could not be computed, with the reason: only an expression
    that uses one fails.
    """

    object: Object | None
    old: Object | None
    request: Object
    permissions: permissions.Permissions
    params: Object | None = None
    namespace: Object | None = None
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)
    failed: dict[str, str] = dataclasses.field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Return the values by name."""
        return {
            "object": self.object,
            "oldObject": self.old,
            "request": self.request,
            "params": self.params,
            "namespaceObject": self.namespace,
            "variables": self.variables,
            "authorizer": self.permissions.value(),
        }

    def define(self, variables: list[Any]) -> None:
        """Compute the variables of a policy, in order: each may use those before it."""
        for variable in variables:
            name = variable["name"]
            try:
                self.variables[name] = compiled(variable["expression"]).run(self)
            except (CelError, EvaluationError) as error:
                self.failed[name] = str(error)
