"""Requests on resources: from a parsed path to an endpoint's verb and back to an answer."""

# ruff: noqa: ARG002, PLR0917 - the verbs share one signature; an answer has that many parts
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from fluvial.cluster import schemas
from fluvial.cluster.auth.rbac import Authorizer
from fluvial.cluster.auth.reviews import Reviews
from fluvial.cluster.endpoints import Endpoints, Page, Target, User, WriteOptions
from fluvial.cluster.endpoints.preconditions import place
from fluvial.cluster.errors import (
    StatusError,
    method_not_allowed,
    not_acceptable,
)
from fluvial.cluster.http import auditnotes, bodies, logs, queries
from fluvial.cluster.http.answers import answer, partial, raw, text
from fluvial.cluster.http.bodykinds import check_kind
from fluvial.cluster.http.deleteoptions import delete_options
from fluvial.cluster.http.negotiation import LISTED, SERVED, Accepted, negotiate, prefers_yaml
from fluvial.cluster.http.paths import RequestInfo
from fluvial.cluster.http.routes import NoPageError, endpoint
from fluvial.cluster.http.streams import stream
from fluvial.cluster.http.table import Table
from fluvial.cluster.http.unserved import check_aggregated, check_connection
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Gvr, Subresource

__all__ = ["ResourceVerbs", "verb_of"]

_METHODS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


def verb_of(request: web.BaseRequest, info: RequestInfo) -> str:
    """Return the verb that authorization is asked about."""
    method = request.method
    if not info.resource:
        return method.lower()
    if method in _METHODS:
        return _METHODS[method]
    if method == "DELETE":
        return "delete" if info.name else "deletecollection"
    if info.watch or (not info.name and queries.flag(request.query, "watch")):
        return "watch"
    if method in ("GET", "HEAD"):
        return "get" if info.name else "list"
    return method.lower()


class ResourceVerbs:
    """Serves everything below /api and /apis that names a resource."""

    def __init__(
        self,
        endpoints: Endpoints,
        authorizer: Authorizer,
        reviews: Reviews,
        closing: asyncio.Event,
    ) -> None:
        self._endpoints = endpoints
        self._authorizer = authorizer
        self._reviews = reviews
        self._closing = closing

    async def serve(
        self, request: web.BaseRequest, info: RequestInfo, user: User
    ) -> web.StreamResponse:
        """Answer one request."""
        verb = verb_of(request, info)
        try:
            target, sub = endpoint(self._endpoints.catalog, info, verb)
        except NoPageError:
            check_aggregated(self._endpoints, info.group, info.version)
            return text("404 page not found\n", 404)
        queries.check_timeout(request.query)
        check_connection(self._endpoints, target)
        handler: Callable[..., Any] = getattr(self, f"_{verb}")
        result: web.StreamResponse = await handler(request, target, user, sub)
        return result

    @staticmethod
    def _negotiate(request: web.BaseRequest, target: Target, *, watching: bool = False) -> Accepted:
        """Pick the form of the answer."""
        listing = request.method == "GET" and not target.name
        header = request.headers.get("Accept", "")
        offered = LISTED if listing or watching else SERVED
        return negotiate(header, target.resource, offered=offered, watching=watching)

    async def _get(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        if target.subresource == "log":
            return await logs.serve(request, self._endpoints, target, self._closing)
        accepted = self._negotiate(request, target)
        queries_version = request.query.get("resourceVersion", "")
        if queries_version:
            self._endpoints.reader.check_version(queries_version)
        await self._endpoints.load(target)
        if target.subresource in ("", "status") and accepted.plain:
            entry = self._endpoints.access.find(target)
            return raw(
                self._endpoints.access.encoded(target.resource, entry),
                warnings=self._deprecations(target),
            )
        obj = self._endpoints.get(target)
        return self._object(request, target, obj, accepted, 200, self._deprecations(target))

    async def _list(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        accepted = self._negotiate(request, target)
        options = queries.list_options(request.query)
        await self._endpoints.load_page(target, options)
        page = self._endpoints.page(target, options)
        return self._page(request, target, page, accepted)

    async def _watch(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        accepted = self._negotiate(request, target, watching=True)
        options = queries.watch_options(request.query, target.name)
        timeout = queries.seconds(request.query)
        whole = Target(target.resource, target.namespace)
        include = request.query.get("includeObject", "")
        return await stream(
            request, self._endpoints, whole, options, accepted, timeout, include, self._closing
        )

    async def _create(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        accepted = self._negotiate(request, target)
        options = _write_options(request, user, "CreateOptions")
        obj, options.duplicates = await self._body(request, target, sub)
        if self._reviews.handles(target):
            if accepted.form == "Table":
                raise not_acceptable(SERVED)
            result = self._review(target, obj, user, options)
            return self._object(request, target, result, accepted, 201, options.warnings)
        result = await self._endpoints.create(target, obj, options)
        status = options.status_code
        warnings = [*self._deprecations(target), *options.warnings]
        return self._object(request, target, result, accepted, status, warnings)

    def _review(self, target: Target, obj: Object, user: User, options: WriteOptions) -> Object:
        """Answer a question, whose body is read as that of any create."""
        access, resource = self._endpoints.access, target.resource
        if obj.get("metadata") is None:
            obj["metadata"] = {}
        schemas.decode(resource, obj, options, access.strategy(resource))
        place(target, obj)
        schemas.track(resource, None, obj, options, "", access.now())
        return self._reviews.answer(target, obj, user, access.now())

    async def _update(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        accepted = self._negotiate(request, target)
        options = _write_options(request, user, "UpdateOptions")
        obj, options.duplicates = await self._body(request, target, sub)
        result = await self._endpoints.update(target, obj, options)
        warnings = [*self._deprecations(target), *options.warnings]
        return self._object(request, target, result, accepted, options.status_code, warnings)

    async def _patch(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        accepted = self._negotiate(request, target)
        content_type = request.headers.get("Content-Type", "")
        body = await request.read()
        patch, form, seen = bodies.decode_patch(body, content_type, target.resource)
        options = _write_options(request, user, "PatchOptions", apply=form == "apply")
        options.duplicates = seen
        if form == "apply":
            self._authorize_create(target, user)
        result = await self._endpoints.patch(target, patch, form, options)
        warnings = [*self._deprecations(target), *options.warnings]
        return self._object(request, target, result, accepted, options.status_code, warnings)

    async def _delete(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        accepted = self._negotiate(request, target)
        if target.subresource:
            raise method_not_allowed()
        body, options = await self._delete_options(request, target, user)
        result = await self._endpoints.delete(target, body, options)
        return self._object(request, target, result, accepted, 200, options.warnings)

    async def _deletecollection(
        self, request: web.BaseRequest, target: Target, user: User, sub: Subresource | None
    ) -> web.StreamResponse:
        accepted = self._negotiate(request, target)
        body, options = await self._delete_options(request, target, user)
        listed = queries.list_options(request.query)
        page = await self._endpoints.delete_collection(target, body, listed, options)
        return self._page(request, target, page, accepted)

    async def _delete_options(
        self, request: web.BaseRequest, target: Target, user: User
    ) -> tuple[Object, Any]:
        query = request.query
        content = await request.read()
        body: Object = {}
        if content:
            kind = request.headers.get("Content-Type", "")
            body = delete_options(content, kind, target.resource)
        else:
            given: Object = {
                "gracePeriodSeconds": queries.integer(query, "gracePeriodSeconds"),
                "propagationPolicy": query.get("propagationPolicy"),
                "orphanDependents": queries.flag(query, "orphanDependents"),
            }
            body.update({key: value for key, value in given.items() if value is not None})
        options = _write_options(request, user, "DeleteOptions")
        options.dry_run = options.dry_run or bool(body.get("dryRun"))
        said = {key: value for key, value in body.items() if key not in ("kind", "apiVersion")}
        options.stated = {**options.stated, **said}
        return body, options

    async def _body(
        self, request: web.BaseRequest, target: Target, sub: Subresource | None
    ) -> tuple[Object, tuple[str, ...]]:
        content_type = request.headers.get("Content-Type", "")
        body = await request.read()
        resource = target.resource
        wanted = resource.api_version, resource.kind if sub is None else sub.kind
        if sub is not None and sub.group:
            wanted = f"{sub.group}/{sub.version}", sub.kind
        obj, seen = bodies.decode(body, content_type, resource, wanted)
        try:
            check_kind(obj, resource, *wanted, body)
        except StatusError as error:
            group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
            served = self._endpoints.catalog.find(Gvr(group, version, resource.plural))
            if resource.custom is not None and version and served is None:
                # No version that is served, no known fields.
                error.warnings = [
                    f'unknown field "{name}"'
                    for name in obj
                    if name not in ("apiVersion", "kind", "metadata")
                ]
            raise
        return obj, seen

    def _authorize_create(self, target: Target, user: User) -> None:
        """Demand the right to create for an apply that would create."""
        if target.subresource or self._endpoints.store.get(target.resource.prefix, target.key):
            return
        resource = target.resource
        info = RequestInfo(
            "", resource.group, resource.version, target.namespace, resource.plural, target.name
        )
        attributes = info.attributes("create")
        if not self._authorizer.authorize(user, attributes).allowed:
            raise self._authorizer.refusal(user, attributes)

    def _deprecations(self, target: Target) -> list[str]:
        resource = target.resource
        if resource.custom is not None and resource.custom.deprecation:
            return [resource.custom.deprecation]
        if resource.prefix == "/endpoints":
            return ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]
        if resource.prefix == "/componentstatuses":
            return ["v1 ComponentStatus is deprecated in v1.19+"]
        return []

    def _object(
        self,
        request: web.BaseRequest,
        target: Target,
        obj: Object,
        accepted: Accepted,
        status: int,
        warnings: list[str],
    ) -> web.Response:
        kind = obj.get("kind")
        if kind == "Status":
            return answer(obj, status=status, warnings=warnings, accepted=accepted)
        accepted.check(target.resource, listing=False)
        if accepted.form == "PartialObjectMetadata":
            obj = partial(obj, accepted.version)
        elif accepted.form == "Table" and kind in (target.resource.kind, "Scale"):
            include = request.query.get("includeObject", "")
            table = Table(
                target.resource,
                self._endpoints.clock(),
                include,
                str(kind),
                version=accepted.version,
            )
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            obj = table.table([obj], meta)
        return answer(obj, status=status, warnings=warnings, accepted=accepted)

    def _page(
        self, request: web.BaseRequest, target: Target, page: Page, accepted: Accepted
    ) -> web.Response:
        resource, meta = target.resource, page.metadata()
        accepted.check(resource, listing=True)
        warnings = self._deprecations(target)
        if accepted.form == "PartialObjectMetadata":
            meta = {key: value for key, value in meta.items() if value != ""}
            body: Object = {
                "kind": "PartialObjectMetadataList",
                "apiVersion": f"meta.k8s.io/{accepted.version}",
                "metadata": meta,
                # A list that Go made by appending to nothing: null when there was nothing.
                "items": [partial(obj, accepted.version) for obj in page.objects] or None,
            }
            return answer(body, warnings=warnings, accepted=accepted)
        if accepted.form == "Table":
            include = request.query.get("includeObject", "")
            meta = {key: value for key, value in meta.items() if value != ""}
            table = Table(resource, self._endpoints.clock(), include, version=accepted.version)
            return answer(table.table(page.objects, meta), warnings=warnings, accepted=accepted)
        if accepted.yaml:
            whole = {
                "kind": resource.list_kind,
                "apiVersion": resource.api_version,
                "metadata": meta,
                "items": [_item(obj, custom=resource.custom is not None) for obj in page.objects],
            }
            return answer(whole, warnings=warnings, accepted=accepted)
        return raw(self._list_bytes(target, page, meta), warnings=warnings)

    def _list_bytes(self, target: Target, page: Page, meta: Object) -> bytes:
        resource = target.resource
        head = msgspec.json.encode(
            {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": meta}
        )
        items = []
        for entry, obj in zip(page.entries, page.objects, strict=True):
            if resource.custom is not None:
                items.append(self._endpoints.access.encoded(resource, entry))
                continue
            key = ("item", resource)
            cached = entry.views.get(key)
            if cached is None:
                cached = entry.views[key] = msgspec.json.encode(_item(obj, custom=False))
            assert isinstance(cached, bytes)
            items.append(cached)
        return head[:-1] + b',"items":[' + b",".join(items) + b"]}"


def _write_options(
    request: web.BaseRequest, user: User, kind: str, *, apply: bool = False
) -> WriteOptions:
    """Read the options of a write; its annotations are those of the request."""
    agent = request.headers.get("User-Agent", "")
    options = queries.write_options(request.query, agent, user, kind, apply=apply)
    options.annotations = auditnotes.current()
    return options


def _item(obj: Object, *, custom: bool) -> Object:
    """Return a list's item: built-in ones have no kind and apiVersion of their own."""
    if custom:
        return obj
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def failure(error: StatusError, warnings: list[str], header: str = "") -> web.Response:
    """Answer with a Status, as YAML when that is what the Accept header prefers."""
    accepted = Accepted(yaml=prefers_yaml(header))
    response = answer(error.body(), status=error.code, warnings=warnings, accepted=accepted)
    if error.details and error.details.get("retryAfterSeconds"):
        response.headers["Retry-After"] = str(error.details["retryAfterSeconds"])
    return response
