"""Whether what `dependsOn` names is ready, by the rule that all kinds with that field share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import DependencyReference
from fluvial.toolkit.apply import EvaluationError, Expression
from fluvial.toolkit.client import NotFound, Resource

__all__ = ["Dependency", "Reader", "observe_dependencies", "unready"]


class Reader(Protocol):
    """What objects are read from: a client, or what has been shown already."""

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None
    ) -> Unstructured:
        """Return an object. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """An object that must be ready first; `raw` is None when there is none."""

    reference: DependencyReference
    """What `dependsOn` names."""
    raw: Unstructured | None


async def observe_dependencies(
    reader: Reader, resource: Resource, references: Iterable[DependencyReference], namespace: str
) -> list[Dependency]:
    """Read the dependencies; upstream does so past every cache.

    `namespace` is that of the dependent, for references that name none.
    """
    found = []
    for reference in references:
        try:
            raw: Unstructured | None = await reader.get(
                resource, reference.name, reference.namespace or namespace
            )
        except NotFound:
            raw = None
        found.append(Dependency(reference, raw))
    return found


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
