"""Admission policies and their bindings: defaults and checks.

ValidatingAdmissionPolicies are enforced (`fluvial.cluster.endpoints.admission.policies`).
MutatingAdmissionPolicies are stored and do nothing, which their authors are warned of.
"""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import re
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.conditions import conditions_errors, expression_errors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.builtin.webhooks import choice_errors, rule_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.expressions import NAMES
from fluvial.cluster.names import dns_subdomain_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_BOTH = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the "
    "API response and headers serves no purpose)"
)
NOT_ENFORCED = (
    "{} are stored but not enforced by the embedded control plane: use a mutating webhook, or try "
    "the policy on a real cluster"
)


class PolicyStrategy(Strategy):
    """Rules of ValidatingAdmissionPolicy."""

    def default(self, obj: Object) -> None:
        """Default the failure policy and what is matched."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("failurePolicy", "Fail")
        if spec.get("matchConstraints") is not None:
            _default_match(spec["matchConstraints"])

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the rules, and that every expression compiles."""
        spec = obj.get("spec") or {}
        errors = choice_errors(spec, "spec", "failurePolicy", ("Fail", "Ignore"))
        params = spec.get("paramKind") is not None
        for name in ("apiVersion", "kind") if params else ():
            if not spec["paramKind"].get(name):
                errors.append(fielderrors.required(f"spec.paramKind.{name}"))
        constraints = spec.get("matchConstraints")
        if constraints is None:
            errors.append(fielderrors.required("spec.matchConstraints"))
        else:
            errors += _match_errors(constraints, "spec.matchConstraints")
            if not constraints.get("resourceRules"):
                errors.append(fielderrors.required("spec.matchConstraints.resourceRules"))
        errors += conditions_errors(
            spec.get("matchConditions"), "spec.matchConditions", params=params
        )
        names = tuple(name for name in NAMES if params or name != "params")
        for index, variable in enumerate(spec.get("variables") or []):
            errors += _variable_errors(variable, f"spec.variables[{index}]", names)
        validations = spec.get("validations") or []
        if not validations and not spec.get("auditAnnotations"):
            text = "validations or auditAnnotations must contain at least one item"
            errors.append(fielderrors.required("spec.validations", text))
            errors.append(fielderrors.required("spec.auditAnnotations", text))
        for index, rule in enumerate(validations):
            errors += _validation_errors(rule, f"spec.validations[{index}]", names)
        for index, note in enumerate(spec.get("auditAnnotations") or []):
            path, source = (
                f"spec.auditAnnotations[{index}].valueExpression",
                note.get("valueExpression"),
            )
            if not (source or "").strip():
                errors.append(fielderrors.required(path, "valueExpression is not specified"))
            else:
                errors += expression_errors(source, path, ("STRING", "NULL"), names)
        return errors


class BindingStrategy(Strategy):
    """Rules of ValidatingAdmissionPolicyBinding."""

    def default(self, obj: Object) -> None:
        """Default what is matched."""
        spec = obj.setdefault("spec", {})
        if spec.get("matchResources") is not None:
            _default_match(spec["matchResources"])

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the reference, the parameters and the actions."""
        spec = obj.get("spec") or {}
        name = spec.get("policyName") or ""
        errors: list[Cause] = []
        if not name:
            errors.append(fielderrors.required("spec.policyName"))
        errors += [
            fielderrors.invalid("spec.policyName", name, text)
            for text in (dns_subdomain_errors(name) if name else [])
        ]
        if spec.get("paramRef") is not None:
            errors += _reference_errors(spec["paramRef"], "spec.paramRef")
        if spec.get("matchResources") is not None:
            errors += _match_errors(spec["matchResources"], "spec.matchResouces")  # upstream's path
        return errors + _action_errors(spec.get("validationActions") or [])


class NotEnforcedStrategy(Strategy):
    """Rules of kinds that do nothing here; `shown` is how the warning calls them."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Say that the object has no effect."""
        return [NOT_ENFORCED.format(self.shown)]


def _default_match(match: Object) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for key in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(key) or []:
            rule.setdefault("scope", "*")


def _match_errors(match: dict[str, Any], path: str) -> list[Cause]:
    errors = choice_errors(match, path, "matchPolicy", ("Equivalent", "Exact"))
    for name in ("namespaceSelector", "objectSelector"):
        errors += label_selector_errors(match.get(name), f"{path}.{name}")
    for key in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(key) or []):
            place = f"{path}.{key}[{index}]"
            names = rule.get("resourceNames") or []
            errors += [
                fielderrors.duplicate(f"{place}.resourceNames[{at}]", name)
                for at, name in enumerate(names)
                if name in names[:at]
            ]
            errors += rule_errors(rule, place)
    return errors


def _variable_errors(variable: Object, path: str, names: tuple[str, ...]) -> list[Cause]:
    name, source = variable.get("name") or "", variable.get("expression") or ""
    errors: list[Cause] = []
    if not name.strip():
        errors.append(fielderrors.required(f"{path}.name", "name is not specified"))
    elif not _IDENTIFIER.fullmatch(name):
        text = "name is not a valid CEL identifier"
        errors.append(fielderrors.invalid(f"{path}.name", name, text))
    if not source.strip():
        text = "expression is not specified"
        return [*errors, fielderrors.required(f"{path}.expression", text)]
    return errors + expression_errors(source, f"{path}.expression", (), names)


def _validation_errors(rule: Object, path: str, names: tuple[str, ...]) -> list[Cause]:
    source, message = rule.get("expression") or "", rule.get("message") or ""
    computed = rule.get("messageExpression") or ""
    errors: list[Cause] = []
    if not source.strip():
        text = "expression is not specified"
        errors.append(fielderrors.required(f"{path}.expression", text))
    else:
        errors += expression_errors(source, f"{path}.expression", ("BOOL",), names)
    if computed and not computed.strip():
        text = "must be non-empty if specified"
        errors.append(fielderrors.invalid(f"{path}.messageExpression", computed, text))
    elif computed:
        without = tuple(name for name in names if name != "authorizer")
        errors += expression_errors(computed, f"{path}.messageExpression", ("STRING",), without)
    if message and not message.strip():
        text = "message must be non-empty if specified"
        errors.append(fielderrors.invalid(f"{path}.message", message, text))
    elif re.search(r"[\n\r]", message.strip()):
        text = "message must not contain line breaks"
        errors.append(fielderrors.invalid(f"{path}.message", message, text))
    return errors + choice_errors(rule, path, "reason", _REASONS)


def _reference_errors(reference: Object, path: str) -> list[Cause]:
    errors: list[Cause] = []
    name, selector = reference.get("name") or "", reference.get("selector")
    both = "name and selector are mutually exclusive"
    if name and selector is not None:
        errors.append(fielderrors.forbidden(f"{path}.name", both))
    if selector is not None:
        errors += label_selector_errors(selector, f"{path}.selector")
        if name:
            errors.append(fielderrors.forbidden(f"{path}.selector", both))
    if not name and selector is None:
        errors.append(fielderrors.required(path, "one of name or selector must be specified"))
    if not reference.get("parameterNotFoundAction"):
        errors.append(fielderrors.required(f"{path}.parameterNotFoundAction"))
    return errors + choice_errors(reference, path, "parameterNotFoundAction", ("Deny", "Allow"))


def _action_errors(actions: list[str]) -> list[Cause]:
    path = "spec.validationActions"
    errors: list[Cause] = []
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            errors.append(fielderrors.not_supported(f"{path}[{index}]", action, _ACTIONS))
        if action in actions[:index]:
            errors.append(fielderrors.duplicate(f"{path}[{index}]", action))
    if {"Deny", "Warn"} <= set(actions):
        errors.append(fielderrors.invalid(path, actions, _BOTH))
    if not actions:
        text = "at least one validation action is required"
        errors.append(fielderrors.required(path, text))
    return errors


_GROUP = "admissionregistration.k8s.io"
STRATEGIES: dict[str, Strategy] = {
    f"{_GROUP}/validatingadmissionpolicies": PolicyStrategy(),
    f"{_GROUP}/validatingadmissionpolicybindings": BindingStrategy(),
    f"{_GROUP}/mutatingadmissionpolicies": NotEnforcedStrategy("MutatingAdmissionPolicies"),
    f"{_GROUP}/mutatingadmissionpolicybindings": NotEnforcedStrategy(
        "MutatingAdmissionPolicyBindings"
    ),
}
