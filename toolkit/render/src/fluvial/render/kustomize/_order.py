"""The order of the output: as read, or the legacy order by kind."""

from fluvial.render.kustomize._errors import KustomizationError
from fluvial.render.kustomize._model import LegacySortOptions, SortOptions
from fluvial.render.kustomize._resource import Resource, Resources

__all__ = ["sort"]

_FIRST = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
]
_LAST = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]


def sort(resources: Resources, options: SortOptions) -> None:
    """Sort in place. Raises KustomizationError for an unknown order or options that clash."""
    if options.order not in {"fifo", "legacy"}:
        raise KustomizationError("the field 'sortOptions.order' must be one of [fifo, legacy]")
    if options.order == "fifo":
        if options.legacySortOptions is not None:
            raise KustomizationError(
                "the field 'sortOptions.legacySortOptions' is set but the selected sort order is "
                "'fifo', not 'legacy'"
            )
        return
    chosen = options.legacySortOptions or LegacySortOptions(orderFirst=_FIRST, orderLast=_LAST)
    ranks = {kind: at - len(chosen.orderFirst) for at, kind in enumerate(chosen.orderFirst)}
    ranks |= {kind: at + 1 for at, kind in enumerate(chosen.orderLast)}

    def key(resource: Resource) -> tuple[int, bytes, bytes]:
        group, version, kind = resource.gvk
        place = "_".join((group or "~G", version or "~V", kind or "~K"))
        name = f"{resource.namespace or '~X'}|{resource.name or '~N'}"
        return ranks.get(kind, 0), place.encode(), name.encode()

    resources.replace_all(sorted(resources, key=key))
