"""CEL, behind one small interface, so that the library under it can change."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from fluvial.apis import meta
from fluvial.apis.ids import ObjectId, Unstructured, split_api_version
from fluvial.toolkit.apply.errors import ExpressionInvalid
from fluvial.toolkit.apply.kstatus import State, Status

__all__ = ["EvaluationError", "Expression", "HealthExpressions"]

_CACHED = 512


class EvaluationError(Exception):
    """An expression that compiles met data that it cannot work on, e.g. a missing field."""


class _Program(Protocol):
    def eval(self, *, data: Mapping[str, Any]) -> Any: ...


class Expression:
    """A compiled boolean expression; immutable, made once and evaluated often."""

    def __init__(self, text: str, program: _Program) -> None:
        self.text = text
        """The expression as it was written."""
        self._program = program

    @classmethod
    def parse(cls, text: str) -> Self:
        """Compile without types: every top-level field of the data is a variable.

        Raises ExpressionInvalid for what does not parse.
        """
        return cls(text, _compile(text, None))

    @classmethod
    def check(cls, text: str, variables: Sequence[str]) -> Self:
        """Compile with types: only `variables` exist, each of any type, and the result is a bool.

        Raises ExpressionInvalid for everything else.
        """
        return cls(text, _compile(text, tuple(variables)))

    def evaluate(self, data: Mapping[str, Any]) -> bool:
        """Return the verdict. Raises EvaluationError, also for a result that is no bool."""
        try:
            result = self._program.eval(data=data)
            value = result.value()
        except Exception as error:
            raise EvaluationError(f"{self.text}: {error}") from error
        if not isinstance(value, bool):
            raise EvaluationError(f"{self.text}: {value if result.type() else 'no result'}")
        return value


class HealthExpressions:
    """`spec.healthCheckExprs`: how objects of some kinds fare, by CEL.

    Keyed by group and kind, or by group alone where no kind is given; the more specific wins. The
    version does not count. Raises ExpressionInvalid for a pair that is given twice and for an
    expression that does not parse.
    """

    def __init__(self, checks: Sequence[meta.CustomHealthCheck] = ()) -> None:
        self._rules: dict[tuple[str, str], list[tuple[State, Expression]]] = {}
        for check in checks:
            group, _ = split_api_version(check.api_version)
            key = (group, check.kind)
            if key in self._rules:
                raise ExpressionInvalid(
                    f"healthCheckExprs has two entries for group {group!r} and kind {check.kind!r}"
                )
            self._rules[key] = [
                (state, Expression.parse(text))
                for state, text in (
                    (State.IN_PROGRESS, check.in_progress),
                    (State.FAILED, check.failed),
                    (State.CURRENT, check.current),
                )
                if text
            ]

    def covers(self, id: ObjectId) -> bool:
        """Whether an expression decides for objects of this kind."""
        return self._find(id.group, id.kind) is not None

    def compute(self, obj: Unstructured) -> Status | None:
        """Judge an object, None if no expression is for its kind.

        A status of another generation is in progress; then inProgress, failed and current are
        asked, and the first true one counts. An error in one is Unknown, until it goes.
        """
        group, _ = split_api_version(obj.get("apiVersion") or "")
        rules = self._find(group, obj.get("kind") or "")
        if rules is None:
            return None
        observed = (obj.get("status") or {}).get("observedGeneration")
        generation = (obj.get("metadata") or {}).get("generation")
        if isinstance(observed, int) and observed != generation:
            return Status(State.IN_PROGRESS, "the status is of another generation")
        for state, expression in rules:
            try:
                if expression.evaluate(obj):
                    return Status(state, expression.text)
            except EvaluationError as error:
                return Status(State.UNKNOWN, str(error))
        return Status(State.IN_PROGRESS, "no expression is true")

    def _find(self, group: str, kind: str) -> list[tuple[State, Expression]] | None:
        return self._rules.get((group, kind)) or self._rules.get((group, ""))


@functools.lru_cache(_CACHED)
def _compile(text: str, variables: tuple[str, ...] | None) -> _Program:
    # Imported here: it costs 20 MB that most processes never need.
    from cel_expr_python import cel  # type: ignore[import-untyped]  # noqa: PLC0415

    env = _environment(variables)
    try:
        program = env.compile(text, disable_check=variables is None)
    except RuntimeError as error:
        # The first line has the place and the finding, the others draw it.
        finding = str(error).partition("\n")[0].removeprefix("INVALID_ARGUMENT: ERROR: <input>:")
        raise ExpressionInvalid(f"expression {text!r} is not valid: {finding}") from error
    if variables is not None and program.return_type() != cel.Type.BOOL:
        found = program.return_type().name().lower()
        raise ExpressionInvalid(f"expression {text!r} is not a boolean but {found}")
    return program  # type: ignore[no-any-return]


@functools.lru_cache(8)
def _environment(variables: tuple[str, ...] | None) -> Any:
    from cel_expr_python import cel  # noqa: PLC0415
    from cel_expr_python.ext import (  # type: ignore[import-untyped]  # noqa: PLC0415
        ext_encoders,
        ext_optional,
        ext_strings,
    )

    return cel.NewEnv(
        variables=dict.fromkeys(variables or (), cel.Type.DYN),
        extensions=[
            ext_strings.ExtStrings(),
            ext_encoders.ExtEncoders(),
            ext_optional.ExtOptional(),
        ],
    )
