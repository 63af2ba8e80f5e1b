"""References between objects: the indexes and watches of kinds that depend on others.

References are spoken of as `Kind/namespace/name`. An index function says under which references an
object is found, a map function which objects a changed one concerns.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured
from fluvial.toolkit.client import Resource
from fluvial.toolkit.controller import Watch
from fluvial.toolkit.flags import RuntimeFlags
from fluvial.toolkit.store import Key, Store, key_of

__all__ = [
    "CONFIG_MAP",
    "DEFINITIONS",
    "SECRET",
    "cluster_configs",
    "config_watches",
    "dependencies_of",
    "users",
]

CONFIG_MAP: Final = Resource("", "v1", "configmaps", "ConfigMap")
"""The endpoint of ConfigMaps."""
SECRET: Final = Resource("", "v1", "secrets", "Secret")
"""The endpoint of Secrets."""
DEFINITIONS: Final = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
"""The endpoint of CustomResourceDefinitions."""


def dependencies_of(kind: Kind[Any]) -> Callable[[Unstructured], Iterator[str]]:
    """Return an index function: the objects of the same kind that `spec.dependsOn` names."""

    def index(raw: Unstructured) -> Iterator[str]:
        for ref in raw["spec"].get("dependsOn") or ():
            yield f"{kind.kind}/{ref.get('namespace') or key_of(raw).namespace}/{ref['name']}"

    return index


def cluster_configs(raw: Unstructured) -> Iterator[str]:
    """Index by the Secret or ConfigMap of `spec.kubeConfig`."""
    reference = raw["spec"].get("kubeConfig") or {}
    for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
        if named := reference.get(field):
            yield f"{kind}/{key_of(raw).namespace}/{named['name']}"


def users(kind: str, index: str) -> Callable[[Unstructured, Store], Iterable[Key]]:
    """Return a map function: which objects refer to a changed object of `kind`."""

    def map_changed(changed: Unstructured, store: Store) -> Iterable[Key]:
        namespace, name = key_of(changed)
        return [key_of(obj) for obj in store.by_index(index, f"{kind}/{namespace}/{name}")]

    return map_changed


def config_watches(index: str, flags: RuntimeFlags) -> list[Watch]:
    """Watch the metadata of ConfigMaps and Secrets, unless DisableConfigWatchers is set."""
    if flags.enabled("DisableConfigWatchers"):
        return []
    return [
        Watch(
            resource,
            users(resource.kind, index),
            label_selector=flags.watch_configs_label_selector,
            metadata_only=True,
        )
        for resource in (CONFIG_MAP, SECRET)
    ]
