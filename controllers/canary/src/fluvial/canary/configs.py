"""Tracking of the ConfigMaps and Secrets of a workload: checksums, and copies for the primary."""

from collections.abc import Mapping
from typing import Any, Final

from fluvial.apis.flagger.canary import Canary
from fluvial.apis.ids import Unstructured
from fluvial.canary.checksum import config_checksum
from fluvial.canary.errors import MissingObject
from fluvial.canary.podspec import ConfigReference, config_references
from fluvial.canary.primary import SUFFIX, Transformation
from fluvial.canary.resources import CONFIG_MAPS, FIELD_MANAGER, SECRETS
from fluvial.canary.routers import owner_reference
from fluvial.toolkit import Client, NotFound, Resource

__all__ = ["TRACKING", "ConfigTracker", "Configs", "checksums"]

TRACKING: Final = "flagger.app/config-tracking"
"""Annotation of a ConfigMap or Secret that is shared, not copied: `disabled`."""

_SECRET_TYPES: Final = frozenset(
    {
        "Opaque",
        "kubernetes.io/basic-auth",
        "kubernetes.io/ssh-auth",
        "kubernetes.io/tls",
    }
)

Configs = dict[str, Unstructured]
"""The tracked objects of a workload, by key as in status.trackedConfigs."""


def checksums(configs: Mapping[str, Unstructured]) -> dict[str, str]:
    """Return what status.trackedConfigs has for these objects."""
    return {key: config_checksum(obj.get("data")) for key, obj in sorted(configs.items())}


class ConfigTracker:
    """Reads and copies configuration; without `enabled` nothing is tracked."""

    def __init__(self, client: Client, *, enabled: bool = True) -> None:
        self._client = client
        self._enabled = enabled

    async def read(self, pod_spec: Mapping[str, Any], namespace: str) -> Configs:
        """Return the tracked objects of a pod spec.

        Raises MissingObject for one that does not exist, unless every reference is optional.
        """
        configs: Configs = {}
        if not self._enabled:
            return configs
        for reference in config_references(pod_spec):
            obj = await self._get(reference, namespace)
            if obj is not None and _is_tracked(obj, reference):
                configs[reference.key] = obj
        return configs

    async def copy(self, canary: Canary, configs: Configs, change: Transformation) -> None:
        """Create or update the primary's copy of every object; equal ones cost one read."""
        for key, source in sorted(configs.items()):
            resource = _resource(key)
            wanted = self._copy_of(canary, source, resource, change)
            try:
                await self._update(resource, wanted)
            except NotFound:
                await self._client.create(resource, wanted, field_manager=FIELD_MANAGER)

    async def _update(self, resource: Resource, wanted: Unstructured) -> None:
        metadata = wanted["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        present = await self._client.get(resource, name, namespace)
        owners = _merged_owners(present, metadata["ownerReferences"][0])
        now = (present.get("data"), present["metadata"].get("labels") or {})
        if now == (wanted.get("data"), metadata["labels"]) and owners == present["metadata"].get(
            "ownerReferences"
        ):
            return
        old_data, old_labels = now[0] or {}, now[1]
        patch = {
            "metadata": {
                "resourceVersion": present["metadata"]["resourceVersion"],
                "labels": {**dict.fromkeys(old_labels), **metadata["labels"]},
                "ownerReferences": owners,
            },
            "data": {**dict.fromkeys(old_data), **(wanted.get("data") or {})},
        }
        await self._client.patch(resource, name, patch, namespace, field_manager=FIELD_MANAGER)

    def _copy_of(
        self, canary: Canary, source: Unstructured, resource: Resource, change: Transformation
    ) -> Unstructured:
        copy: Unstructured = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {
                "name": source["metadata"]["name"] + SUFFIX,
                "namespace": source["metadata"]["namespace"],
                "labels": change.included(source["metadata"].get("labels")),
                "ownerReferences": [owner_reference(canary)],
            },
        }
        if source.get("data"):
            copy["data"] = source["data"]
        if source.get("type"):
            copy["type"] = source["type"]
        return copy

    async def _get(self, reference: ConfigReference, namespace: str) -> Unstructured | None:
        resource = _resource(reference.key)
        try:
            return await self._client.get(resource, reference.name, namespace)
        except NotFound as error:
            if reference.optional:
                return None
            raise MissingObject(
                f"{resource.kind} {namespace}/{reference.name}, which the target uses, does not"
                " exist; create it, or mark the reference as optional"
            ) from error


def _resource(key: str) -> Resource:
    return CONFIG_MAPS if key.startswith("configmap/") else SECRETS


def _is_tracked(obj: Unstructured, reference: ConfigReference) -> bool:
    annotations = obj["metadata"].get("annotations") or {}
    if annotations.get(TRACKING, "").startswith("disable"):
        return False
    return reference.kind == "configmap" or obj.get("type", "Opaque") in _SECRET_TYPES


def _merged_owners(present: Unstructured, ours: dict[str, Any]) -> list[dict[str, Any]]:
    """Add this Canary to the owners of a copy that several share; the last writer controls it."""
    others = [
        {**owner, "controller": False}
        for owner in present["metadata"].get("ownerReferences") or ()
        if owner["uid"] != ours["uid"]
    ]
    return [*others, ours]
