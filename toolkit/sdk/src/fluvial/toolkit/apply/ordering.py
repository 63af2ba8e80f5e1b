"""In which order objects are applied, and pruned: upstream's stages and kinds."""

from collections.abc import Collection, Iterable
from enum import IntEnum
from typing import Any

from fluvial.apis.ids import GroupKind, ObjectId, Unstructured

__all__ = ["Stage", "order", "sort_key", "stage", "stages"]

_FIRST = (
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK = {kind: rank - len(_FIRST) for rank, kind in enumerate(_FIRST)} | {
    kind: rank + 1 for rank, kind in enumerate(_LAST)
}
_DEFINITIONS = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("", "Namespace"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
}


class Stage(IntEnum):
    """A pass of "dry-run all, then apply all"; the first two are waited for."""

    DEFINITIONS = 1
    """Definitions and namespaces, which others need."""
    CLASSES = 2
    """Kinds that end in Class."""
    CUSTOM = 3
    """Kinds that the caller puts before the rest."""
    REST = 4
    """Everything else."""


def stage(kind: GroupKind, custom: Collection[GroupKind] = ()) -> Stage:
    """Assign a kind to its stage; `custom` lists those of the third."""
    if kind in _DEFINITIONS:
        return Stage.DEFINITIONS
    if kind.kind.endswith("Class"):
        return Stage.CLASSES
    return Stage.CUSTOM if kind in custom else Stage.REST


def sort_key(id: ObjectId) -> tuple[Any, ...]:
    """Order by the list of kinds, then group, kind, namespace, name."""
    return (_RANK.get(id.kind, 0), id.group, id.kind, id.namespace, id.name)


def order(ids: Iterable[ObjectId], *, reverse: bool = False) -> list[ObjectId]:
    """Sort for applying, or in reverse for pruning."""
    return sorted(ids, key=sort_key, reverse=reverse)


def stages(
    objects: Iterable[Unstructured], custom: Collection[GroupKind] = ()
) -> list[tuple[Stage, list[Unstructured]]]:
    """Split objects into non-empty stages, each in order."""
    split: dict[Stage, list[tuple[ObjectId, Unstructured]]] = {}
    for obj in objects:
        identity = ObjectId.from_object(obj)
        split.setdefault(stage(identity.group_kind, custom), []).append((identity, obj))
    return [
        (which, [obj for _, obj in sorted(split[which], key=lambda pair: sort_key(pair[0]))])
        for which in sorted(split)
    ]
