"""Whether what `dependsOn` names is ready, by the rule that all kinds with that field share."""

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.apply import EvaluationError, Expression

__all__ = ["unready"]


def unready(
    dependent: Unstructured,
    dependency: Unstructured | None,
    ready_expr: str = "",
    *,
    additive: bool = False,
) -> str:
    """Say what a dependency lacks; empty when it is ready. None is one that does not exist.

    `ready_expr`, over the whole objects `self` and `dep`, replaces the built-in rule (the last
    generation is reconciled, and Ready is True); with `additive` both must hold. It must compile.
    """
    if dependency is None:
        return "not found"
    if ready_expr:
        data = {"self": dependent, "dep": dependency}
        try:
            if not Expression.check(ready_expr, ("self", "dep")).evaluate(data):
                return f"is not ready according to readyExpr: {ready_expr}"
        except EvaluationError as error:
            return f"is not ready: readyExpr cannot be evaluated: {error}"
        if not additive:
            return ""
    status = dependency.get("status") or {}
    conditions = {one.get("type"): one.get("status") for one in status.get("conditions") or ()}
    if dependency["metadata"].get("generation") != status.get("observedGeneration"):
        return "is not ready: its last generation was not reconciled yet"
    return "" if conditions.get("Ready") == "True" else "is not ready"
