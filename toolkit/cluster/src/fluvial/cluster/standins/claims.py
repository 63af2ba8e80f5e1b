"""PersistentVolumeClaims: each is bound to a volume made for it."""

from __future__ import annotations

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.controller import Controller, Key
from fluvial.cluster.standins.metadata import is_deleting, uid_of
from fluvial.cluster.standins.resources import CLAIMS, VOLUMES
from fluvial.cluster.standins.timer import Timer
from fluvial.cluster.standins.view import View

__all__ = ["Claims"]

_PROVISIONER = "fluvial.dev/local"


class Claims:
    """The volume binder. A claim that asks for a volume by name or selector waits for that."""

    def __init__(self, view: View, timer: Timer) -> None:
        self._view = view
        self.controller = Controller("claims", self._reconcile, timer)
        view.follow(CLAIMS, self.controller.add_object)
        view.follow(VOLUMES, self._volume_changed)

    def _volume_changed(self, volume: Object) -> None:
        claim = volume["spec"].get("claimRef")
        if claim:
            self.controller.add((claim["namespace"], claim["name"]))
        for each in self._view.all(CLAIMS):
            if each["spec"].get("volumeName") == name_of(volume):
                self.controller.add_object(each)

    async def _reconcile(self, key: Key) -> float | None:
        claim = self._view.get(CLAIMS, *key)
        if claim is None:
            await self._reclaim(key)
            return None
        if is_deleting(claim):
            return None
        if (claim.get("status") or {}).get("phase") == "Bound":
            return None
        spec = claim["spec"]
        if spec.get("volumeName"):
            volume = self._view.get(VOLUMES, "", spec["volumeName"])
        elif spec.get("selector"):
            volume = None
        else:
            volume = await self._provision(claim)
            patch = {
                "metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
                "spec": {"volumeName": name_of(volume)},
            }
            claim = await self._view.patch(CLAIMS, claim, patch)
        if volume is None:
            await self._view.set_status(CLAIMS, claim, {"phase": "Pending"})
            return None
        status = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes"),
            "capacity": volume["spec"]["capacity"],
        }
        await self._view.set_status(CLAIMS, claim, status)
        await self._view.set_status(VOLUMES, volume, {"phase": "Bound"})
        return None

    async def _provision(self, claim: Object) -> Object:
        name = f"pvc-{uid_of(claim)}"
        known = self._view.get(VOLUMES, "", name)
        if known is not None:
            return known
        spec = claim["spec"]
        wanted: Object = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": name,
                "annotations": {"pv.kubernetes.io/provisioned-by": _PROVISIONER},
            },
            "spec": {
                "accessModes": spec.get("accessModes"),
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "name": name_of(claim),
                    "namespace": namespace_of(claim),
                    "uid": uid_of(claim),
                },
                "csi": {"driver": _PROVISIONER, "volumeHandle": name},
                "persistentVolumeReclaimPolicy": "Delete",
            },
        }
        if spec.get("storageClassName"):
            wanted["spec"]["storageClassName"] = spec["storageClassName"]
        return await self._view.create(VOLUMES, wanted)

    async def _reclaim(self, key: Key) -> None:
        """Delete the volume of a claim that is gone, as its reclaim policy says."""
        for volume in self._view.all(VOLUMES):
            claim = volume["spec"].get("claimRef") or {}
            if (claim.get("namespace"), claim.get("name")) != key:
                continue
            try:
                if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
                    await self._view.delete(VOLUMES, volume)
                else:
                    await self._view.set_status(VOLUMES, volume, {"phase": "Released"})
            except StatusError as error:
                if error.code != 404:
                    raise
