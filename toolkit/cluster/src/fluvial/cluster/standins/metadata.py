"""Readers of the metadata that controllers decide by, and the owner references they write."""

from __future__ import annotations

from collections.abc import Mapping

from fluvial.cluster.objects import Object, metadata, name_of

__all__ = [
    "annotations_of",
    "controller_of",
    "created_at",
    "generation_of",
    "is_deleting",
    "labels_of",
    "matches",
    "owner_reference",
    "uid_of",
]


def uid_of(obj: Object) -> str:
    """Return `metadata.uid`, or the empty string."""
    return str(metadata(obj).get("uid") or "")


def labels_of(obj: Object) -> dict[str, str]:
    """Return the labels; an empty map when there are none."""
    return metadata(obj).get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    """Return the annotations; an empty map when there are none."""
    return metadata(obj).get("annotations") or {}


def created_at(obj: Object) -> str:
    """Return `metadata.creationTimestamp`; its text sorts by time."""
    return str(metadata(obj).get("creationTimestamp") or "")


def generation_of(obj: Object) -> int:
    """Return `metadata.generation`, 0 when the kind keeps none."""
    return int(metadata(obj).get("generation") or 0)


def is_deleting(obj: Object) -> bool:
    """Tell whether a deletion was asked for."""
    return bool(metadata(obj).get("deletionTimestamp"))


def controller_of(obj: Object) -> Object | None:
    """Return the owner reference with `controller: true`."""
    references: list[Object] = metadata(obj).get("ownerReferences") or []
    return next((ref for ref in references if ref.get("controller")), None)


def owner_reference(owner: Object) -> Object:
    """Return the reference by which `owner` controls an object and blocks its own deletion."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def matches(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a `LabelSelector` selects the labels; None selects nothing, empty everything.

    Raises `ValueError` for an operator that the API does not have.
    """
    if selector is None:
        return False
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(term, labels) for term in selector.get("matchExpressions") or [])


def _holds(term: Object, labels: Mapping[str, str]) -> bool:
    key, operator, values = term["key"], term["operator"], term.get("values") or []
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise ValueError(f"{operator!r} is no selector operator: use In, NotIn, Exists, DoesNotExist")
