"""An API server in memory: lists, watches, merge patches, versions, finalizers, over a socket."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, TypeAlias

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import ALL
from fluvial.toolkit.client import ClusterConfig, Resource, resource_of_kind

__all__ = ["FakeApi", "Recorded"]

_BUILT_IN = (
    Resource("", "v1", "configmaps", "ConfigMap"),
    Resource("", "v1", "events", "Event"),
    Resource("", "v1", "namespaces", "Namespace", namespaced=False),
    Resource("", "v1", "secrets", "Secret"),
    Resource("apps", "v1", "deployments", "Deployment", subresources=frozenset({"status"})),
    Resource("coordination.k8s.io", "v1", "leases", "Lease"),
)
_BOOKMARK = "BOOKMARK"
_VERBS = ["create", "delete", "get", "list", "patch", "watch"]

Fault: TypeAlias = Callable[["Recorded"], web.StreamResponse | None]
"""Answers in the server's place, or returns None to let a request pass."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it arrived; `body` is decoded JSON or None."""

    method: str
    """The HTTP method."""
    path: str
    """The path."""
    query: dict[str, str]
    """The query parameters."""
    headers: dict[str, str]
    """The headers."""
    body: Any = None

    @property
    def watch(self) -> bool:
        """Whether it opens a watch."""
        return self.query.get("watch") == "true"


@dataclass(slots=True)
class _Event:
    version: int
    type: str
    object: Unstructured


@dataclass(slots=True)
class _Collection:
    resource: Resource
    objects: dict[tuple[str, str], Unstructured] = field(default_factory=dict)
    events: list[_Event] = field(default_factory=list)
    oldest: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class FakeApi:
    """The kinds of `fluvial.apis` and a few built-in ones, in memory.

    `requests` has everything that arrived; `faults` are asked first and may answer in place of the
    server. `put`, `get`, `drop` are the back door.
    """

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self.requests: list[Recorded] = []
        self.faults: list[Fault] = []
        self._version = itertools.count(101)
        self._now = 100
        self._uid = itertools.count(1)
        self._collections: dict[tuple[str, str], _Collection] = {}
        for resource in (*_BUILT_IN, *map(resource_of_kind, ALL), *resources):
            self._collections[resource.group, resource.plural] = _Collection(resource)
        app = web.Application(client_max_size=16 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._server = TestServer(app)
        self._moved = asyncio.Event()
        self._streams: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close_watches()
        await self._server.close()

    @property
    def config(self) -> ClusterConfig:
        """How to reach it."""
        return ClusterConfig.plain(str(self._server.make_url("")))

    def put(self, obj: Unstructured) -> Unstructured:
        """Create or replace an object, as an admin would; returns it with its metadata."""
        collection = self._of(obj)
        metadata = obj["metadata"]
        old = collection.objects.get((metadata.get("namespace") or "", metadata["name"]))
        return self._store(collection, old, msgspec.json.decode(msgspec.json.encode(obj)))

    def get(self, kind: str, name: str, namespace: str = "default") -> Unstructured:
        """Return an object by kind; KeyError when it is not there."""
        collection = self._by_kind(kind)
        return collection.objects[namespace if collection.resource.namespaced else "", name]

    def all(self, kind: str) -> list[Unstructured]:
        """Return all objects of a kind."""
        return list(self._by_kind(kind).objects.values())

    def drop(self, kind: str, name: str, namespace: str = "default") -> None:
        """Delete an object at once, finalizers or not."""
        collection = self._by_kind(kind)
        key = (namespace if collection.resource.namespaced else "", name)
        self._remove(collection, key)

    def compact(self) -> None:
        """Forget all history: watches from earlier versions get 410."""
        for collection in self._collections.values():
            collection.events.clear()
            collection.oldest = self._now

    def bookmark(self) -> None:
        """Give every watch a sign of life, as a server does where nothing happens."""
        self._now = next(self._version)
        for collection in self._collections.values():
            self._emit(collection, _BOOKMARK, {"metadata": {"resourceVersion": str(self._now)}})

    @property
    def now(self) -> int:
        """The version of the last change, or bookmark."""
        return self._now

    @property
    def watchers(self) -> int:
        """How many watches are open."""
        return len(self._streams)

    def close_watches(self) -> None:
        """End every open watch, as a server that restarts."""
        for stream in list(self._streams):
            stream.cancel()

    async def until(self, holds: Callable[[], object], within: float = 10.0) -> None:
        """Wait until `holds()` is true after some request or change; KeyError counts as not yet.

        Raises TimeoutError after `within` seconds of real time.
        """
        async with asyncio.timeout(within):
            while True:
                moved = self._moved
                with contextlib.suppress(KeyError):
                    if holds():
                        return
                await moved.wait()

    def writes(self) -> list[Recorded]:
        """Return the requests that change something, events aside."""
        return [
            r for r in self.requests if r.method not in {"GET", "HEAD"} and "/events" not in r.path
        ]

    def _of(self, obj: Unstructured) -> _Collection:
        return self._by_kind(obj["kind"])

    def _by_kind(self, kind: str) -> _Collection:
        for collection in self._collections.values():
            if collection.resource.kind == kind:
                return collection
        raise KeyError(kind)

    def _store(
        self, collection: _Collection, old: Unstructured | None, new: Unstructured
    ) -> Unstructured:
        metadata = new["metadata"]
        self._now = next(self._version)
        metadata["resourceVersion"] = str(self._now)
        if old is None:
            metadata.setdefault("uid", f"00000000-0000-0000-0000-{next(self._uid):012d}")
            metadata.setdefault("creationTimestamp", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
            metadata["generation"] = 1
            if "spec" in new and collection.resource.group.endswith("fluxcd.io"):
                new.setdefault("status", {"observedGeneration": -1})
        else:
            metadata["uid"] = old["metadata"]["uid"]
            moved = _desired(old) != _desired(new)
            metadata["generation"] = old["metadata"]["generation"] + moved
        key = (metadata.get("namespace") or "", metadata["name"])
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            self._remove(collection, key)
            return new
        collection.objects[key] = new
        self._emit(collection, "MODIFIED" if old else "ADDED", new)
        return new

    def _remove(self, collection: _Collection, key: tuple[str, str]) -> Unstructured:
        gone = collection.objects.pop(key)
        self._now = next(self._version)
        last = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self._now)}}
        self._emit(collection, "DELETED", last)
        return last

    def _emit(self, collection: _Collection, type: str, obj: Unstructured) -> None:
        collection.events.append(_Event(self._now, type, obj))
        collection.changed.set()
        collection.changed = asyncio.Event()
        self._move()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        recorded = Recorded(
            request.method,
            request.path,
            dict(request.query),
            dict(request.headers),
            msgspec.json.decode(raw) if raw else None,
        )
        self.requests.append(recorded)
        self._move()
        for fault in self.faults:
            answer = fault(recorded)
            if answer is not None:
                return answer
        if request.path == "/livez/ping":
            return web.Response(headers={"X-Kubernetes-PF-FlowSchema-UID": "fair"})
        if request.path in {"/api", "/apis"}:
            return _json(self._discovery(core=request.path == "/api"))
        return await self._serve(request, recorded)

    async def _serve(self, request: web.Request, recorded: Recorded) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        group, parts = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        collection = self._collections.get((group, parts[0]))
        if collection is None:
            return _status(404, "NotFound", "the server could not find the requested resource")
        if len(parts) == 1:
            if recorded.watch:
                return await self._watch(request, collection, namespace)
            if request.method == "POST":
                return self._create(collection, namespace, recorded.body)
            return self._list(collection, namespace, recorded)
        key = (namespace, parts[1])
        old = collection.objects.get(key)
        if old is None:
            name = f'{collection.resource} "{parts[1]}"'
            return _status(404, "NotFound", f"{name} not found")
        if request.method == "DELETE":
            return self._delete(collection, key, old)
        if request.method == "PATCH":
            sub = parts[2] if len(parts) > 2 else None
            return self._patch(collection, old, recorded.body, sub)
        return _json(old)

    def _create(
        self, collection: _Collection, namespace: str, body: Unstructured
    ) -> web.StreamResponse:
        if collection.resource.namespaced:
            body["metadata"]["namespace"] = namespace
        name = body["metadata"]["name"]
        if (namespace, name) in collection.objects:
            return _status(409, "AlreadyExists", f'"{name}" already exists')
        return _json(self._store(collection, None, body), 201)

    def _patch(
        self, collection: _Collection, old: Unstructured, patch: Unstructured, sub: str | None
    ) -> web.StreamResponse:
        expected = (patch.get("metadata") or {}).get("resourceVersion")
        if expected and expected != old["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", "the object has been modified")
        merged = _merged(old, patch)
        if sub == "status":
            merged = {**old, "status": merged.get("status"), "metadata": dict(old["metadata"])}
        elif "status" in collection.resource.subresources:
            merged["status"] = old.get("status")
        if merged == old:
            return _json(old)
        return _json(self._store(collection, old, merged))

    def _delete(
        self, collection: _Collection, key: tuple[str, str], old: Unstructured
    ) -> web.StreamResponse:
        if not old["metadata"].get("finalizers"):
            return _json(self._remove(collection, key))
        marked = msgspec.json.decode(msgspec.json.encode(old))
        marked["metadata"].setdefault("deletionTimestamp", "2026-01-01T00:00:00Z")
        return _json(self._store(collection, old, marked))

    def _list(
        self, collection: _Collection, namespace: str, recorded: Recorded
    ) -> web.StreamResponse:
        chosen = [
            obj
            for (space, _), obj in sorted(collection.objects.items())
            if namespace in {"", space} and _selected(obj, recorded.query)
        ]
        start = int(recorded.query.get("continue") or 0)
        limit = int(recorded.query.get("limit") or 0) or len(chosen)
        metadata: dict[str, Any] = {"resourceVersion": str(self._now)}
        if start + limit < len(chosen):
            metadata["continue"] = str(start + limit)
        items = [_shown(obj, recorded.headers) for obj in chosen[start : start + limit]]
        return _json({"kind": "List", "metadata": metadata, "items": items})

    async def _watch(
        self, request: web.Request, collection: _Collection, namespace: str
    ) -> web.StreamResponse:
        if request.query.get("sendInitialEvents"):
            return _status(422, "Invalid", "sendInitialEvents is forbidden for watch")
        since = int(request.query.get("resourceVersion") or 0)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            await response.prepare(request)
            self._move()
            if since < collection.oldest:
                gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
                await response.write(_line("ERROR", gone))
                return response
            async for event in self._since(collection, since):
                obj = event.object
                if event.type == _BOOKMARK:
                    await response.write(_line(event.type, obj))
                elif namespace in {"", obj["metadata"].get("namespace", "")} and _selected(
                    obj, dict(request.query)
                ):
                    await response.write(_line(event.type, _shown(obj, dict(request.headers))))
        except (asyncio.CancelledError, ConnectionError):
            with contextlib.suppress(ConnectionError):
                await response.write_eof()
        finally:
            self._streams.discard(task)
        return response

    async def _since(self, collection: _Collection, version: int) -> AsyncIterator[_Event]:
        while True:
            changed = collection.changed
            for event in [e for e in collection.events if e.version > version]:
                version = event.version
                yield event
            if collection.changed is changed:
                await changed.wait()

    def _discovery(self, *, core: bool) -> dict[str, Any]:
        groups: dict[str, dict[str, Any]] = {}
        for collection in self._collections.values():
            r = collection.resource
            if (r.group == "") != core:
                continue
            item = groups.setdefault(
                r.group, {"metadata": {"name": r.group} if r.group else {}, "versions": []}
            )
            if not item["versions"]:
                item["versions"].append({"version": r.version, "resources": []})
            item["versions"][0]["resources"].append(
                {
                    "resource": r.plural,
                    "responseKind": {"kind": r.kind},
                    "scope": "Namespaced" if r.namespaced else "Cluster",
                    "verbs": _VERBS,
                    "subresources": [{"subresource": sub} for sub in sorted(r.subresources)],
                }
            )
        return {"kind": "APIGroupDiscoveryList", "items": list(groups.values())}


def _desired(obj: Unstructured) -> Unstructured:
    """Return what a change of counts as a new generation."""
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
    return {**rest, "deleted": obj["metadata"].get("deletionTimestamp")}


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _selected(obj: Unstructured, query: dict[str, str]) -> bool:
    labels = obj["metadata"].get("labels") or {}
    terms = filter(None, query.get("labelSelector", "").split(","))
    return all(
        labels.get(key) == value if equals else key in labels
        for key, equals, value in (term.partition("=") for term in terms)
    )


def _shown(obj: Unstructured, headers: dict[str, str]) -> Unstructured:
    if "PartialObjectMetadata" not in headers.get("Accept", ""):
        return obj
    return {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": obj["metadata"],
    }


def _line(type: str, obj: Unstructured) -> bytes:
    return msgspec.json.encode({"type": type, "object": obj}) + b"\n"


def _json(body: Unstructured, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )


def _status(code: int, reason: str, message: str) -> web.Response:
    body = {
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
    return _json(body, code)
