"""What a Kustomization refers to: the source, dependencies, ConfigMaps and Secrets.

The index functions say under which references an object is found (`Kind/namespace/name`).
"""

from collections.abc import Iterator
from typing import Any, Final

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import BUCKET, EXTERNAL_ARTIFACT, GIT_REPOSITORY, OCI_REPOSITORY, Kind
from fluvial.apis.kustomize import Kustomization
from fluvial.toolkit import Change, key_of, ready_changed
from fluvial.toolkit.references import cluster_configs

__all__ = [
    "CONFIGS",
    "DEPENDENCIES",
    "SOURCES",
    "SOURCE_KINDS",
    "applied",
    "configs_of",
    "source_of",
    "source_reference",
]

SOURCES: Final = "source"
DEPENDENCIES: Final = "dependsOn"
CONFIGS: Final = "config"

SOURCE_KINDS: Final[dict[str, Kind[Any]]] = {
    kind.kind: kind for kind in (GIT_REPOSITORY, OCI_REPOSITORY, BUCKET, EXTERNAL_ARTIFACT)
}


def source_reference(obj: Kustomization) -> str:
    """Return the source of an object, with its namespace filled in."""
    ref = obj.spec.source_ref
    return f"{ref.kind}/{ref.namespace or obj.metadata.namespace}/{ref.name}"


def source_of(raw: Unstructured) -> Iterator[str]:
    """Index by source."""
    ref = raw["spec"]["sourceRef"]
    yield f"{ref['kind']}/{ref.get('namespace') or key_of(raw).namespace}/{ref['name']}"


def configs_of(raw: Unstructured) -> Iterator[str]:
    """Index by ConfigMaps and Secrets whose data says what is applied, and where to."""
    namespace = key_of(raw).namespace
    spec = raw["spec"]
    for ref in (spec.get("postBuild") or {}).get("substituteFrom") or ():
        yield f"{ref['kind']}/{namespace}/{ref['name']}"
    if keys := (spec.get("decryption") or {}).get("secretRef"):
        yield f"Secret/{namespace}/{keys['name']}"
    yield from cluster_configs(raw)


def applied(change: Change) -> bool:
    """Pass a Kustomization that became ready or applied another revision: dependents may go on.

    A watch that was interrupted may show both states and not what was between.
    """
    return ready_changed(change) or _applied_revision(change.new) != _applied_revision(change.old)


def _applied_revision(obj: Unstructured | None) -> str:
    return ((obj or {}).get("status") or {}).get("lastAppliedRevision") or ""
