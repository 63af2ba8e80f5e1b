"""PersistentVolumeClaim, PersistentVolume and the storage.k8s.io kinds."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES", "default_claim"]


def default_claim(claim: Object) -> None:
    """Fill in the defaults of a claim or claim template."""
    spec = claim.setdefault("spec", {})
    spec.setdefault("volumeMode", "Filesystem")
    spec.setdefault("resources", {})
    claim.setdefault("status", {}).setdefault("phase", "Pending")


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


class VolumeStrategy(Strategy):
    """Rules of PersistentVolume."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Default mode, policy and phase."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        obj.setdefault("status", {}).setdefault("phase", "Pending")

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status; protect the volume."""
        obj["status"] = {"phase": "Pending"}
        obj["metadata"].setdefault("finalizers", []).append("kubernetes.io/pv-protection")


class ClassStrategy(Strategy):
    """Rules of StorageClass."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Default the policies."""
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")


class PlainStrategy(Strategy):
    """Rules of kinds that only keep what they are given."""

    generation = False
    returns_deleted = True


STRATEGIES: dict[str, Strategy] = {
    "/persistentvolumeclaims": ClaimStrategy(),
    "/persistentvolumes": VolumeStrategy(),
    "storage.k8s.io/storageclasses": ClassStrategy(),
    "storage.k8s.io/csidrivers": PlainStrategy(),
    "storage.k8s.io/csinodes": PlainStrategy(),
    "storage.k8s.io/volumeattachments": PlainStrategy(),
    "storage.k8s.io/csistoragecapacities": PlainStrategy(),
    "storage.k8s.io/volumeattributesclasses": PlainStrategy(),
}
