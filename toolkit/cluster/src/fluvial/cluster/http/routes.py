"""Which endpoint a path and a verb lead to, or how they are refused.

Built-in paths go through a router that knows every path and method. Paths of custom resources go
through a handler of their own (`apiextensions-apiserver/pkg/apiserver`), which refuses in other
words and leaves what it does not serve to the plain 404 page.
"""

from __future__ import annotations

from fluvial.cluster.endpoints import Target
from fluvial.cluster.errors import (
    ClusterError,
    bad_request,
    method_not_allowed,
    method_not_supported,
    not_found,
    page_not_found,
)
from fluvial.cluster.http.paths import RequestInfo
from fluvial.cluster.resources import Catalog, Gvr, Resource, Subresource

__all__ = ["NoPageError", "endpoint"]


class NoPageError(ClusterError):
    """A path that nothing serves: it is answered with a page of text."""


def endpoint(catalog: Catalog, info: RequestInfo, verb: str) -> tuple[Target, Subresource | None]:
    """Return what a request is about. Raises `NoPageError`, 400, 404 and 405."""
    resource = catalog.find(Gvr(info.group, info.version, info.resource))
    if resource is None:
        if not catalog.is_builtin(info.group) or _is_unserved(catalog, info):
            raise NoPageError
        raise page_not_found()
    if resource.custom is not None:
        return _custom(resource, info, verb)
    sub = resource.subresource(info.subresource) if info.subresource else None
    if (info.rest and info.subresource != "proxy") or (info.subresource and sub is None):
        raise page_not_found()
    if resource.namespaced and info.name and not info.scope:
        raise page_not_found()
    if not resource.namespaced and info.scope:
        raise page_not_found()
    if resource.namespaced and not info.scope and verb in ("create", "deletecollection"):
        raise method_not_allowed()
    allowed = sub.verbs if sub is not None else resource.verbs
    if verb == "watch" and info.name:
        allowed = resource.verbs
    if (
        verb not in allowed
        or (verb == "create" and info.name and sub is None)
        or (verb in ("update", "patch") and not info.name)
    ):
        raise method_not_allowed()
    return Target(resource, info.scope, info.name, info.subresource), sub


def _custom(resource: Resource, info: RequestInfo, verb: str) -> tuple[Target, Subresource | None]:
    across = resource.namespaced and not info.scope
    if (across and verb not in ("list", "watch")) or (not resource.namespaced and info.scope):
        raise NoPageError
    sub = resource.subresource(info.subresource) if info.subresource else None
    if info.subresource and sub is None:
        raise not_found(resource.group, resource.plural, info.name)
    if verb not in (resource.verbs if sub is None else sub.verbs):
        raise method_not_supported(resource.group, resource.plural, verb)
    if verb in ("update", "patch") and not info.name:
        raise bad_request("name must be provided")
    # A create at the path of an object makes the object that its body names.
    name = "" if verb == "create" else info.name
    return Target(resource, info.scope, name, info.subresource), sub


def _is_unserved(catalog: Catalog, info: RequestInfo) -> bool:
    """Tell whether the whole group version is unknown: then the path leads nowhere."""
    return not any((item.group, item.version) == (info.group, info.version) for item in catalog)
