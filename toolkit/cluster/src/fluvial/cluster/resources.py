"""What the API serves: resources by group, version and plural name.

`Resource` is one endpoint; `Catalog` finds them. Built-in ones come from `data/resources.json`
(facts of a kube-apiserver's discovery); custom ones are added and removed by `fluvial.cluster.crd`.
Resources that serve the same objects in several versions share one `prefix` in the store.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from importlib import resources as package_files
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from fluvial.cluster.crd.schema import CustomVersion

__all__ = ["Catalog", "Gvr", "Resource", "Subresource", "builtin_resources"]

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
SHARED_PREFIXES = {"events.k8s.io/events": "/events"}
STORAGE_VERSIONS = {"autoscaling": "v2"}


@dataclasses.dataclass(frozen=True, slots=True)
class Gvr:
    """Group, version and plural name, such as `apps/v1/deployments` or `v1/pods`."""

    group: str
    version: str
    plural: str

    @classmethod
    def parse(cls, text: str) -> Gvr:
        """Read `group/version/plural`, or `version/plural` for the core group."""
        parts = text.split("/")
        if len(parts) == 2:
            return cls("", parts[0], parts[1])
        if len(parts) != 3:
            raise ValueError(f"{text!r} is no resource: expected group/version/plural")
        return cls(*parts)

    def __str__(self) -> str:
        prefix = f"{self.group}/" if self.group else ""
        return f"{prefix}{self.version}/{self.plural}"


@dataclasses.dataclass(frozen=True, slots=True)
class Subresource:
    """A subresource and the kind it speaks; an empty group and version mean the parent's."""

    name: str
    group: str
    version: str
    kind: str
    verbs: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One endpoint of the API. `custom` is set for resources that a CRD defines."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    list_kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    custom: CustomVersion | None = None

    @property
    def gvr(self) -> Gvr:
        """Return the endpoint's name."""
        return Gvr(self.group, self.version, self.plural)

    @property
    def api_version(self) -> str:
        """Return `group/version`, as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def prefix(self) -> str:
        """Return the name under which the store keeps the objects of all versions."""
        own = f"{self.group}/{self.plural}"
        return SHARED_PREFIXES.get(own, own)

    @property
    def qualified(self) -> str:
        """Return `plural.group`, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_stored(self) -> bool:
        """Tell whether this is the version in which custom objects are stored."""
        storage = None if self.custom is None else self.custom.storage
        return storage is None or storage.version == self.version

    @property
    def converts(self) -> bool:
        """Tell whether a webhook converts the objects between versions."""
        return self.custom is not None and self.custom.conversion is not None

    def subresource(self, name: str) -> Subresource | None:
        """Find a subresource by name."""
        return next((sub for sub in self.subresources if sub.name == name), None)


class Catalog:
    """All resources that are served at this moment.

    `on_change` callbacks run after custom resources came or went (discovery and OpenAPI caches).
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_gvr: dict[Gvr, Resource] = {}
        self._builtin_groups: list[str] = []
        self._listeners: list[Callable[[], None]] = []
        for resource in resources:
            self._by_gvr[resource.gvr] = resource
            if resource.group not in self._builtin_groups:
                self._builtin_groups.append(resource.group)

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._by_gvr.values()))

    def find(self, gvr: Gvr) -> Resource | None:
        """Return the resource at an endpoint."""
        return self._by_gvr.get(gvr)

    def find_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """Return the resource of a kind."""
        for resource in self._by_gvr.values():
            if (resource.group, resource.version, resource.kind) == (group, version, kind):
                return resource
        return None

    def stored_as(self, prefix: str) -> list[Resource]:
        """Return every version of the resource with this store prefix."""
        return [res for res in self._by_gvr.values() if res.prefix == prefix]

    def is_builtin(self, group: str) -> bool:
        """Tell whether the group is one of the server's own."""
        return group in self._builtin_groups

    def replace(self, group: str, plural: str, versions: Iterable[Resource]) -> None:
        """Set the served versions of one custom resource; none removes it."""
        kept = {
            gvr: res
            for gvr, res in self._by_gvr.items()
            if (gvr.group, gvr.plural) != (group, plural)
        }
        kept.update({res.gvr: res for res in versions})
        self._by_gvr = kept
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the set of custom resources changes."""
        self._listeners.append(listener)


def read_data(name: str) -> Any:
    """Decode one of the package's JSON data files."""
    path = package_files.files("fluvial.cluster") / "data" / name
    return msgspec.json.decode(path.read_bytes())


def builtin_resources() -> list[Resource]:
    """Return the built-in resources in the order in which discovery lists them."""
    found = []
    for group, version, entries in read_data("resources.json"):
        for entry in entries:
            subs = tuple(
                Subresource(sub[0], sub[1], sub[2], sub[3], tuple(sub[4]))
                for sub in entry.get("subresources", ())
            )
            found.append(
                Resource(
                    group=group,
                    version=version,
                    plural=entry["plural"],
                    singular=entry["singular"],
                    kind=entry["kind"],
                    list_kind=entry["kind"] + "List",
                    namespaced=entry.get("namespaced", False),
                    verbs=tuple(entry.get("verbs", ALL_VERBS)),
                    short_names=tuple(entry.get("shortNames", ())),
                    categories=tuple(entry.get("categories", ())),
                    subresources=subs,
                )
            )
    return found
