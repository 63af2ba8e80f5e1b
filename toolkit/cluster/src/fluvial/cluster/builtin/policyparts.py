"""What validating and mutating policies have in common: constraints, parameters, variables."""

from __future__ import annotations

import re
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.conditions import conditions_errors, expression_errors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.webhooks import choice_errors, rule_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.expressions import NAMES
from fluvial.cluster.names import (
    dns_subdomain_errors,
    path_segment_errors,
    service_name_errors,
)
from fluvial.cluster.objects import Object

__all__ = [
    "binding_errors",
    "default_binding",
    "default_policy",
    "names_of",
    "policy_errors",
]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def default_policy(obj: Object) -> None:
    """Default the failure policy and what is matched."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    if spec.get("matchConstraints") is not None:
        _default_match(spec["matchConstraints"])


def default_binding(obj: Object) -> None:
    """Default what is matched."""
    spec = obj.setdefault("spec", {})
    if spec.get("matchResources") is not None:
        _default_match(spec["matchResources"])


def names_of(spec: Object) -> tuple[str, ...]:
    """Return the names that expressions of a policy may use."""
    params = spec.get("paramKind") is not None
    return tuple(name for name in NAMES if params or name != "params")


def policy_errors(spec: Object) -> list[Cause]:
    """Check all of a policy but what it does: failures, parameters, constraints, variables."""
    errors = choice_errors(spec, "spec", "failurePolicy", ("Fail", "Ignore"))
    params = spec.get("paramKind") is not None
    if params:
        errors += _kind_errors(spec["paramKind"], "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        errors.append(fielderrors.required("spec.matchConstraints"))
    else:
        errors += _match_errors(constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            errors.append(fielderrors.required("spec.matchConstraints.resourceRules"))
    errors += conditions_errors(spec.get("matchConditions"), "spec.matchConditions", params=params)
    for index, variable in enumerate(spec.get("variables") or []):
        errors += _variable_errors(variable, f"spec.variables[{index}]", names_of(spec))
    return errors


def binding_errors(spec: Object, path: str) -> list[Cause]:
    """Check all of a binding but its actions: the policy, the parameters, what is matched.

    `path` is how the place of the latter is named.
    """
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
        errors += _match_errors(spec["matchResources"], path)
    return errors


def _kind_errors(kind: Object, path: str) -> list[Cause]:
    """Check the kind of parameters: a version that can be one, and a kind."""
    version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    errors = _version_errors(version, f"{path}.apiVersion")
    if not name:
        errors.append(fielderrors.required(f"{path}.kind"))
    texts = service_name_errors(name.lower()) if name else []
    if texts:
        text = f"may have mixed case, but should otherwise match: {','.join(texts)}"
        errors.append(fielderrors.invalid(f"{path}.kind", name, text))
    return errors


def _version_errors(text: str, path: str) -> list[Cause]:
    if not text:
        return [fielderrors.required(path)]
    if text.count("/") > 1:
        return [fielderrors.invalid(path, text, f"unexpected GroupVersion string: {text}")]
    group, _, version = text.rpartition("/")
    errors: list[Cause] = []
    if group and (texts := dns_subdomain_errors(group)):
        errors.append(fielderrors.invalid(path, group, ",".join(texts)))
    if not version:
        errors.append(fielderrors.invalid(path, text, "version must be specified"))
    elif texts := service_name_errors(version):
        errors.append(fielderrors.invalid(path, version, ",".join(texts)))
    return errors


def _default_match(match: Object) -> None:
    """Default the policy, the selectors and the scopes."""
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for key in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(key) or []:
            rule.setdefault("scope", "*")


def _match_errors(match: dict[str, Any], path: str) -> list[Cause]:
    """Check `matchConstraints` or `matchResources`."""
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
            errors += [
                fielderrors.invalid(f"{place}.resourceNames[{at}]", name, text)
                for at, name in enumerate(names)
                for text in path_segment_errors(name)
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


def _reference_errors(reference: Object, path: str) -> list[Cause]:
    errors: list[Cause] = []
    name, selector = reference.get("name") or "", reference.get("selector")
    both = "name and selector are mutually exclusive"
    errors += [
        fielderrors.invalid(f"{path}.name", name, text) for text in path_segment_errors(name)
    ]
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
