"""Discovery: which endpoint serves a group and kind."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any, Protocol

import msgspec

from fluvial.apis.ids import split_api_version
from fluvial.toolkit.client.errors import ApiError, TransportError, UnknownKind
from fluvial.toolkit.client.resource import Resource

__all__ = ["RESTMapper"]

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)


class _GetRaw(Protocol):
    def __call__(self, path: str, *, accept: str = ...) -> Awaitable[bytes]: ...


class RESTMapper:
    """Finds endpoints by kind or plural; knows what discovery said, and asks again when in doubt.

    An unknown kind costs one refresh per lookup, and lookups that wait at the same time share it.
    Where several versions are served, the server's preferred one is taken unless one is named. A
    group that cannot be discovered (its aggregated API server is down) leaves the others usable.
    """

    def __init__(self, get_raw: _GetRaw) -> None:
        self._get_raw = get_raw
        self._resources: list[Resource] = []
        self._by_kind: dict[tuple[str, str], list[Resource]] = {}
        self._by_plural: dict[tuple[str, str], list[Resource]] = {}
        self._refreshes = 0
        self._lock = asyncio.Lock()

    async def resource(self, group: str, kind: str, version: str | None = None) -> Resource:
        """Return the endpoint of a kind. Raises UnknownKind after one refresh."""
        return await self._find("_by_kind", group, kind, version)

    async def by_plural(self, group: str, plural: str, version: str | None = None) -> Resource:
        """Return the endpoint with this path segment. Raises UnknownKind after one refresh."""
        return await self._find("_by_plural", group, plural, version)

    async def resources(self) -> list[Resource]:
        """Return every endpoint, in the server's order of groups and versions."""
        if not self._refreshes:
            await self._refresh(0)
        return list(self._resources)

    async def refresh(self) -> None:
        """Ask discovery now, e.g. after definitions were applied."""
        await self._refresh(self._refreshes)

    def known(self, group: str, kind: str) -> Resource | None:
        """Return what is known of a kind without asking anyone."""
        found = self._by_kind.get((group, kind))
        return found[0] if found else None

    async def _find(self, index: str, group: str, name: str, version: str | None) -> Resource:
        seen = self._refreshes
        for fresh in (False, True):
            if fresh:
                await self._refresh(seen)
            # Versions are in the server's order of preference.
            for resource in getattr(self, index).get((group, name), ()):
                if version is None or resource.version == version:
                    return resource  # type: ignore[no-any-return]
        raise UnknownKind(group, name, version)

    async def _refresh(self, seen: int) -> None:
        async with self._lock:
            if self._refreshes != seen:
                return  # someone else did so while we waited
            resources = list(await self._discover())
            by_kind: dict[tuple[str, str], list[Resource]] = {}
            by_plural: dict[tuple[str, str], list[Resource]] = {}
            for resource in resources:
                by_kind.setdefault((resource.group, resource.kind), []).append(resource)
                by_plural.setdefault((resource.group, resource.plural), []).append(resource)
            self._resources, self._by_kind, self._by_plural = resources, by_kind, by_plural
            self._refreshes += 1

    async def _discover(self) -> list[Resource]:
        core, groups = await asyncio.gather(self._document("/api"), self._document("/apis"))
        found: list[Resource] = []
        for document in (core, groups):
            if document.get("kind") == "APIGroupDiscoveryList":
                found += _aggregated(document)
            else:
                found += await self._plain(document)
        return found

    async def _document(self, path: str) -> dict[str, Any]:
        content = await self._get_raw(path, accept=_AGGREGATED)
        try:
            document = msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise TransportError(f"discovery at {path}: not a JSON object: {error}") from error
        return document

    async def _plain(self, document: dict[str, Any]) -> list[Resource]:
        """Walk the documents of servers without aggregated discovery."""
        paths = [f"/api/{version}" for version in document.get("versions") or ()]
        for group in document.get("groups") or ():
            preferred = (group.get("preferredVersion") or {}).get("groupVersion")
            names = [version["groupVersion"] for version in group.get("versions") or ()]
            names.sort(key=lambda name, first=preferred: name != first)  # type: ignore[misc]
            paths += [f"/apis/{name}" for name in names]
        found: list[Resource] = []
        for answer in await asyncio.gather(*map(self._document, paths), return_exceptions=True):
            if isinstance(answer, ApiError | TransportError):
                continue  # an aggregated API server that is down
            if isinstance(answer, BaseException):
                raise answer
            found += _listed(answer)
        return found


def _aggregated(document: dict[str, Any]) -> Iterator[Resource]:
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or ():
            for entry in version.get("resources") or ():
                kind = (entry.get("responseKind") or {}).get("kind")
                if not kind:
                    continue  # only subresources are served here
                yield Resource(
                    name,
                    version["version"],
                    entry["resource"],
                    kind,
                    namespaced=entry.get("scope") == "Namespaced",
                    verbs=frozenset(entry.get("verbs") or ()),
                    subresources=frozenset(
                        sub["subresource"] for sub in entry.get("subresources") or ()
                    ),
                )


def _listed(document: dict[str, Any]) -> Iterator[Resource]:
    group, version = split_api_version(document.get("groupVersion") or "")
    entries = document.get("resources") or ()
    subresources: dict[str, set[str]] = {}
    for entry in entries:
        plural, slash, sub = entry["name"].partition("/")
        if slash:
            subresources.setdefault(plural, set()).add(sub)
    for entry in entries:
        if "/" not in entry["name"]:
            yield Resource(
                group,
                version,
                entry["name"],
                entry["kind"],
                namespaced=bool(entry.get("namespaced")),
                verbs=frozenset(entry.get("verbs") or ()),
                subresources=frozenset(subresources.get(entry["name"], ())),
            )
