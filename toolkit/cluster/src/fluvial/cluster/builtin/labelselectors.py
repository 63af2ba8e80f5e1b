"""LabelSelector: whether it is well formed, and what it selects."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.metadata import label_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import label_key_errors, label_value_errors

__all__ = ["is_empty", "label_selector_errors", "matches"]

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def is_empty(selector: dict[str, Any]) -> bool:
    """Tell whether a selector says nothing."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Tell whether a selector selects a set of labels."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions") or []:
        key, operator = term.get("key"), term.get("operator")
        values = term.get("values") or []
        if operator == "In" and labels.get(key) not in values:
            return False
        if operator == "NotIn" and key in labels and labels[key] in values:
            return False
        if operator == "Exists" and key not in labels:
            return False
        if operator == "DoesNotExist" and key in labels:
            return False
    return True


def label_selector_errors(selector: object, path: str) -> list[Cause]:
    """Check the labels and the terms of a selector."""
    if not isinstance(selector, dict):
        return []
    errors = label_errors(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, term in enumerate(selector.get("matchExpressions") or []):
        errors += _term_errors(term, f"{path}.matchExpressions[{index}]")
    return errors


def _term_errors(term: dict[str, Any], path: str) -> list[Cause]:
    operator, values, key = term.get("operator", ""), term.get("values") or [], term.get("key", "")
    errors: list[Cause] = []
    if operator in ("In", "NotIn"):
        if not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(fielderrors.required(f"{path}.values", text))
    elif operator in _OPERATORS:
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(fielderrors.forbidden(f"{path}.values", text))
    else:
        text = "not a valid selector operator"
        errors.append(fielderrors.invalid(f"{path}.operator", operator, text))
    errors += [fielderrors.invalid(f"{path}.key", key, text) for text in label_key_errors(key)]
    errors += [
        fielderrors.invalid(f"{path}.values[{index}]", value, text)
        for index, value in enumerate(values)
        for text in label_value_errors(value)
    ]
    return errors
