"""MutatingAdmissionPolicy: changes in CEL that bindings put into force.

Same as upstream, `apiserver/pkg/admission/plugin/policy/mutating`: mutations of one policy in their
order, each on what the one before made; what they set is owned by nobody.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fluvial.cluster import fields, schemas
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.bindings import Bindings, Invocation, Problem, name_of
from fluvial.cluster.endpoints.admission.matching import exempt
from fluvial.cluster.endpoints.admission.objects import Versions
from fluvial.cluster.endpoints.admission.registry import Registry
from fluvial.cluster.endpoints.admission.rounds import Turn
from fluvial.cluster.endpoints.admission.scopes import Scopes, joined, outcome
from fluvial.cluster.errors import StatusError, forbidden
from fluvial.cluster.expressions import NAMES, CelError, EvaluationError
from fluvial.cluster.objects import Object
from fluvial.cluster.patchexpressions import PatchExpression, TypeNameError, compiled_patch

__all__ = ["MutatingPolicies"]


class _MutationError(Exception):
    """A mutation that cannot be made; the failure policy decides."""


class MutatingPolicies:
    """Carries out the mutating policies of one control plane."""

    def __init__(
        self, registry: Registry, bindings: Bindings, versions: Versions, scopes: Scopes
    ) -> None:
        self._registry = registry
        self._bindings = bindings
        self._versions = versions
        self._scopes = scopes

    async def mutate(self, asked: Attributes, turn: Turn) -> Object | None:
        """Return the object as the policies want it; raises the refusal of one that failed."""
        if exempt(asked) or asked.object is None or not self._registry.mutations:
            return asked.object
        turn.begin(asked.object)
        problems: list[Problem] = []
        failed: list[Problem] = []
        # All bindings are matched by the object as it came, before any of them changes it.
        met = [each async for each in self._bindings.meeting(asked, self._registry.mutations)]
        for each in met:
            if isinstance(each, Problem):
                problems.append(each)
            else:
                asked = await self._invoked(each, asked, turn, failed)
        turn.end(asked.object)
        self._refuse(asked, problems, failed)
        return asked.object

    async def _invoked(
        self, met: Invocation, asked: Attributes, turn: Turn, failed: list[Problem]
    ) -> Attributes:
        """Carry out one policy; returns the request with the object as it is then."""
        spec = met.policy["spec"]
        scope = await self._scopes.of(asked, met.match, met.parameters)
        applies, errors = outcome(spec.get("matchConditions") or [], scope)
        if errors:
            failed.append(Problem(met.policy, met.binding, joined(errors)))
            return asked
        if not applies or turn.skips(met.key):
            return asked
        before = asked.object
        for mutation in spec.get("mutations") or []:
            try:
                obj = await self._mutated(mutation, met, asked)
            except (_MutationError, CelError, EvaluationError, TypeNameError) as error:
                failed.append(Problem(met.policy, met.binding, str(error)))
            else:
                asked = dataclasses.replace(asked, object=obj)
        if asked.object != before:
            turn.mutated()
        if spec.get("reinvocationPolicy") == "IfNeeded":
            turn.called(met.key)
        return asked

    async def _mutated(self, mutation: Object, met: Invocation, asked: Attributes) -> Object:
        """Return the object with one mutation, decoded and defaulted again."""
        shown = await self._versions.shown(asked.object, met.match)
        assert shown is not None
        scope = await self._scopes.of(asked, met.match, met.parameters)
        scope.namespace = self._bindings.namespace(asked)
        scope.define(met.policy["spec"].get("variables") or [])
        if mutation["patchType"] == "JSONPatch":
            operations = _expression(mutation["jsonPatch"]).operations(scope)
            patched = _patched(shown, operations)
        else:
            given = _expression(mutation["applyConfiguration"]).configuration(scope)
            kind = met.match.kind
            given |= {"apiVersion": kind.api_version, "kind": kind.kind}
            schema = schemas.of(met.match.resource)
            if kind.kind != met.match.resource.kind:
                schema = fields.schema_for_builtin(kind.group, kind.version, kind.kind)
            try:
                patched = fields.merge_configuration(schema, shown, given)
            except fields.FieldsError as error:
                raise _MutationError(f"error applying patch: {error}") from None
        return await self._versions.taken(patched, asked, met.match)

    @staticmethod
    def _refuse(asked: Attributes, problems: list[Problem], failed: list[Problem]) -> None:
        """Raise the refusal for what failed, unless its failure policy lets it pass."""
        counted = [each for each in (*problems, *failed) if each.counts]
        if not counted:
            return
        texts = [_shown(each) for each in counted]
        meta = (asked.object or {}).get("metadata") or {}
        name = asked.name or meta.get("name") or meta.get("generateName") or "Unknown"
        resource = asked.resource
        error = forbidden(resource.group, resource.plural, name, "")
        assert error.details is not None
        error.message, error.details["causes"] = texts[0], [{"message": text} for text in texts]
        if counted[0] in failed:
            error.reason = "Invalid"  # with the code 403, as upstream
        raise error


def _expression(patch: Object) -> PatchExpression:
    try:
        return compiled_patch(patch["expression"], NAMES)
    except CelError as error:
        raise _MutationError(f"compilation error: compilation failed: {error}") from None


def _patched(shown: Object, operations: list[Any]) -> Object:
    """Return an object with a JSON patch; one whose test fails changes nothing."""
    try:
        found = fields.patch_json(shown, operations)
    except fields.TestFailed:
        return shown
    except fields.RejectedPatch as error:
        raise _MutationError(f"JSONPath: {error.detail}") from None
    except fields.FieldsError as error:
        raise _MutationError(f"JSONPath: {error}") from None
    if not isinstance(found, dict):
        raise StatusError(
            500, "InternalError", "Internal error occurred: the patched object is no JSON object"
        )
    return found


def _shown(problem: Problem) -> str:
    name = name_of(problem.policy)
    if problem.binding is None:
        return f'policy "{name}" denied request: {problem.text}'
    where = f"policy '{name}' with binding '{name_of(problem.binding)}'"
    return f"{where} denied request: {problem.text}"
