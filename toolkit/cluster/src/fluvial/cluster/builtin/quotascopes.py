"""Which pods a ResourceQuota is about: its scopes and its scope selector."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["scope_errors"]

_EXISTING = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort",
             "CrossNamespacePodAffinity")  # fmt: skip
_SCOPES = (*_EXISTING, "PriorityClass", "VolumeAttributesClass")
_OPPOSITES = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_COMPUTE = frozenset(
    {"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}
)
_PODS = frozenset({"pods", "count/pods"})
_STANDARD = _COMPUTE | _PODS | {
    "configmaps", "ephemeral-storage", "limits.ephemeral-storage", "persistentvolumeclaims",
    "replicationcontrollers", "requests.ephemeral-storage", "requests.storage", "resourcequotas",
    "secrets", "services", "services.loadbalancers", "services.nodeports",
}  # fmt: skip


def scope_errors(spec: Object) -> list[Cause]:
    """Check the scopes, and that each suits what is limited."""
    hard = [name for name in sorted(spec.get("hard") or {}) if name in _STANDARD]
    scopes = spec.get("scopes") or []
    errors: list[Cause] = []
    for scope in scopes:
        if scope not in _SCOPES:
            errors.append(fielderrors.invalid("spec.scopes", scopes, "unsupported scope"))
        text = "unsupported scope applied to resource"
        errors += [
            fielderrors.invalid("spec.scopes", scopes, text)
            for name in hard
            if not _suits(scope, name)
        ]
    errors += [
        fielderrors.invalid("spec.scopes", scopes, "conflicting scopes")
        for pair in _OPPOSITES
        if set(pair) <= set(scopes)
    ]
    selector = spec.get("scopeSelector")
    for term in (selector or {}).get("matchExpressions") or []:
        errors += _term_errors(term, hard, selector)
    return errors


def _suits(scope: str, name: str) -> bool:
    if scope == "BestEffort":
        return name in _PODS
    if scope == "VolumeAttributesClass":
        return name in ("persistentvolumeclaims", "requests.storage")
    return scope not in _SCOPES or name in _PODS | _COMPUTE


def _term_errors(term: dict[str, Any], hard: list[str], selector: object) -> list[Cause]:
    path = "spec.scopeSelector.matchExpressions"
    scope, operator = term.get("scopeName", ""), term.get("operator", "")
    values = term.get("values") or []
    errors: list[Cause] = []
    if scope not in _SCOPES:
        errors.append(fielderrors.invalid(f"{path}.scopeName", scope, "unsupported scope"))
    shown = _in_go(selector)
    text = "unsupported scope applied to resource"
    errors += [fielderrors.invalid(path, shown, text) for name in hard if not _suits(scope, name)]
    if scope in _EXISTING and operator != "Exists":
        text = (
            "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
            "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
            "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
        )
        errors.append(fielderrors.invalid(f"{path}.operator", operator, text))
    if operator in ("In", "NotIn"):
        if not values:
            text = (
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
            errors.append(fielderrors.required(f"{path}.values", text))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = (
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            )
            errors.append(fielderrors.invalid(f"{path}.values", values, text))
    else:
        text = "not a valid selector operator"
        errors.append(fielderrors.invalid(f"{path}.operator", operator, text))
    return errors


def _in_go(selector: Any) -> Object:
    """Return a scope selector as Go prints its own form, which has no JSON names."""
    return {
        "MatchExpressions": [
            {
                "ScopeName": term.get("scopeName", ""),
                "Operator": term.get("operator", ""),
                "Values": term.get("values"),
            }
            for term in selector.get("matchExpressions") or []
        ]
    }
