"""Which kinds upstream knows, and what it says of one where another is wanted."""

from __future__ import annotations

from fluvial.cluster import fields, typed
from fluvial.cluster.fields.values import copied
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["go_package", "mismatch", "not_registered", "split_version"]

_Kind = tuple[str, str]

_SCHEMES = {
    "apiextensions.k8s.io": "pkg/apiserver/apiserver.go:56",
    "apiregistration.k8s.io": "pkg/apiserver/scheme/scheme.go:34",
}
_SCHEME = "pkg/api/legacyscheme/scheme.go:30"
"""Where upstream keeps its kinds, by the group of the endpoint; the rest have one place."""

_OLD = {
    "apps/v1beta1": "Deployment StatefulSet ControllerRevision",
    "apps/v1beta2": "Deployment StatefulSet ControllerRevision DaemonSet ReplicaSet",
    "batch/v1beta1": "CronJob",
    "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
    "coordination.k8s.io/v1beta1": "Lease",
    "discovery.k8s.io/v1beta1": "EndpointSlice",
    "events.k8s.io/v1beta1": "Event",
    "extensions/v1beta1": "Deployment DaemonSet ReplicaSet Ingress NetworkPolicy",
    "networking.k8s.io/v1beta1": "Ingress IngressClass",
    "policy/v1beta1": "PodDisruptionBudget Eviction",
    "rbac.authorization.k8s.io/v1beta1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io/v1beta1": "PriorityClass",
    "storage.k8s.io/v1beta1": "StorageClass CSIDriver CSINode VolumeAttachment",
}
"""Versions that are no longer served, but still read before they are refused."""


def go_package(resource: Resource) -> str:
    """Return the package of a kind's own form in Go, which messages name."""
    if resource.prefix == "/events":
        return "core"
    return resource.group.partition(".")[0] or "core"


def split_version(api_version: str) -> tuple[str, str]:
    """Return group and version."""
    group, _, version = api_version.rpartition("/")
    return group, version


def _is_registered(api_version: str, kind: str) -> bool:
    if kind in _OLD.get(api_version, "").split():
        return True
    group, version = split_version(api_version)
    for name in (kind, kind.removesuffix("List")):
        try:
            fields.schema_for_builtin(group, version, name)
        except KeyError:
            continue
        return True
    return False


def not_registered(resource: Resource, api_version: str, kind: str) -> str:
    """Return what upstream says of a kind that it does not know."""
    scheme = _SCHEMES.get(resource.group, _SCHEME)
    return f'no kind "{kind}" is registered for version "{api_version}" in scheme "{scheme}"'


def mismatch(resource: Resource, obj: Object, given: _Kind, wanted: _Kind) -> str:
    """Return why an object of one kind cannot be read as another; empty for another version.

    `given` and `wanted` are an apiVersion and a kind. An object is first decoded as what it says
    it is, so what is wrong with that comes first.
    """
    if not _is_registered(*given):
        return not_registered(resource, *given)
    group, version = split_version(given[0])
    try:
        typed.decode(fields.schema_for_builtin(group, version, given[1]), copied(obj))
    except KeyError:
        pass  # an old version, or a list: of those only the name is known
    except typed.TypeMismatchError as error:
        return str(error)
    if given[1] == wanted[1]:
        return ""
    package = go_package(resource) if wanted[1] == resource.kind else split_version(wanted[0])[0]
    own = package.partition(".")[0] or "core"
    return f"converting ({version}.{given[1]}) to ({own}.{wanted[1]}): unknown conversion"
