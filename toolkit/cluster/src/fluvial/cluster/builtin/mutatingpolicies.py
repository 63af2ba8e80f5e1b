"""Mutating admission policies and their bindings: defaults and checks.

They are enforced by `fluvial.cluster.endpoints.admission.mutations`.
"""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.conditions import type_text
from fluvial.cluster.builtin.policyparts import (
    binding_errors,
    default_binding,
    default_policy,
    names_of,
    policy_errors,
)
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.builtin.webhooks import choice_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.expressions import CelError
from fluvial.cluster.objects import Object
from fluvial.cluster.patchexpressions import KINDS, PatchExpression

__all__ = ["STRATEGIES"]

_MEMBERS = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_OPERATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
"""What can be mutated: a deletion has no object."""


class MutatingPolicyStrategy(Strategy):
    """Rules of MutatingAdmissionPolicy."""

    def default(self, obj: Object) -> None:
        """Default the failure policy and what is matched."""
        default_policy(obj)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the mutations, and that every expression compiles."""
        spec = obj.get("spec") or {}
        errors = policy_errors(spec)
        errors += _operation_errors(spec.get("matchConstraints"), "spec.matchConstraints")
        mutations = spec.get("mutations") or []
        if not mutations:
            text = "mutations must contain at least one item"
            errors.append(fielderrors.required("spec.mutations", text))
        for index, mutation in enumerate(mutations):
            errors += _mutation_errors(mutation, f"spec.mutations[{index}]", names_of(spec))
        if not spec.get("reinvocationPolicy"):
            return [*errors, fielderrors.required("spec.reinvocationPolicy")]
        return errors + choice_errors(spec, "spec", "reinvocationPolicy", ("IfNeeded", "Never"))


class MutatingBindingStrategy(Strategy):
    """Rules of MutatingAdmissionPolicyBinding."""

    def default(self, obj: Object) -> None:
        """Default what is matched."""
        default_binding(obj)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the reference and the parameters."""
        spec = obj.get("spec") or {}
        path = "spec.matchResources"
        return binding_errors(spec, path) + _operation_errors(spec.get("matchResources"), path)


def _operation_errors(match: Object | None, path: str) -> list[Cause]:
    return [
        fielderrors.not_supported(f"{path}.resourceRules.operations", operation, _OPERATIONS)
        for rule in (match or {}).get("resourceRules") or []
        for operation in rule.get("operations") or []
        if operation not in _OPERATIONS
    ]


def _mutation_errors(mutation: Object, path: str, names: tuple[str, ...]) -> list[Cause]:
    kind = mutation.get("patchType") or ""
    if not kind:
        return [fielderrors.required(f"{path}.patchType")]
    if kind not in KINDS:
        return [fielderrors.not_supported(f"{path}.patchType", kind, sorted(KINDS))]
    errors: list[Cause] = []
    for other, member in _MEMBERS.items():
        given: Object | None = mutation.get(member)
        if other == kind and given is None:
            text = f"must be specified when patchType is {kind}"
            errors.append(fielderrors.required(f"{path}.{member}", text))
        elif given is not None and other == kind:
            source = (given.get("expression") or "").strip()
            errors += _expression_errors(source, f"{path}.{member}.expression", KINDS[kind], names)
        elif given is not None:
            text = f"must not be specified when patchType is {kind}"
            errors.append(fielderrors.invalid(f"{path}.{member}", f"{{{member}}}", text))
    return errors


def _expression_errors(source: str, path: str, wanted: str, names: tuple[str, ...]) -> list[Cause]:
    if not source:
        return [fielderrors.required(path)]
    try:
        result = PatchExpression(source, names).result
    except CelError as error:
        return [fielderrors.invalid(path, source, f"compilation failed: {error}")]
    if result == wanted:
        return []
    text = f"must evaluate to {wanted} but got {type_text(result)}"
    return [fielderrors.invalid(path, source, text)]


_GROUP = "admissionregistration.k8s.io"
STRATEGIES: dict[str, Strategy] = {
    f"{_GROUP}/mutatingadmissionpolicies": MutatingPolicyStrategy(),
    f"{_GROUP}/mutatingadmissionpolicybindings": MutatingBindingStrategy(),
}
