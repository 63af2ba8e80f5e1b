"""What a route does to requests and answers, as filters of an HTTPRoute."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from fluvial.apis.duration import parse_duration
from fluvial.apis.flagger import (
    BackendReference,
    CanaryService,
    CorsPolicy,
    HeaderOperations,
    HTTPRewrite,
)
from fluvial.canary.routers.model import InvalidRoute

__all__ = ["Filter", "added_response_header", "mirror_filter", "service_filters", "with_filter"]

Filter: TypeAlias = dict[str, Any]
"""An HTTPRouteFilter."""

_CORS_MAX_AGE: Final = 5
"""What the API server fills in, in seconds."""


def service_filters(service: CanaryService) -> list[Filter]:
    """Return the filters of every rule, in upstream's order. Raises InvalidRoute."""
    filters: list[Filter] = []
    if service.headers:
        if service.headers.request:
            filters.append(_headers("Request", service.headers.request))
        if service.headers.response:
            filters.append(_headers("Response", service.headers.response))
    if service.rewrite:
        filters.append({"type": "URLRewrite", "urlRewrite": _rewrite(service.rewrite)})
    for n, mirror in enumerate(service.mirror):
        if mirror.backend_ref is None:
            raise InvalidRoute(f"spec.service.mirror[{n}].backendRef is missing")
        filters.append(_mirror(mirror.backend_ref))
    if service.cors_policy:
        filters.append({"type": "CORS", "cors": _cors(service.cors_policy)})
    return filters


def mirror_filter(name: str, port: int) -> Filter:
    """Return the filter that copies requests to a Service of the same namespace."""
    return _mirror(BackendReference(name=name, port=port))


def added_response_header(name: str, value: str) -> Filter:
    """Return the filter that adds one header to each answer."""
    return {
        "type": "ResponseHeaderModifier",
        "responseHeaderModifier": {"add": [{"name": name, "value": value}]},
    }


def with_filter(filters: Sequence[Filter], more: Filter) -> list[Filter]:
    """Add a filter; headers join those of a modifier that is there, as the API admits only one.

    Upstream adds a second one, which the API server refuses.
    """
    member = "responseHeaderModifier"
    if member not in more or not any(member in present for present in filters):
        return [*filters, more]
    added = more[member]["add"]
    return [
        {**present, member: {**present[member], "add": [*present[member].get("add", []), *added]}}
        if member in present
        else present
        for present in filters
    ]


def _headers(side: str, operations: HeaderOperations) -> Filter:
    modifier: dict[str, Any] = {}
    if operations.add:
        modifier["add"] = _sorted(operations.add)
    if operations.set:
        modifier["set"] = _sorted(operations.set)
    if operations.remove:
        modifier["remove"] = list(operations.remove)
    return {"type": f"{side}HeaderModifier", f"{side.lower()}HeaderModifier": modifier}


def _sorted(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": headers[name]} for name in sorted(headers)]


def _rewrite(rewrite: HTTPRewrite) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if rewrite.authority:
        result["hostname"] = rewrite.authority
    if rewrite.uri and rewrite.type == "ReplacePrefixMatch":
        result["path"] = {"type": "ReplacePrefixMatch", "replacePrefixMatch": rewrite.uri}
    elif rewrite.uri:
        result["path"] = {"type": "ReplaceFullPath", "replaceFullPath": rewrite.uri}
    return result


def _mirror(backend: BackendReference) -> Filter:
    reference: dict[str, Any] = {
        "group": backend.group,
        "kind": backend.kind,
        "name": backend.name,
    }
    if backend.namespace is not None:
        reference["namespace"] = backend.namespace
    if backend.port is not None:
        reference["port"] = backend.port
    return {"type": "RequestMirror", "requestMirror": {"backendRef": reference}}


def _cors(policy: CorsPolicy) -> dict[str, Any]:
    if policy.allow_origins:
        raise InvalidRoute(
            "spec.service.corsPolicy.allowOrigins: the Gateway API knows no patterns of origins; "
            "list them in allowOrigin"
        )
    lists: Iterable[tuple[str, list[str]]] = (
        ("allowOrigins", policy.allow_origin),
        ("allowMethods", policy.allow_methods),
        ("allowHeaders", policy.allow_headers),
        ("exposeHeaders", policy.expose_headers),
    )
    cors: dict[str, Any] = {name: list(values) for name, values in lists if values}
    if policy.allow_credentials:
        cors["allowCredentials"] = True
    cors["maxAge"] = _seconds(policy.max_age) if policy.max_age else _CORS_MAX_AGE
    return cors


def _seconds(text: str) -> int:
    try:
        return int(parse_duration(text))
    except ValueError as error:
        raise InvalidRoute(f"spec.service.corsPolicy.maxAge: {error}") from error
