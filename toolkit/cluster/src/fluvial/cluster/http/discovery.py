"""Discovery documents, plain and aggregated, of what the catalog holds."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from fluvial.cluster.resources import Catalog, Resource

__all__ = ["aggregated", "api_versions", "group", "group_list", "resource_list"]

_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


def version_key(version: str) -> tuple[int, int, int, str]:
    """Order versions as discovery does: stable first, then beta, alpha, then the rest by name."""
    found = _VERSION.fullmatch(version)
    if not found:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[found[2]]
    return (stage, -int(found[1]), -int(found[3] or 0), "")


def _groups(catalog: Catalog) -> dict[str, dict[str, list[Resource]]]:
    found: dict[str, dict[str, list[Resource]]] = {}
    for resource in catalog:
        versions = found.setdefault(resource.group, {})
        versions.setdefault(resource.version, []).append(resource)
    for name, versions in found.items():
        if not catalog.is_builtin(name):
            found[name] = {v: versions[v] for v in sorted(versions, key=version_key)}
    builtin = [name for name in found if catalog.is_builtin(name)]
    custom = sorted(name for name in found if not catalog.is_builtin(name))
    return {name: found[name] for name in (*builtin, *custom)}


def _kind(kind: str, group_name: str = "", version: str = "") -> dict[str, str]:
    return {"group": group_name, "version": version, "kind": kind}


def _aggregated_resource(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": _own_kind(resource, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _kind(sub.kind, sub.group, sub.version)
                if sub.group
                else _own_kind(resource, sub.kind),
                "verbs": list(sub.verbs),
            }
            for sub in resource.subresources
        ]
    return entry


def _own_kind(resource: Resource, kind: str) -> dict[str, str]:
    if resource.custom is None:
        return _kind(kind)
    return _kind(kind, resource.group, resource.version)


def aggregated(catalog: Catalog, *, core: bool) -> dict[str, Any]:
    """Return an `APIGroupDiscoveryList` of the core group, or of all others."""
    items = []
    for name, versions in _groups(catalog).items():
        if (name == "") != core:
            continue
        items.append(
            {
                "metadata": {"name": name} if name else {},
                "versions": [
                    {
                        "version": version,
                        "resources": [_aggregated_resource(item) for item in resources],
                        "freshness": "Current",
                    }
                    for version, resources in versions.items()
                ],
            }
        )
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def api_versions(host: str) -> dict[str, Any]:
    """Return the plain document at /api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    }


def _group(name: str, versions: dict[str, list[Resource]]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def group_list(catalog: Catalog) -> dict[str, Any]:
    """Return the plain document at /apis."""
    groups = [_group(name, versions) for name, versions in _groups(catalog).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(catalog: Catalog, name: str) -> dict[str, Any] | None:
    """Return the plain document of one group."""
    versions = _groups(catalog).get(name)
    if versions is None or not name:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def storage_hash(resource: Resource) -> str:
    """Return a short hash of where and as what the objects are stored."""
    text = f"{resource.group}/{resource.version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def resource_list(catalog: Catalog, group_name: str, version: str) -> dict[str, Any] | None:
    """Return the `APIResourceList` of one group version."""
    resources = _groups(catalog).get(group_name, {}).get(version)
    if resources is None:
        return None
    entries: list[dict[str, Any]] = []
    for resource in resources:
        entries.append(_plain_resource(resource))
        for sub in resource.subresources:
            entry: dict[str, Any] = {
                "name": f"{resource.plural}/{sub.name}",
                "singularName": "",
                "namespaced": resource.namespaced,
            }
            if sub.group:
                entry.update(group=sub.group, version=sub.version)
            entries.append({**entry, "kind": sub.kind, "verbs": list(sub.verbs)})
    shown = f"{group_name}/{version}" if group_name else version
    document: dict[str, Any] = {"kind": "APIResourceList"}
    if group_name:
        document["apiVersion"] = "v1"
    return {**document, "groupVersion": shown, "resources": entries}


def _plain_resource(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if "list" in resource.verbs and resource.plural != "componentstatuses":
        entry["storageVersionHash"] = storage_hash(resource)
    return entry
