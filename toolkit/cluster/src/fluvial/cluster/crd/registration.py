"""The life of a definition: names accepted, established, served, and cleaned up.

`Registrar.step` brings the catalog and the definition's status in line with its spec; it runs
after every change of a definition, so that an answer to the next request already sees it.
"""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fields, schemas
from fluvial.cluster.builtin.definitions import CLEANUP
from fluvial.cluster.crd.schema import Conversion, CustomVersion
from fluvial.cluster.endpoints import Endpoints
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.objects import Object, rfc3339
from fluvial.cluster.resources import Gvr, Resource, Subresource
from fluvial.cluster.storage import CompactedError

__all__ = ["Registrar"]

GVR = Gvr("apiextensions.k8s.io", "v1", "customresourcedefinitions")
PREFIX = "apiextensions.k8s.io/customresourcedefinitions"
VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_STATUS_VERBS = ("get", "patch", "update")


class Registrar:
    """Serves what the definitions of one control plane say."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._served: dict[str, tuple[Object, bool]] = {}
        self._cursor = endpoints.store.revision

    async def run(self) -> None:
        """Follow the definitions for ever."""
        store = self._endpoints.store
        while True:
            await store.changed(PREFIX, self._cursor, at_once=True)
            self.step()

    def step(self) -> None:
        """Handle every change of a definition since the last call."""
        store = self._endpoints.store
        while True:
            try:
                events = store.events(PREFIX, self._cursor)
            except CompactedError:
                self.resume()
                return
            if not events:
                return
            for event in events:
                self._cursor = event.revision
                name = event.entry.key[1]
                current = store.get(PREFIX, event.entry.key)
                if current is None:
                    self._remove(name, event.entry.object)
                else:
                    self._settle(name, self._endpoints.access.copy(current.object))

    def resume(self) -> None:
        """Serve every definition that is stored, from now on; at the start, or after a gap."""
        self._cursor = self._endpoints.store.revision
        for entry in self._endpoints.store.entries(PREFIX):
            self._settle(entry.key[1], self._endpoints.access.copy(entry.object))

    def _remove(self, name: str, definition: Object) -> None:
        if self._served.pop(name, None) is not None:
            spec = definition["spec"]
            self._endpoints.catalog.replace(spec["group"], spec["names"]["plural"], ())
            self._endpoints.store.wake(f"{spec['group']}/{spec['names']['plural']}")

    def _settle(self, name: str, definition: Object) -> None:
        meta = definition["metadata"]
        accepted, clash = self._accept(name, definition)
        definition["status"]["acceptedNames"] = accepted
        conditions = definition["status"].get("conditions") or []
        definition["status"]["conditions"] = conditions
        if clash is None:
            self._condition(
                conditions, "NamesAccepted", "True", "NoConflicts", "no conflicts found"
            )
            self._condition(
                conditions, "Established", "True", "InitialNamesAccepted",
                "the initial names have been accepted",
            )  # fmt: skip
        else:
            reason, message = clash
            self._condition(conditions, "NamesAccepted", "False", reason, message)
            self._condition(
                conditions, "Established", "False", "NotAccepted",
                "not all names are accepted",
            )  # fmt: skip
        terminating = bool(meta.get("deletionTimestamp"))
        if terminating:
            self._condition(
                conditions, "Terminating", "True", "InstanceDeletionInProgress",
                "CustomResource deletion is in progress",
            )  # fmt: skip
        self._store(name, definition)
        established = any(
            item["type"] == "Established" and item["status"] == "True" for item in conditions
        )
        if established:
            self._serve(name, definition, accepts=not terminating)
        if terminating:
            self._clean(name, definition)

    def _accept(self, name: str, definition: Object) -> tuple[Object, tuple[str, str] | None]:
        """Return the names that are free, and the last clash as `(reason, message)`."""
        spec = definition["spec"]
        words: set[str] = set()
        kinds: set[str] = set()
        for entry in self._endpoints.store.entries(PREFIX):
            if entry.key[1] == name or entry.object["spec"]["group"] != spec["group"]:
                continue
            taken = (entry.object.get("status") or {}).get("acceptedNames") or {}
            words |= {taken.get("plural", ""), taken.get("singular", "")}
            words |= set(taken.get("shortNames") or [])
            kinds |= {taken.get("kind", ""), taken.get("listKind", "")}
        names, clash = spec["names"], None
        accepted: Object = {"plural": "", "kind": ""}
        for key in ("plural", "singular", "kind", "listKind"):
            value = names.get(key, "")
            if value and value in (kinds if key.lower().endswith("kind") else words):
                clash = f"{key[:1].upper()}{key[1:]}Conflict", f'"{value}" is already in use'
            elif value:
                accepted[key] = value
        for short in names.get("shortNames") or []:
            if short in words:
                clash = "ShortNamesConflict", f'"{short}" is already in use'
        if names.get("shortNames") and (clash is None or clash[0] != "ShortNamesConflict"):
            accepted["shortNames"] = names["shortNames"]
        if names.get("categories"):
            accepted["categories"] = names["categories"]
        return accepted, clash

    def _condition(
        self, conditions: list[Any], kind: str, status: str, reason: str, message: str
    ) -> None:
        for item in conditions:
            if item["type"] == kind:
                if item["status"] != status:
                    item["lastTransitionTime"] = rfc3339(self._endpoints.clock())
                item.update(status=status, reason=reason, message=message)
                return
        conditions.append(
            {
                "type": kind,
                "status": status,
                "lastTransitionTime": rfc3339(self._endpoints.clock()),
                "reason": reason,
                "message": message,
            }
        )

    def _store(self, name: str, definition: Object) -> None:
        current = self._endpoints.store.get(PREFIX, ("", name))
        if current is not None and current.object != definition:
            resource = self._endpoints.catalog.find(GVR)
            assert resource is not None
            options = WriteOptions(manager="kube-apiserver")
            now = rfc3339(self._endpoints.clock())
            status = {**current.object, "status": definition["status"]}
            status["metadata"] = dict(status["metadata"])
            schemas.track(resource, current.object, status, options, "status", now)
            managed = status["metadata"].get("managedFields")
            if managed:
                definition["metadata"]["managedFields"] = managed
            entry = self._endpoints.store.put(PREFIX, ("", name), definition)
            self._cursor = entry.revision

    def _serve(self, name: str, definition: Object, *, accepts: bool) -> None:
        spec = definition["spec"]
        before = self._served.get(name)
        if before == (spec, accepts):
            return
        self._served[name] = (spec, accepts)
        resources = resources_of(definition, accepts=accepts)
        self._endpoints.catalog.replace(spec["group"], spec["names"]["plural"], resources)
        if before is not None:
            self._endpoints.store.wake(f"{spec['group']}/{spec['names']['plural']}")

    def _clean(self, name: str, definition: Object) -> None:
        """Delete what is left of the resource; without it, let the definition go."""
        spec = definition["spec"]
        versions = versions_of(definition)
        prefix = f"{spec['group']}/{spec['names']['plural']}"
        for entry in self._endpoints.store.entries(prefix):
            # In the version it is stored in: no webhook is needed, which may be gone by now.
            resource = versions.get(str(entry.object.get("apiVersion")))
            if resource is not None and not entry.object["metadata"].get("deletionTimestamp"):
                target = Target(resource, *entry.key)
                self._endpoints.deleter.delete_unasked(target, {}, WriteOptions())
        if self._endpoints.store.entries(prefix):
            return
        key = ("", name)
        entry_now = self._endpoints.store.get(PREFIX, key)
        if entry_now is None:
            return
        last = self._endpoints.access.copy(entry_now.object)
        left = [item for item in last["metadata"].get("finalizers") or [] if item != CLEANUP]
        last["metadata"].pop("finalizers", None)
        if left:
            last["metadata"]["finalizers"] = left
            self._endpoints.store.put(PREFIX, key, last)
            return
        self._endpoints.store.remove(PREFIX, key, last)
        self._remove(name, last)

    def sweep(self) -> None:
        """Look again at definitions that wait for the last of their objects."""
        for entry in self._endpoints.store.entries(PREFIX):
            if entry.object["metadata"].get("deletionTimestamp"):
                self._settle(entry.key[1], self._endpoints.access.copy(entry.object))


def resources_of(definition: Object, *, accepts: bool = True) -> list[Resource]:
    """Return the served versions of a definition."""
    found = versions_of(definition, accepts=accepts)
    group = definition["spec"]["group"]
    return [
        found[f"{group}/{version['name']}"]
        for version in definition["spec"]["versions"]
        if version.get("served")
    ]


def versions_of(definition: Object, *, accepts: bool = True) -> dict[str, Resource]:
    """Return all versions of a definition by apiVersion; they share their storage version."""
    names = definition["status"]["acceptedNames"]
    versions: dict[str, Resource] = {}
    storage = None
    for version in definition["spec"]["versions"]:
        resource = _version(definition, version, names, accepts)
        versions[resource.api_version] = resource
        if version.get("storage"):
            storage = resource
    for resource in versions.values():
        assert resource.custom is not None
        resource.custom.storage, resource.custom.versions = storage, versions
    return versions


def _version(definition: Object, version: Object, names: Object, accepts: bool) -> Resource:
    spec = definition["spec"]
    openapi = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    subresources = version.get("subresources") or {}
    has_status = subresources.get("status") is not None
    api_version = f"{spec['group']}/{version['name']}"
    custom = CustomVersion(
        openapi=openapi,
        schema=fields.schema_from_crd(
            openapi, kind=names["kind"], api_version=api_version, status_subresource=has_status
        ),
        definition=definition["metadata"]["name"],
        columns=version.get("additionalPrinterColumns") or [],
        has_status=has_status,
        scale=subresources.get("scale"),
        selectable=tuple(
            item["jsonPath"].lstrip(".") for item in version.get("selectableFields") or []
        ),
        deprecation=_deprecation(version, api_version, names["kind"]),
        accepts=accepts,
        conversion=_conversion(spec.get("conversion") or {}),
    )
    subs = []
    if has_status:
        subs.append(Subresource("status", "", "", names["kind"], _STATUS_VERBS))
    if subresources.get("scale"):
        subs.append(Subresource("scale", "autoscaling", "v1", "Scale", _STATUS_VERBS))
    return Resource(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        kind=names["kind"],
        list_kind=names.get("listKind") or names["kind"] + "List",
        namespaced=spec["scope"] == "Namespaced",
        verbs=VERBS,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(subs),
        custom=custom,
    )


def _conversion(stanza: Object) -> Conversion | None:
    """Return the webhook of `spec.conversion`; None when versions differ in name only."""
    if stanza.get("strategy") != "Webhook":
        return None
    webhook = stanza["webhook"]
    return Conversion(webhook["clientConfig"], tuple(webhook["conversionReviewVersions"]))


def _deprecation(version: Object, api_version: str, kind: str) -> str:
    if not version.get("deprecated"):
        return ""
    return str(version.get("deprecationWarning") or f"{api_version} {kind} is deprecated")
