"""ConfigMaps and Secrets in a pod spec: which ones it uses, and the same spec with copies. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

__all__ = ["ConfigKind", "ConfigReference", "config_references", "with_copies"]

ConfigKind: TypeAlias = Literal["configmap", "secret"]
"""As in the keys of status.trackedConfigs."""


class ConfigReference(NamedTuple):
    """An object that a pod spec uses; an `optional` one may be missing."""

    kind: ConfigKind
    name: str
    optional: bool = False

    @property
    def key(self) -> str:
        """The key in status.trackedConfigs."""
        return f"{self.kind}/{self.name}"


class _Place(NamedTuple):
    kind: ConfigKind
    holder: dict[str, Any]
    field: str


def config_references(pod_spec: Mapping[str, Any]) -> list[ConfigReference]:
    """Return what volumes and environments refer to, each object once, in order of appearance.

    An object is optional only if every reference to it is.
    """
    found: dict[str, ConfigReference] = {}
    for place in _places(pod_spec):
        name = place.holder[place.field]
        reference = ConfigReference(place.kind, name, bool(place.holder.get("optional")))
        known = found.get(reference.key)
        if known is None or known.optional:
            found[reference.key] = reference
    return list(found.values())


def with_copies(
    pod_spec: Mapping[str, Any], tracked: Collection[str], suffix: str
) -> dict[str, Any]:
    """Return the pod spec with `suffix` behind the name of every tracked object.

    `tracked` are keys as in status.trackedConfigs. The argument is not changed.
    """
    spec: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(pod_spec))
    for place in _places(spec):
        name = place.holder[place.field]
        if f"{place.kind}/{name}" in tracked:
            place.holder[place.field] = name + suffix
    return spec


def _places(pod_spec: Mapping[str, Any]) -> Iterator[_Place]:
    for volume in pod_spec.get("volumes") or ():
        yield from _named("configmap", volume.get("configMap"), "name")
        yield from _named("secret", volume.get("secret"), "secretName")
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield from _named("configmap", source.get("configMap"), "name")
            yield from _named("secret", source.get("secret"), "name")
    for part in ("containers", "initContainers"):
        for container in pod_spec.get(part) or ():
            for variable in container.get("env") or ():
                origin = variable.get("valueFrom") or {}
                yield from _named("configmap", origin.get("configMapKeyRef"), "name")
                yield from _named("secret", origin.get("secretKeyRef"), "name")
            for source in container.get("envFrom") or ():
                yield from _named("configmap", source.get("configMapRef"), "name")
                yield from _named("secret", source.get("secretRef"), "name")


def _named(kind: ConfigKind, holder: dict[str, Any] | None, field: str) -> Iterator[_Place]:
    if holder and holder.get(field):
        yield _Place(kind, holder, field)
