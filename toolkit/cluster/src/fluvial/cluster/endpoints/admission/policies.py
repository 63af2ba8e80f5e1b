"""ValidatingAdmissionPolicy: rules in CEL that bindings put into force."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from fluvial.cluster.builtin import labelselectors
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.matching import Match, Matcher, exempt, selects_object
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


class _ConfigurationError(Exception):
    """A policy or binding cannot be used; the failure policy decides."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Denial:
    """One rule that does not hold; `reason` becomes that of the answer."""

    message: str
    reason: str = "Invalid"


class Policies:
    """Evaluates the policies of one control plane."""

    def __init__(
        self, registry: Registry, matcher: Matcher, scopes: Scopes, access: Access
    ) -> None:
        self._registry = registry
        self._matcher = matcher
        self._scopes = scopes
        self._access = access

    def validate(self, asked: Attributes) -> None:
        """Raise the first refusal; the actions Warn and Audit let a request pass."""
        if exempt(asked):
            return
        refusals: list[StatusError] = []
        for policy, bindings in self._registry.policies:
            try:
                match = self._match(policy["spec"].get("matchConstraints") or {}, asked)
            except StatusError as error:
                refusals += self._unusable(
                    policy, None, f"failed to configure policy: {error}", asked
                )
                continue
            if match is None:
                continue
            for binding in bindings:
                refusals += self._bound(policy, binding, match, asked)
        if refusals:
            raise refusals[0]

    def _bound(
        self, policy: Object, binding: Object, match: Match, asked: Attributes
    ) -> Iterator[StatusError]:
        """Yield what one binding refuses."""
        try:
            resources = binding["spec"].get("matchResources")
            if resources is not None and self._match(resources, asked) is None:
                return
            every = self._parameters(policy, binding, asked)
        except (StatusError, _ConfigurationError) as error:
            text = f"failed to configure binding: {error}"
            yield from self._unusable(policy, binding, text, asked)
            return
        actions = binding["spec"].get("validationActions") or []
        names = f"'{_name(policy)}' with binding '{_name(binding)}'"
        for parameters in every:
            for denial in self._denials(policy, parameters, match, asked):
                if "Warn" in actions:
                    asked.warnings.append(
                        f"Validation failed for ValidatingAdmissionPolicy {names}: {denial.message}"
                    )
                if "Deny" in actions:
                    yield _refusal(policy, binding, denial, asked)

    def _match(self, criteria: Object, asked: Attributes) -> Match | None:
        """Return how `matchConstraints` or `matchResources` take a request."""
        refusal = self._matcher.namespace_refusal(criteria.get("namespaceSelector") or {}, asked)
        if refusal is True or not selects_object(criteria.get("objectSelector") or {}, asked):
            return None
        policy = criteria.get("matchPolicy") or "Equivalent"
        if self._matcher.rule(criteria.get("excludeResourceRules") or [], policy, asked):
            return None
        rules = criteria.get("resourceRules") or []
        match = (
            self._matcher.rule(rules, policy, asked) if rules else Match(asked.resource, asked.kind)
        )
        if match is not None and isinstance(refusal, StatusError):
            raise refusal
        return match

    def _parameters(
        self, policy: Object, binding: Object, asked: Attributes
    ) -> list[Object | None]:
        """Return the objects that a binding gives a policy; none at all means: does not apply."""
        kind, reference = policy["spec"].get("paramKind"), binding["spec"].get("paramRef")
        if kind is None or reference is None:
            return [None]
        group, _, version = kind["apiVersion"].rpartition("/")
        resource = self._access.endpoints.catalog.find_kind(group, version, kind["kind"])
        if resource is None:
            shown = f"&ParamKind{{APIVersion:{kind['apiVersion']},Kind:{kind['kind']},}}"
            raise _ConfigurationError(f"paramKind kind `{shown}` not known")
        namespace = reference.get("namespace") or ""
        if resource.namespaced:
            namespace = namespace or asked.namespace
            if not namespace:
                raise _ConfigurationError(
                    "cannot use namespaced paramRef in policy binding that matches "
                    "cluster-scoped resources"
                )
        elif namespace:
            raise _ConfigurationError(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        entries = self._access.store.entries(resource.prefix, namespace)
        found: list[Object | None] = []
        for entry in entries:
            view = self._access.view(resource, entry)
            labels = view["metadata"].get("labels") or {}
            if reference.get("name"):
                if entry.key[1] == reference["name"]:
                    found.append(view)
            elif labelselectors.matches(reference.get("selector") or {}, labels):
                found.append(view)
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise _ConfigurationError(
                "no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        return found

    def _denials(
        self, policy: Object, parameters: Object | None, match: Match, asked: Attributes
    ) -> list[_Denial]:
        """Return the rules that do not hold, and those that cannot be evaluated."""
        spec = policy["spec"]
        strict = spec.get("failurePolicy") != "Ignore"
        scope = self._scopes.of(asked, match, parameters)
        applies, errors = outcome(spec.get("matchConditions") or [], scope)
        if errors:
            return [_Denial(joined(errors))] if strict else []
        if not applies:
            return []
        scope.namespace = self._matcher.namespace(asked)  # which match conditions do not see
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

    @staticmethod
    def _unusable(
        policy: Object, binding: Object | None, text: str, asked: Attributes
    ) -> list[StatusError]:
        """Return the refusal for a policy that cannot be used, by its failure policy."""
        if policy["spec"].get("failurePolicy") == "Ignore":
            return []
        return [_refusal(policy, binding, _Denial(text), asked)]


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


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
    where = "" if binding is None else f" with binding '{_name(binding)}'"
    text = f"ValidatingAdmissionPolicy '{_name(policy)}'{where} denied request: {denial.message}"
    meta = (asked.object or {}).get("metadata") or {}
    name = asked.name or meta.get("name") or meta.get("generateName") or "Unknown"
    error = forbidden(asked.resource.group, asked.resource.plural, name, text)
    assert error.details is not None
    error.reason, error.code = denial.reason, _CODES.get(denial.reason, 422)
    error.details["causes"] = [{"message": text}]
    return error
