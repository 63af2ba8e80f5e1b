"""Selectors, templates and status counts: rules that the workload kinds share."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import is_empty, label_selector_errors, matches
from fluvial.cluster.builtin.numbers import nonnegative_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["count_errors", "mismatch_errors", "selector_errors"]


def selector_errors(spec: Object, kind: str) -> list[Cause]:
    """Check the selector of a workload by itself."""
    selector = spec.get("selector")
    if selector is None:
        return [fielderrors.required("spec.selector")]
    errors = label_selector_errors(selector, "spec.selector")
    if is_empty(selector):
        text = f"empty selector is invalid for {kind}"
        errors.append(fielderrors.invalid("spec.selector", selector, text))
    return errors


def mismatch_errors(spec: Object) -> list[Cause]:
    """Refuse a selector that does not select the template's pods."""
    selector = spec.get("selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if selector is not None and matches(selector, labels or {}):
        return []
    text = "`selector` does not match template `labels`"
    return [fielderrors.invalid("spec.template.metadata.labels", labels, text)]


def count_errors(status: dict[str, Any], limited: tuple[str, ...], *others: str) -> list[Cause]:
    """Check the numbers of a status: none negative, the `limited` ones not above `replicas`."""
    errors = nonnegative_errors(status, "status", "observedGeneration", "replicas", *limited)
    errors += nonnegative_errors(status, "status", *others)
    replicas, text = status.get("replicas", 0), "cannot be greater than status.replicas"
    return errors + [
        fielderrors.invalid(f"status.{name}", status.get(name, 0), text)
        for name in limited
        if status.get(name, 0) > replicas
    ]
