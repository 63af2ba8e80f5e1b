"""Table cells of volumes, claims, and what provides them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.http.cell_texts import NONE, UNSET, Maker, age_of, name_of
from fluvial.cluster.objects import Object

__all__ = ["MAKERS"]

_SHORT = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_DEFAULT_ATTRIBUTES = ("volumeattributesclass.alpha.kubernetes.io/is-default-class",)
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


def _modes(modes: list[str] | None) -> str:
    """Return access modes in short, each once, in the order that Kubernetes gives them."""
    return ",".join(short for mode, short in _SHORT.items() if mode in (modes or []))


def _phase(obj: Object) -> str:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return str((obj.get("status") or {}).get("phase", ""))


def _class_name(obj: Object) -> str:
    """Return the class of a volume or claim; an old annotation comes before the field."""
    notes = obj["metadata"].get("annotations") or {}
    return str(notes.get(_OLD_CLASS, obj["spec"].get("storageClassName", "")))


def _title(obj: Object, annotations: tuple[str, ...]) -> str:
    notes = obj["metadata"].get("annotations") or {}
    is_default = any(notes.get(key) == "true" for key in annotations)
    return name_of(obj) + (" (default)" if is_default else "")


def _volume(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class_name(obj),
        spec.get("volumeAttributesClassName", UNSET),
        status.get("reason", ""),
        age_of(obj, now),
        spec.get("volumeMode", UNSET),
    ]


def _claim(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    bound = bool(spec.get("volumeName"))
    return [
        name_of(obj),
        _phase(obj),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "0") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        _class_name(obj),
        spec.get("volumeAttributesClassName", UNSET),
        age_of(obj, now),
        spec.get("volumeMode", UNSET),
    ]


def _class(obj: Object, now: dt.datetime) -> list[Any]:
    return [
        _title(obj, _DEFAULT_CLASS),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        age_of(obj, now),
    ]


def _attributes(obj: Object, now: dt.datetime) -> list[Any]:
    return [_title(obj, _DEFAULT_ATTRIBUTES), obj.get("driverName", ""), age_of(obj, now)]


def _driver(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    audiences = [item.get("audience", "") for item in spec.get("tokenRequests") or []]
    return [
        name_of(obj),
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        ",".join(audiences) if audiences else UNSET,
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or []) or NONE,
        age_of(obj, now),
    ]


def _storage_node(obj: Object, now: dt.datetime) -> list[Any]:
    return [name_of(obj), len(obj["spec"].get("drivers") or []), age_of(obj, now)]


def _attachment(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    return [
        name_of(obj),
        spec.get("attacher", ""),
        (spec.get("source") or {}).get("persistentVolumeName", ""),
        spec.get("nodeName", ""),
        bool((obj.get("status") or {}).get("attached")),
        age_of(obj, now),
    ]


MAKERS: dict[str, Maker] = {
    "/persistentvolumeclaims": _claim,
    "/persistentvolumes": _volume,
    "storage.k8s.io/csidrivers": _driver,
    "storage.k8s.io/csinodes": _storage_node,
    "storage.k8s.io/storageclasses": _class,
    "storage.k8s.io/volumeattachments": _attachment,
    "storage.k8s.io/volumeattributesclasses": _attributes,
}
