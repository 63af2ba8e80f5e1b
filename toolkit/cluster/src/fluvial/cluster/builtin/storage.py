"""PersistentVolumeClaim, PersistentVolume and the storage.k8s.io kinds."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.quantities import amount
from fluvial.cluster.builtin.scheduling import node_selector_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.builtin.volumes import host_path_errors, nfs_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.names import dns_subdomain_errors, label_key_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES", "claim_errors", "default_claim"]

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_CLASS_NOTE = "volume.beta.kubernetes.io/storage-class"
_VOLUME_SETTINGS = frozenset(
    {"accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity",
     "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName",
     "volumeMode"}
)  # fmt: skip
"""Members of a volume's spec that are no source."""


def default_claim(claim: Object) -> None:
    """Fill in the defaults of a claim or claim template."""
    spec = claim.setdefault("spec", {})
    spec.setdefault("volumeMode", "Filesystem")
    spec.setdefault("resources", {})
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def _mode_errors(spec: Object, path: str, text: str = "") -> list[Cause]:
    where, modes = f"{path}.accessModes", spec.get("accessModes") or []
    if not modes:
        return [fielderrors.required(where, text)]
    errors = [
        fielderrors.not_supported(where, mode, _MODES) for mode in modes if mode not in _MODES
    ]
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        text = "may not use ReadWriteOncePod with other access modes"
        errors.append(fielderrors.forbidden(where, text))
    return errors


def _size_errors(value: object, path: str) -> list[Cause]:
    if amount(value) > 0:
        return []
    shown = canonical_quantity(str(value))
    return [fielderrors.invalid(path, shown, "must be greater than zero")]


def claim_errors(spec: Object, path: str) -> list[Cause]:
    """Check the spec of a claim."""
    errors = _mode_errors(spec, path, "at least 1 access mode is required")
    errors += label_selector_errors(spec.get("selector"), f"{path}.selector")
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    where = f"{path}.resources[storage]"
    errors += [fielderrors.required(where)] if size is None else _size_errors(size, where)
    errors += _class_errors(spec, path)
    mode = spec.get("volumeMode")
    if mode is not None and mode not in _VOLUME_MODES:
        errors.append(fielderrors.not_supported(f"{path}.volumeMode", mode, _VOLUME_MODES))
    return errors


def _class_errors(spec: Object, path: str) -> list[Cause]:
    name = spec.get("storageClassName")
    bad = dns_subdomain_errors(name) if name else []
    return [fielderrors.invalid(f"{path}.storageClassName", name, text) for text in bad]


class ClaimStrategy(Strategy):
    """Rules of PersistentVolumeClaim."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Default mode and phase."""
        default_claim(obj)

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status; protect the claim."""
        obj["status"] = {"phase": "Pending"}
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if "kubernetes.io/pvc-protection" not in finalizers:
            finalizers.append("kubernetes.io/pvc-protection")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the spec."""
        return claim_errors(obj["spec"], "spec")

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Let only the size of a bound claim grow."""
        spec, before = obj["spec"], old["spec"]
        free = ("resources", "volumeAttributesClassName")
        if before.get("volumeName"):
            fixed = {key: value for key, value in spec.items() if key not in free}
            was = {key: value for key, value in before.items() if key not in free}
        else:
            fixed = {key: value for key, value in spec.items() if key != "volumeName"}
            was = {key: value for key, value in before.items() if key != "volumeName"}
        if fixed != was:
            text = (
                "spec is immutable after creation except resources.requests and "
                "volumeAttributesClassName for bound claims"
            )
            return [fielderrors.forbidden("spec", text)]
        sizes = [
            ((one.get("resources") or {}).get("requests") or {}).get("storage", 0)
            for one in (spec, before)
        ]
        if amount(sizes[0]) < amount(sizes[1]):
            text = "field can not be less than status.capacity"
            return [fielderrors.forbidden("spec.resources.requests.storage", text)]
        return []

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Warn of the old way to choose a class."""
        if _CLASS_NOTE not in (obj["metadata"].get("annotations") or {}):
            return []
        where, instead = f"metadata.annotations[{_CLASS_NOTE}]", 'use "storageClassName" attribute'
        return [f"{where}: deprecated since v1.8; {instead} instead"]


class VolumeStrategy(Strategy):
    """Rules of PersistentVolume."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Default mode, policy and phase."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        if isinstance(spec.get("hostPath"), dict):
            spec["hostPath"].setdefault("type", "")
        obj.setdefault("status", {}).setdefault("phase", "Pending")

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status; protect the volume."""
        obj["status"] = {"phase": "Pending"}
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if "kubernetes.io/pv-protection" not in finalizers:
            finalizers.append("kubernetes.io/pv-protection")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check capacity, modes, source and policy."""
        spec = obj["spec"]
        errors = _mode_errors(spec, "spec")
        capacity = spec.get("capacity") or {}
        if not capacity:
            errors.append(fielderrors.required("spec.capacity"))
        elif list(capacity) != ["storage"]:
            errors.append(fielderrors.not_supported("spec.capacity", capacity, ("storage",)))
        for name, value in capacity.items():
            errors += _size_errors(value, f"spec.capacity[{name}]")
        policy = spec.get("persistentVolumeReclaimPolicy")
        if policy not in _RECLAIM:
            where = "spec.persistentVolumeReclaimPolicy"
            errors.append(fielderrors.not_supported(where, policy, _RECLAIM))
        required = (spec.get("nodeAffinity") or {}).get("required")
        if required is not None:
            errors += node_selector_errors(required, "spec.nodeAffinity.required")
        sources = [key for key in spec if key not in _VOLUME_SETTINGS]
        text = "may not specify more than 1 volume type"
        errors += [fielderrors.forbidden(f"spec.{key}", text) for key in sources[1:]]
        if sources[:1] == ["hostPath"]:
            errors += host_path_errors(spec["hostPath"], "spec.hostPath")
        elif sources[:1] == ["nfs"]:
            errors += nfs_errors(spec["nfs"], "spec.nfs")
        elif not sources:
            errors.append(fielderrors.required("spec", "must specify a volume type"))
        if "local" in sources and required is None:
            text = "Local volume requires node affinity"
            errors.append(fielderrors.required("metadata.annotations", text))
        errors += _class_errors(spec, "spec")
        mode = spec.get("volumeMode")
        if mode is not None and mode not in _VOLUME_MODES:
            errors.append(fielderrors.not_supported("spec.volumeMode", mode, _VOLUME_MODES))
        return errors


class ClassStrategy(Strategy):
    """Rules of StorageClass."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Default the policies."""
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check provisioner, parameters and policies."""
        name = obj.get("provisioner", "")
        errors: list[Cause] = []
        if not name:
            errors.append(fielderrors.required("provisioner", name))
        else:
            errors += [
                fielderrors.invalid("provisioner", name, text)
                for text in label_key_errors(name.lower())
            ]
        if "" in (obj.get("parameters") or {}):
            text = "field can not be empty."
            errors.append(fielderrors.invalid("parameters", "", text))
        policies = ("Delete", "Retain")
        if obj.get("reclaimPolicy") not in policies:
            given = obj.get("reclaimPolicy")
            errors.append(fielderrors.not_supported("reclaimPolicy", given, policies))
        modes = ("Immediate", "WaitForFirstConsumer")
        if obj.get("volumeBindingMode") not in modes:
            given = obj.get("volumeBindingMode")
            errors.append(fielderrors.not_supported("volumeBindingMode", given, modes))
        return errors + _topology_errors(obj.get("allowedTopologies") or [])

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse what cannot change."""
        errors = [
            fielderrors.forbidden(key, f"updates to {key} are forbidden.")
            for key in ("parameters", "provisioner", "reclaimPolicy")
            if (obj.get(key) or None) != (old.get(key) or None)
        ]
        mode = obj.get("volumeBindingMode")
        if mode != old.get("volumeBindingMode"):
            errors.append(fielderrors.immutable("volumeBindingMode", mode))
        return errors


def _topology_errors(terms: list[Any]) -> list[Cause]:
    errors: list[Cause] = []
    for number, term in enumerate(terms):
        seen: set[str] = set()
        for index, requirement in enumerate(term.get("matchLabelExpressions") or []):
            path = f"allowedTopologies[{number}].matchLabelExpressions[{index}]"
            key, values = requirement.get("key", ""), requirement.get("values") or []
            if not values:
                errors.append(fielderrors.required(f"{path}.values"))
            errors += [
                fielderrors.duplicate(f"{path}.values[{place}]", value)
                for place, value in enumerate(values)
                if value in values[:place]
            ]
            errors += [
                fielderrors.invalid(f"{path}.key", key, text) for text in label_key_errors(key)
            ]
            if key in seen:
                errors.append(fielderrors.duplicate(f"{path}.key", key))
            seen.add(key)
    return errors


class DriverStrategy(Strategy):
    """Rules of CSIDriver."""

    generation = False
    returns_deleted = True
    defaults: tuple[tuple[str, Any], ...] = (
        ("attachRequired", True), ("fsGroupPolicy", "ReadWriteOnceWithFSType"),
        ("podInfoOnMount", False), ("requiresRepublish", False), ("seLinuxMount", False),
        ("storageCapacity", False),
    )  # fmt: skip

    def default(self, obj: Object) -> None:
        """Default what the driver is taken to need."""
        spec = obj.setdefault("spec", {})
        for key, value in self.defaults:
            spec.setdefault(key, value)
        if not spec.get("volumeLifecycleModes"):
            spec["volumeLifecycleModes"] = ["Persistent"]


class AttachmentStrategy(Strategy):
    """Rules of VolumeAttachment."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Write the status always."""
        obj.setdefault("status", {}).setdefault("attached", False)

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {"attached": False}

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another spec."""
        if obj["spec"] == old["spec"]:
            return []
        return [fielderrors.immutable("spec", obj["spec"])]


class PlainStrategy(Strategy):
    """Rules of kinds that only keep what they are given."""

    generation = False
    returns_deleted = True


STRATEGIES: dict[str, Strategy] = {
    "/persistentvolumeclaims": ClaimStrategy(),
    "/persistentvolumes": VolumeStrategy(),
    "storage.k8s.io/storageclasses": ClassStrategy(),
    "storage.k8s.io/csidrivers": DriverStrategy(),
    "storage.k8s.io/csinodes": PlainStrategy(),
    "storage.k8s.io/volumeattachments": AttachmentStrategy(),
    "storage.k8s.io/csistoragecapacities": PlainStrategy(),
    "storage.k8s.io/volumeattributesclasses": PlainStrategy(),
}
