"""The client: unstructured objects in, unstructured objects out, one thin layer over aiohttp."""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Self, TypeAlias, TypeVar

import msgspec

from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured, split_api_version
from fluvial.apis.meta import Resource as Model
from fluvial.toolkit.client.config import ClusterConfig
from fluvial.toolkit.client.errors import TransportError, error_from_status
from fluvial.toolkit.client.lines import LineSplitter
from fluvial.toolkit.client.mapper import RESTMapper
from fluvial.toolkit.client.resource import (
    ObjectList,
    PatchType,
    Propagation,
    Resource,
    WatchEvent,
)
from fluvial.toolkit.client.transport import Guard, Request, Transport
from fluvial.toolkit.client.typed import TypedClient
from fluvial.toolkit.clock import Clock, RealClock
from fluvial.toolkit.metrics import Metrics

__all__ = ["Client"]

M = TypeVar("M", bound=Model)

_Operations: TypeAlias = list[Unstructured]
"""The operations of a JSON patch; `list` is a method below."""

_JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PATCH_CONTENT = {
    "apply": "application/apply-patch+yaml",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
_PAGE = 500
_WATCH_IDLE = 90.0
"""A server sends a bookmark about every minute where nothing happens."""

_EVENT = msgspec.json.Decoder(WatchEvent)
_OBJECT = msgspec.json.Decoder(dict[str, Any])


class Client:
    """Calls and watches of one identity; `impersonate` gives views that share everything else.

    `user_agent` names the controller; `timeout` is the default deadline of a call in seconds;
    `qps` and `burst` throttle calls to servers without API Priority and Fairness (0: never);
    `connections` bounds concurrent calls. Use it as an async context manager, or call `close`.
    Every call raises the errors of `fluvial.toolkit.client.errors`.
    """

    def __init__(
        self,
        config: ClusterConfig,
        *,
        user_agent: str = "fluvial",
        timeout: float = 30.0,
        qps: float = 50.0,
        burst: int = 300,
        connections: int = 64,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._transport = Transport(
            config,
            user_agent=user_agent,
            timeout=timeout,
            qps=qps,
            burst=burst,
            connections=connections,
            clock=clock or RealClock(),
            metrics=metrics or Metrics(),
        )
        self._headers: dict[str, str] = {}
        self.mapper = RESTMapper(self.get_raw)
        """Finds the endpoint of a kind, by discovery."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection, those of all views included."""
        await self._transport.close()

    @property
    def config(self) -> ClusterConfig:
        """Where this client's cluster is."""
        return self._transport.config

    @property
    def user(self) -> str | None:
        """The impersonated user, or None for this process's own identity."""
        return self._headers.get("Impersonate-User")

    @property
    def guard(self) -> Guard | None:
        """What is asked before each mutating request, shared by all views."""
        return self._transport.guard

    @guard.setter
    def guard(self, guard: Guard | None) -> None:
        self._transport.guard = guard

    def impersonate(self, user: str) -> "Client":
        """Return a view of the same session that acts as `user`.

        Upstream impersonates `system:serviceaccount:<namespace>:<name>`, without groups. Discovery
        stays with the original identity.
        """
        view = object.__new__(type(self))
        view._transport = self._transport
        view.mapper = self.mapper
        view._headers = {"Impersonate-User": user}
        return view

    def typed(self, kind: Kind[M]) -> TypedClient[M]:
        """Return access to one kind as its model."""
        return TypedClient(self, kind)

    async def resource_of(self, obj: Unstructured) -> Resource:
        """Find the endpoint of an object by its apiVersion and kind."""
        group, version = split_api_version(obj["apiVersion"])
        return await self.mapper.resource(group, obj["kind"], version)

    async def get(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        metadata_only: bool = False,
        deadline: float | None = None,
    ) -> Unstructured:
        """Read one object, or only its metadata."""
        return await self._object(
            "GET",
            resource.path(namespace, name, subresource),
            accept=_METADATA if metadata_only else _JSON,
            deadline=deadline,
        )

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        resource_version: str | None = None,
        page_size: int = _PAGE,
        deadline: float | None = None,
    ) -> ObjectList:
        """Read all objects of a namespace (None: of all namespaces), page by page.

        Items have `apiVersion` and `kind` filled in. `deadline` counts per page. `Gone` means that
        the pages' version was compacted away meanwhile: start again.
        """
        items: list[Unstructured] = []
        token = ""
        while True:
            page = await self.list_page(
                resource,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                metadata_only=metadata_only,
                resource_version=resource_version,
                page_size=page_size,
                continue_=token,
                deadline=deadline,
            )
            items += page.items
            token = page.continue_
            if not token:
                return ObjectList(items, page.resource_version)

    async def list_page(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        resource_version: str | None = None,
        page_size: int = _PAGE,
        continue_: str = "",
        deadline: float | None = None,
    ) -> ObjectList:
        """Read one page of a list; `continue_` is the token that the page before gave."""
        query = _selectors(label_selector, field_selector)
        if page_size:
            query["limit"] = str(page_size)
        if continue_:
            query["continue"] = continue_
        elif resource_version is not None:
            query["resourceVersion"] = resource_version
        raw = await self._object(
            "GET",
            resource.path(namespace),
            query=query,
            accept=_METADATA_LIST if metadata_only else _JSON,
            deadline=deadline,
        )
        metadata = raw.get("metadata") or {}
        items = raw.get("items") or []
        for item in items:
            # The server leaves these out of the items of built-in kinds' lists, and a metadata list
            # carries its own.
            item["apiVersion"] = resource.api_version
            item["kind"] = resource.kind
        return ObjectList(
            items,
            metadata.get("resourceVersion") or "",
            metadata.get("continue") or "",
            metadata.get("remainingItemCount"),
        )

    async def create(
        self,
        resource: Resource,
        obj: Unstructured,
        namespace: str | None = None,
        *,
        name: str | None = None,
        subresource: str | None = None,
        field_manager: str | None = None,
        dry_run: bool = False,
        deadline: float | None = None,
    ) -> Unstructured:
        """Create an object in `namespace` (default: the one in its metadata).

        With `name` and `subresource` the object is posted there, e.g. a TokenRequest to a
        ServiceAccount's `token`.
        """
        space = namespace or (obj.get("metadata") or {}).get("namespace")
        return await self._object(
            "POST",
            resource.path(space, name, subresource),
            query=_write_query(field_manager, dry_run=dry_run),
            body=msgspec.json.encode(obj),
            deadline=deadline,
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Unstructured | _Operations | bytes,
        namespace: str | None = None,
        *,
        type: PatchType = "merge",
        field_manager: str | None = None,
        force: bool = False,
        dry_run: bool = False,
        subresource: str | None = None,
        deadline: float | None = None,
    ) -> Unstructured:
        """Patch an object and return what it became.

        `type` is `apply` (needs `field_manager`; `force` takes fields over from other managers),
        `merge` or `json`. A patch may be given as the bytes of its JSON.
        """
        query = _write_query(field_manager, dry_run=dry_run)
        if force:
            query["force"] = "true"
        return await self._object(
            "PATCH",
            resource.path(namespace, name, subresource),
            query=query,
            body=patch if isinstance(patch, bytes) else msgspec.json.encode(patch),
            content_type=_PATCH_CONTENT[type],
            deadline=deadline,
        )

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation | None = "Background",
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period: int | None = None,
        dry_run: bool = False,
        deadline: float | None = None,
    ) -> Unstructured:
        """Delete an object; returns it (while finalizers hold it) or a `Status`.

        With `uid` or `resource_version` the server refuses (`Conflict`) to delete another or a
        later object of the same name. Deleting what is already gone raises NotFound.
        """
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if dry_run:
            options["dryRun"] = ["All"]
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        if any(preconditions.values()):
            options["preconditions"] = {key: value for key, value in preconditions.items() if value}
        return await self._object(
            "DELETE",
            resource.path(namespace, name),
            body=msgspec.json.encode(options),
            deadline=deadline,
        )

    async def get_raw(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        accept: str = _JSON,
        deadline: float | None = None,
    ) -> bytes:
        """Read any path as bytes, e.g. `/version` or a pod's log."""
        return await self._call("GET", path, query=query, accept=accept, deadline=deadline)

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        initial_events: bool = False,
        idle: float = _WATCH_IDLE,
    ) -> AsyncGenerator[WatchEvent, None]:
        """Follow the changes of a collection; ends when the server closes the stream.

        Goes on after `resource_version`; None starts with the present state as ADDED events. With
        `initial_events` the server streams a consistent list first and marks its end by a BOOKMARK
        annotated `k8s.io/initial-events-end`. Bookmarks are yielded. An ERROR event raises the
        ApiError that it carries (`Gone` when the version is too old); more than `idle` seconds
        without any byte raise TransportError. Close the iterator with `contextlib.aclosing`.
        """
        query = _selectors(label_selector, field_selector)
        query |= {
            "watch": "true",
            "allowWatchBookmarks": "true",
            # Spread, so that watches of one process do not all end at once.
            "timeoutSeconds": str(random.randint(300, 600)),  # noqa: S311
        }
        if resource_version is not None:
            query["resourceVersion"] = resource_version
        if initial_events:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        path = resource.path(namespace)
        headers = {**self._headers, "Accept": _METADATA if metadata_only else _JSON}
        splitter = LineSplitter()
        async with (
            self._transport.stream(path, query=query, headers=headers, idle=idle) as chunks,
            aclosing(chunks),
        ):
            async for chunk in chunks:
                for line in splitter.feed(chunk):
                    event = _decode_event(line, path)
                    event.object["apiVersion"] = resource.api_version
                    event.object["kind"] = resource.kind
                    yield event
                # Reading from a full buffer does not suspend: a burst must not hold the loop.
                await asyncio.sleep(0)

    async def _object(self, method: str, path: str, **options: Any) -> Unstructured:
        content = await self._call(method, path, **options)
        try:
            return _OBJECT.decode(content)
        except msgspec.DecodeError as error:
            raise TransportError(
                f"{method} {path}: the answer is no JSON object: {error}"
            ) from error

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        accept: str = _JSON,
        body: bytes | None = None,
        content_type: str = _JSON,
        deadline: float | None = None,
    ) -> bytes:
        request = Request(
            method,
            path,
            query=query or {},
            headers={**self._headers, "Accept": accept},
            body=body,
            content_type=content_type,
            # A dry run changes nothing, and its answer is needed to decide.
            fenced=method != "GET" and not (query or {}).get("dryRun"),
        )
        return await self._transport.call(request, deadline)


def _selectors(label: str, field: str) -> dict[str, str]:
    query = {}
    if label:
        query["labelSelector"] = label
    if field:
        query["fieldSelector"] = field
    return query


def _write_query(field_manager: str | None, *, dry_run: bool) -> dict[str, str]:
    query = {}
    if field_manager:
        query["fieldManager"] = field_manager
    if dry_run:
        query["dryRun"] = "All"
    return query


def _decode_event(line: bytes, path: str) -> WatchEvent:
    try:
        event = _EVENT.decode(line)
    except msgspec.DecodeError as error:
        raise TransportError(f"watch {path}: an event is no JSON object: {error}") from error
    if event.type == "ERROR":
        raise error_from_status(event.object)
    return event
