"""Where pods may run: affinity, tolerations, spreading."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import label_key_errors, label_value_errors
from fluvial.cluster.objects import Object

__all__ = ["affinity_errors", "node_selector_errors", "spread_errors", "toleration_errors"]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def affinity_errors(affinity: Object, path: str) -> list[Cause]:
    """Check node affinity, pod affinity and pod anti-affinity."""
    errors: list[Cause] = []
    node = affinity.get("nodeAffinity")
    if node is not None:
        errors += _node_errors(node, f"{path}.nodeAffinity")
    for name in ("podAffinity", "podAntiAffinity"):
        if affinity.get(name) is not None:
            errors += _pods_errors(affinity[name], f"{path}.{name}")
    return errors


def _node_errors(node: Object, path: str) -> list[Cause]:
    errors: list[Cause] = []
    if node.get(_REQUIRED) is not None:
        errors += node_selector_errors(node[_REQUIRED], f"{path}.{_REQUIRED}")
    for index, term in enumerate(node.get(_PREFERRED) or []):
        where = f"{path}.{_PREFERRED}[{index}]"
        errors += _weight_errors(term, where)
        errors += _node_term_errors(term.get("preference") or {}, f"{where}.preference")
    return errors


def node_selector_errors(selector: Object, path: str) -> list[Cause]:
    """Check a NodeSelector."""
    terms = selector.get("nodeSelectorTerms") or []
    where = f"{path}.nodeSelectorTerms"
    if not terms:
        return [fielderrors.required(where, "must have at least one node selector term")]
    return [
        error
        for index, term in enumerate(terms)
        for error in _node_term_errors(term, f"{where}[{index}]")
    ]


def _node_term_errors(term: Object, path: str) -> list[Cause]:
    errors: list[Cause] = []
    for name in ("matchExpressions", "matchFields"):
        for index, requirement in enumerate(term.get(name) or []):
            errors += _requirement_errors(requirement, f"{path}.{name}[{index}]")
    return errors


def _requirement_errors(requirement: Object, path: str) -> list[Cause]:
    operator, values = requirement.get("operator", ""), requirement.get("values") or []
    errors: list[Cause] = []
    if operator in ("In", "NotIn"):
        if not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(fielderrors.required(f"{path}.values", text))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(fielderrors.forbidden(f"{path}.values", text))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            errors.append(fielderrors.required(f"{path}.values", text))
    else:
        text = "not a valid selector operator"
        errors.append(fielderrors.invalid(f"{path}.operator", operator, text))
    key = requirement.get("key", "")
    return errors + [
        fielderrors.invalid(f"{path}.key", key, text) for text in label_key_errors(key)
    ]


def _weight_errors(term: Object, path: str) -> list[Cause]:
    weight = term.get("weight", 0)
    if 0 < weight <= 100:
        return []
    return [fielderrors.invalid(f"{path}.weight", weight, "must be in the range 1-100")]


def _pods_errors(affinity: Object, path: str) -> list[Cause]:
    errors: list[Cause] = []
    for index, term in enumerate(affinity.get(_REQUIRED) or []):
        errors += _pod_term_errors(term, f"{path}.{_REQUIRED}[{index}]")
    for index, weighted in enumerate(affinity.get(_PREFERRED) or []):
        where = f"{path}.{_PREFERRED}[{index}]"
        errors += _weight_errors(weighted, where)
        errors += _pod_term_errors(
            weighted.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm"
        )
    return errors


def _pod_term_errors(term: Object, path: str) -> list[Cause]:
    errors = label_selector_errors(term.get("labelSelector"), f"{path}.labelSelector")
    errors += label_selector_errors(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    return errors + _topology_errors(term, path)


def _topology_errors(term: Object, path: str) -> list[Cause]:
    key, where = term.get("topologyKey", ""), f"{path}.topologyKey"
    if not key:
        return [fielderrors.required(where, "can not be empty")]
    return [fielderrors.invalid(where, key, text) for text in label_key_errors(key)]


def toleration_errors(tolerations: list[Any], path: str) -> list[Cause]:
    """Check tolerations."""
    errors: list[Cause] = []
    for index, item in enumerate(tolerations):
        where = f"{path}[{index}]"
        key, operator, value = item.get("key", ""), item.get("operator", ""), item.get("value", "")
        if key:
            errors += [fielderrors.invalid(f"{where}.key", key, t) for t in label_key_errors(key)]
        elif operator != "Exists":
            text = (
                "operator must be Exists when `key` is empty, which means "
                '"match all values and all keys"'
            )
            errors.append(fielderrors.invalid(f"{where}.operator", operator, text))
        seconds = item.get("tolerationSeconds")
        if seconds is not None and item.get("effect") != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.append(fielderrors.invalid(f"{where}.effect", item.get("effect", ""), text))
        if operator in ("", "Equal"):
            bad = label_value_errors(value)
            if bad:
                errors.append(fielderrors.invalid(f"{where}.operator", value, ";".join(bad)))
        elif operator == "Exists":
            if value:
                text = "value must be empty when `operator` is 'Exists'"
                errors.append(fielderrors.invalid(f"{where}.operator", item, text))
        else:
            kinds = ("Equal", "Exists")
            errors.append(fielderrors.not_supported(f"{where}.operator", operator, kinds))
        effect = item.get("effect", "")
        if effect and effect not in _EFFECTS:
            errors.append(fielderrors.not_supported(f"{where}.effect", effect, _EFFECTS))
    return errors


def spread_errors(constraints: list[Any], path: str) -> list[Cause]:
    """Check topology spread constraints."""
    errors: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(constraints):
        where = f"{path}[{index}]"
        skew, action = item.get("maxSkew", 0), item.get("whenUnsatisfiable", "")
        if skew <= 0:
            errors.append(
                fielderrors.invalid(f"{where}.maxSkew", skew, "must be greater than zero")
            )
        errors += _topology_errors(item, where)
        kinds = ("DoNotSchedule", "ScheduleAnyway")
        if action not in kinds:
            errors.append(fielderrors.not_supported(f"{where}.whenUnsatisfiable", action, kinds))
        pair = (item.get("topologyKey", ""), action)
        if pair in seen:
            text = f"{{{pair[0]}, {pair[1]}}}"
            field = f"{where}.{{topologyKey, whenUnsatisfiable}}"
            errors.append(fielderrors.duplicate(field, text))
        seen.add(pair)
        least = item.get("minDomains")
        if least is not None and least <= 0:
            errors.append(
                fielderrors.invalid(f"{where}.minDomains", least, "must be greater than 0")
            )
        errors += label_selector_errors(item.get("labelSelector"), f"{where}.labelSelector")
    return errors
