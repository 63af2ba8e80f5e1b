"""Metadata of generated objects: who owns them, and who is to leave them alone."""

from collections.abc import Mapping
from typing import Any, Final

from fluvial.apis.flagger import Canary, CustomMetadata
from fluvial.apis.ids import Unstructured

__all__ = ["OPT_OUT", "annotations_of", "changes", "is_owned", "labels_of", "owner_reference"]

OPT_OUT: Final[Mapping[str, str]] = {
    "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
    "helm.toolkit.fluxcd.io/driftDetection": "disabled",
}
"""Without these a GitOps controller that knows the object would undo every shift of traffic."""


def owner_reference(canary: Canary) -> dict[str, Any]:
    """Return the reference by which an object is deleted with its Canary."""
    return {
        "apiVersion": canary.api_version,
        "kind": canary.kind,
        "name": canary.metadata.name,
        "uid": canary.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def labels_of(custom: CustomMetadata | None) -> dict[str, str]:
    """Return the labels that the Canary asks for."""
    return dict(custom.labels) if custom else {}


def annotations_of(custom: CustomMetadata | None) -> dict[str, str]:
    """Return the annotations that the Canary asks for, and the two that opt out."""
    return {**(custom.annotations if custom else {}), **OPT_OUT}


def is_owned(obj: Unstructured, canary: Canary) -> bool:
    """Tell whether the object's controller is this Canary, by kind and name as upstream."""
    return any(
        owner.get("controller")
        and (owner["kind"], owner["name"]) == ("Canary", canary.metadata.name)
        for owner in obj["metadata"].get("ownerReferences") or ()
    )


def changes(present: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str | None]:
    """Return the merge patch that turns one map into the other; empty when nothing differs."""
    patch: dict[str, str | None] = dict.fromkeys(key for key in present if key not in wanted)
    patch |= {key: value for key, value in wanted.items() if present.get(key) != value}
    return patch
