"""ValidatingAdmissionPolicy: rules in CEL that bindings put into force."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.bindings import Bindings, Invocation, Problem, name_of
from fluvial.cluster.endpoints.admission.matching import exempt
from fluvial.cluster.endpoints.admission.registry import Registry
from fluvial.cluster.endpoints.admission.scopes import Scopes, joined, outcome
from fluvial.cluster.errors import StatusError, forbidden
from fluvial.cluster.expressions import (
    CelError,
    EvaluationError,
    Scope,
    compiled,
)
from fluvial.cluster.objects import Object

__all__ = ["Policies"]

_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
_LONGEST_MESSAGE = 5 * 1024
"""Bytes of a computed message; a longer one is not used."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Denial:
    """One rule that does not hold; `reason` becomes that of the answer."""

    message: str
    reason: str = "Invalid"


class Policies:
    """Evaluates the validating policies of one control plane."""

    def __init__(self, registry: Registry, bindings: Bindings, scopes: Scopes) -> None:
        self._registry = registry
        self._bindings = bindings
        self._scopes = scopes

    async def validate(self, asked: Attributes) -> None:
        """Raise the first refusal; the actions Warn and Audit let a request pass."""
        if exempt(asked):
            return
        refusals: list[StatusError] = []
        async for met in self._bindings.meeting(asked, self._registry.policies):
            if isinstance(met, Problem):
                if met.counts:
                    refusals.append(_refusal(met.policy, met.binding, _Denial(met.text), asked))
                continue
            actions = met.binding["spec"].get("validationActions") or []
            names = f"'{name_of(met.policy)}' with binding '{name_of(met.binding)}'"
            for denial in await self._denials(met, asked):
                if "Warn" in actions:
                    asked.warnings.append(
                        f"Validation failed for ValidatingAdmissionPolicy {names}: {denial.message}"
                    )
                if "Deny" in actions:
                    refusals.append(_refusal(met.policy, met.binding, denial, asked))
        if refusals:
            raise refusals[0]

    async def _denials(self, met: Invocation, asked: Attributes) -> list[_Denial]:
        """Return the rules that do not hold, and those that cannot be evaluated."""
        spec = met.policy["spec"]
        strict = spec.get("failurePolicy") != "Ignore"
        scope = await self._scopes.of(asked, met.match, met.parameters)
        applies, errors = outcome(spec.get("matchConditions") or [], scope)
        if errors:
            return [_Denial(joined(errors))] if strict else []
        if not applies:
            return []
        scope.namespace = self._bindings.namespace(asked)  # which match conditions do not see
        scope.define(spec.get("variables") or [])
        found: list[_Denial] = []
        for rule in spec.get("validations") or []:
            try:
                holds = compiled(rule["expression"]).run(scope) is True
            except CelError as error:
                found += [_Denial(f"compilation error: compilation failed: {error}")] * strict
            except EvaluationError as error:
                found += [_Denial(str(error))] * strict
            else:
                if not holds:
                    found.append(_Denial(_message(rule, scope), rule.get("reason") or "Invalid"))
        return found


def _message(rule: Object, scope: Scope) -> str:
    """Return what is said of a rule that does not hold."""
    text = ""
    if rule.get("messageExpression"):
        try:
            found = compiled(rule["messageExpression"]).run(scope)
        except (CelError, EvaluationError):
            found = None
        if isinstance(found, str):
            text = found.strip()
        if "\n" in text or len(text.encode()) > _LONGEST_MESSAGE:
            text = ""
    text = text or (rule.get("message") or "").strip()
    return text or f"failed expression: {rule['expression'].strip()}"


def _refusal(
    policy: Object, binding: Object | None, denial: _Denial, asked: Attributes
) -> StatusError:
    """Return the answer for a denial: worded as forbidden, with the reason of the rule."""
    where = "" if binding is None else f" with binding '{name_of(binding)}'"
    text = f"ValidatingAdmissionPolicy '{name_of(policy)}'{where} denied request: {denial.message}"
    meta = (asked.object or {}).get("metadata") or {}
    name = asked.name or meta.get("name") or meta.get("generateName") or "Unknown"
    error = forbidden(asked.resource.group, asked.resource.plural, name, text)
    assert error.details is not None
    error.reason, error.code = denial.reason, _CODES.get(denial.reason, 422)
    error.details["causes"] = [{"message": text}]
    return error
