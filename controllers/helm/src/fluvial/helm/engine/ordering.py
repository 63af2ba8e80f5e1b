"""In which order Helm deletes kinds: close to the reverse of how it installs them."""

from collections.abc import Iterable

from fluvial.apis.ids import Unstructured

__all__ = ["uninstall_order"]

_ORDER = (
    "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService", "Ingress",
    "IngressClass", "Service", "CronJob", "Job", "StatefulSet", "HorizontalPodAutoscaler",
    "Deployment", "ReplicaSet", "ReplicationController", "Pod", "DaemonSet", "RoleBindingList",
    "RoleBinding", "RoleList", "Role", "ClusterRoleBindingList", "ClusterRoleBinding",
    "ClusterRoleList", "ClusterRole", "CustomResourceDefinition", "PersistentVolumeClaim",
    "PersistentVolume", "StorageClass", "ConfigMap", "SecretList", "Secret", "ServiceAccount",
    "PodDisruptionBudget", "PodSecurityPolicy", "LimitRange", "ResourceQuota", "NetworkPolicy",
    "Namespace", "PriorityClass",
)  # fmt: skip
_RANK = {kind: rank for rank, kind in enumerate(_ORDER)}


def uninstall_order(objects: Iterable[Unstructured]) -> list[Unstructured]:
    """Sort for deletion; kinds that Helm does not know come last, by name."""
    return sorted(objects, key=lambda obj: (_RANK.get(obj["kind"], len(_RANK)), _unknown(obj)))


def _unknown(obj: Unstructured) -> str:
    return "" if obj["kind"] in _RANK else str(obj["kind"])
