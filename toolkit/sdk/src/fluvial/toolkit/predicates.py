"""Which changes wake a controller."""

from collections.abc import Callable
from typing import TypeAlias

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.informer import Change
from fluvial.toolkit.lifecycle import REQUESTED_AT

__all__ = [
    "Predicate",
    "any_change",
    "artifact_changed",
    "either",
    "generation_changed",
    "own_annotation_changed",
    "ready_changed",
    "requested",
    "spec_or_request",
]

Predicate: TypeAlias = Callable[[Change], bool]
"""Whether a change counts."""

_OWN_PREFIX = "fluvial.dev/"


def any_change(change: Change) -> bool:  # noqa: ARG001 - a predicate
    """Pass every change."""
    return True


def either(*predicates: Predicate) -> Predicate:
    """Return a predicate that is true when one of these is."""
    return lambda change: any(predicate(change) for predicate in predicates)


def generation_changed(change: Change) -> bool:
    """Pass what was added, deleted, marked for deletion, or another spec."""
    if change.old is None or change.new is None:
        return True
    old, new = change.old["metadata"], change.new["metadata"]
    return old.get("generation") != new.get("generation") or (
        "deletionTimestamp" in new and "deletionTimestamp" not in old
    )


def requested(change: Change) -> bool:
    """Pass where `requestedAt` is new or has another value; removing it is nothing."""
    if change.old is None or change.new is None:
        return False
    token = _annotations(change.new).get(REQUESTED_AT)
    return token is not None and token != _annotations(change.old).get(REQUESTED_AT)


def own_annotation_changed(change: Change) -> bool:
    """Pass where an annotation `fluvial.dev/…` was added, changed or removed."""
    if change.old is None or change.new is None:
        return False

    def own(obj: Unstructured) -> dict[str, str]:
        return {k: v for k, v in _annotations(obj).items() if k.startswith(_OWN_PREFIX)}

    return own(change.old) != own(change.new)


spec_or_request = either(generation_changed, requested, own_annotation_changed)
"""What wakes a controller for its own kind."""


def artifact_changed(change: Change) -> bool:
    """Pass where a source offers another artifact (revision or digest) than before."""
    new = _artifact(change.new)
    if new is None:
        return False
    old = _artifact(change.old)
    fields = ("revision", "digest")
    return old is None or any(old.get(field) != new.get(field) for field in fields)


def ready_changed(change: Change) -> bool:
    """Pass what became ready, also at another generation: what dependents wait for."""
    new = _ready(change.new)
    return new is not None and new[0] == "True" and new != _ready(change.old)


def _annotations(obj: Unstructured) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def _artifact(obj: Unstructured | None) -> Unstructured | None:
    return ((obj or {}).get("status") or {}).get("artifact")


def _ready(obj: Unstructured | None) -> tuple[str, int | None] | None:
    status = (obj or {}).get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready":
            return condition.get("status", ""), status.get("observedGeneration")
    return None
