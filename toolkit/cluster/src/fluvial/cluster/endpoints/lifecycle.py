"""Admission that is always on: the life of namespaces."""

from __future__ import annotations

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import forbidden, not_found

__all__ = ["creating", "deleting"]

PROTECTED = ("default", "kube-system", "kube-public")


def creating(access: Access, target: Target) -> None:
    """Refuse a create in a namespace that is missing (404) or terminating (403)."""
    resource = target.resource
    if resource.custom is not None and not resource.custom.accepts:
        why = "create not allowed while custom resource definition is terminating"
        raise forbidden(resource.group, resource.plural, target.name, why)
    if not resource.namespaced:
        return
    entry = access.store.get("/namespaces", ("", target.namespace))
    if entry is None:
        raise not_found("", "namespaces", target.namespace)
    if entry.object["metadata"].get("deletionTimestamp") is None:
        return
    error = forbidden(
        resource.group,
        resource.plural,
        target.name,
        f"unable to create new content in namespace {target.namespace} because it is being "
        "terminated",
    )
    assert error.details is not None
    error.details["causes"] = [
        {
            "reason": "NamespaceTerminating",
            "message": f"namespace {target.namespace} is being terminated",
            "field": "metadata.namespace",
        }
    ]
    raise error


def deleting(target: Target) -> None:
    """Refuse the deletion of the namespaces that the system lives in."""
    if target.resource.prefix == "/namespaces" and target.name in PROTECTED:
        raise forbidden("", "namespaces", target.name, "this namespace may not be deleted")
