"""Selectors and templates: rules that the workload kinds share."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.metadata import label_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["matches", "selector_errors"]


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Tell whether a LabelSelector selects a set of labels."""
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


def selector_errors(spec: Object, kind: str) -> list[Cause]:
    """Check the selector of a workload against itself and its template."""
    selector = spec.get("selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    mismatch = fielderrors.invalid(
        "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
    )
    if selector is None:
        return [fielderrors.required("spec.selector"), mismatch]
    errors = label_errors(selector.get("matchLabels"), "spec.selector.matchLabels")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        text = f"empty selector is invalid for {kind}"
        errors.append(fielderrors.invalid("spec.selector", selector, text))
    if not matches(selector, labels):
        errors.append(mismatch)
    return errors
