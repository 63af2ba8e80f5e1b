"""Validating admission policies and their bindings: defaults and checks.

They are enforced by `fluvial.cluster.endpoints.admission.policies`.
"""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import re

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.conditions import expression_errors
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
from fluvial.cluster.names import label_key_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

_ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_BOTH = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the "
    "API response and headers serves no purpose)"
)
_MOST_NOTES = 20
_LONGEST_NOTE = 5 * 1024


class PolicyStrategy(Strategy):
    """Rules of ValidatingAdmissionPolicy."""

    def default(self, obj: Object) -> None:
        """Default the failure policy and what is matched; a status is always written."""
        default_policy(obj)
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the rules, and that every expression compiles."""
        spec = obj.get("spec") or {}
        errors, names = policy_errors(spec), names_of(spec)
        validations, notes = spec.get("validations") or [], spec.get("auditAnnotations") or []
        if not validations and not notes:
            text = "validations or auditAnnotations must contain at least one item"
            errors.append(fielderrors.required("spec.validations", text))
            errors.append(fielderrors.required("spec.auditAnnotations", text))
        for index, rule in enumerate(validations):
            errors += _validation_errors(rule, f"spec.validations[{index}]", names)
        return errors + _note_errors(obj, notes, names)


class BindingStrategy(Strategy):
    """Rules of ValidatingAdmissionPolicyBinding."""

    def default(self, obj: Object) -> None:
        """Default what is matched."""
        default_binding(obj)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the reference, the parameters and the actions."""
        spec = obj.get("spec") or {}
        path = "spec.matchResouces"  # as upstream writes it
        return binding_errors(spec, path) + _action_errors(spec.get("validationActions") or [])


def _note_errors(obj: Object, notes: list[Object], names: tuple[str, ...]) -> list[Cause]:
    """Check audit annotations: keys that are unique below the policy's name, and expressions."""
    errors: list[Cause] = []
    if len(notes) > _MOST_NOTES:
        text = f"must not have more than {_MOST_NOTES} auditAnnotations"
        errors.append(fielderrors.invalid("spec.auditAnnotations", notes, text))
    keys: set[str] = set()
    for index, note in enumerate(notes):
        path, key = f"spec.auditAnnotations[{index}]", note.get("key") or ""
        source = note.get("valueExpression") or ""
        whole = f"{obj['metadata'].get('name', '')}/{key}"
        errors += [
            fielderrors.invalid(f"{path}.key", whole, text) for text in label_key_errors(whole)
        ]
        if not source.strip():
            text = "valueExpression is not specified"
            errors.append(fielderrors.required(f"{path}.valueExpression", text))
        elif len(source.strip().encode()) > _LONGEST_NOTE:
            text = f"must not exceed {_LONGEST_NOTE} bytes in length"
            errors.append(fielderrors.required(f"{path}.valueExpression", text))
        else:
            errors += expression_errors(
                source, f"{path}.valueExpression", ("STRING", "NULL"), names
            )
        if key in keys:
            errors.append(fielderrors.duplicate(f"{path}.key", key))
        keys.add(key)
    return errors


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
}
