"""Volumes of pods and where containers mount them."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.environment import (
    VOLUME_FIELDS,
    field_errors,
    resource_field_errors,
)
from fluvial.cluster.builtin.quantities import amount
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors
from fluvial.cluster.objects import Object

__all__ = ["host_path_errors", "mount_errors", "nfs_errors", "volume_errors"]

# In this order the API server looks at the sources of a volume; the first one is the one it means.
_SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs",
    "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs",
    "quobyte", "downwardAPI", "fc", "configMap", "azureFile", "vsphereVolume", "azureDisk",
    "photonPersistentDisk", "portworxVolume", "scaleIO", "projected", "storageos", "csi",
    "ephemeral", "image",
)  # fmt: skip
_HOST_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"
_PROPAGATION = ("Bidirectional", "HostToContainer", "None")


def _source_order(name: str) -> int:
    return _SOURCES.index(name) if name in _SOURCES else len(_SOURCES)


def volume_errors(spec: Object, path: str) -> tuple[list[Cause], set[str]]:
    """Check the volumes of a pod spec; returns the names of the good ones besides.

    Mounts of a volume that is wrong count as mounts of none.
    """
    errors: list[Cause] = []
    seen: set[str] = set()
    good: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or []):
        where, name = f"{path}[{index}]", volume.get("name", "")
        found = _one_source_errors(volume, where, spec)
        if not name:
            found.append(fielderrors.required(f"{where}.name"))
        else:
            bad = dns_label_errors(name)
            found += [fielderrors.invalid(f"{where}.name", name, text) for text in bad]
            if name in seen and not bad:
                found.append(fielderrors.duplicate(f"{where}.name", name))
        if not found:
            seen.add(name)
            good.add(name)
        errors += found
    return errors, good


def _one_source_errors(volume: dict[str, Any], path: str, spec: Object) -> list[Cause]:
    sources = sorted((key for key in volume if key != "name"), key=_source_order)
    if not sources:
        return [fielderrors.required(path, "must specify a volume type")]
    text = "may not specify more than 1 volume type"
    errors = _source_errors(sources[0], volume[sources[0]], f"{path}.{sources[0]}", spec)
    return errors + [fielderrors.forbidden(f"{path}.{key}", text) for key in sources[1:]]


def _source_errors(kind: str, source: dict[str, Any], path: str, spec: Object) -> list[Cause]:
    if kind == "emptyDir":
        limit = source.get("sizeLimit")
        if limit is not None and amount(limit) < 0:
            text = "SizeLimit field must be a valid resource quantity"
            return [fielderrors.forbidden(f"{path}.sizeLimit", text)]
    elif kind == "hostPath":
        return host_path_errors(source, path)
    elif kind == "secret":
        return _named_items_errors(source, path, "secretName")
    elif kind == "configMap":
        return _named_items_errors(source, path, "name")
    elif kind == "persistentVolumeClaim":
        if not source.get("claimName"):
            return [fielderrors.required(f"{path}.claimName")]
    elif kind == "nfs":
        return nfs_errors(source, path)
    elif kind == "csi":
        if not source.get("driver"):
            return [fielderrors.required(f"{path}.driver")]
    elif kind == "downwardAPI":
        errors = _mode_errors(source, path)
        for index, item in enumerate(source.get("items") or []):
            errors += _downward_errors(item, f"{path}.items[{index}]")
        return errors
    elif kind == "projected":
        errors = _mode_errors(source, path)
        for index, item in enumerate(source.get("sources") or []):
            errors += _projection_errors(item, f"{path}.sources[{index}]", spec)
        return errors
    return []


def host_path_errors(source: dict[str, Any], path: str) -> list[Cause]:
    """Check a folder or file of the node."""
    place = source.get("path", "")
    if not place:
        return [fielderrors.required(f"{path}.path")]
    errors = _no_backsteps(place, f"{path}.path")
    kind = source.get("type", "")
    if kind not in _HOST_TYPES:
        errors.append(fielderrors.not_supported(f"{path}.type", kind, _HOST_TYPES))
    return errors


def nfs_errors(source: dict[str, Any], path: str) -> list[Cause]:
    """Check an NFS share."""
    errors = [
        fielderrors.required(f"{path}.{key}") for key in ("server", "path") if not source.get(key)
    ]
    if not source.get("path", "").startswith("/"):
        text = "must be an absolute path"
        errors.append(fielderrors.invalid(f"{path}.path", source.get("path", ""), text))
    return errors


def _named_items_errors(source: dict[str, Any], path: str, name: str) -> list[Cause]:
    errors: list[Cause] = []
    if not source.get(name):
        errors.append(fielderrors.required(f"{path}.{name}"))
    return errors + _mode_errors(source, path) + _item_errors(source, path)


def _item_errors(source: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    for index, item in enumerate(source.get("items") or []):
        where = f"{path}.items[{index}]"
        if not item.get("key"):
            errors.append(fielderrors.required(f"{where}.key"))
        if not item.get("path"):
            errors.append(fielderrors.required(f"{where}.path"))
        errors += _local_path_errors(item.get("path", ""), f"{where}.path")
        errors += _mode_errors(item, where, "mode")
    return errors


def _mode_errors(source: dict[str, Any], path: str, name: str = "defaultMode") -> list[Cause]:
    mode = source.get(name)
    if mode is None or 0 <= mode <= 0o777:
        return []
    return [fielderrors.invalid(f"{path}.{name}", mode, _MODE_TEXT)]


def _downward_errors(item: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    if not item.get("path"):
        errors.append(fielderrors.required(f"{path}.path"))
    errors += _local_path_errors(item.get("path", ""), f"{path}.path")
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        errors += field_errors(field, f"{path}.fieldRef", VOLUME_FIELDS, subscripts=True)
        if resource is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            errors.append(fielderrors.invalid(path, "resource", text))
    elif resource is not None:
        errors += resource_field_errors(resource, f"{path}.resourceFieldRef", volume=True)
    else:
        text = "one of fieldRef and resourceFieldRef is required"
        errors.append(fielderrors.required(f"{path}.fieldRef", text))
    return errors + _mode_errors(item, path, "mode")


def _projection_errors(source: dict[str, Any], path: str, spec: Object) -> list[Cause]:
    given = [
        name
        for name in ("secret", "configMap", "downwardAPI", "serviceAccountToken")
        if source.get(name) is not None
    ]
    errors: list[Cause] = []
    for number, name in enumerate(given):
        where, inner = f"{path}.{name}", source[name]
        if number:
            text = "may not specify more than 1 volume type per source"
            errors.append(fielderrors.forbidden(where, text))
        elif name in ("secret", "configMap"):
            if not inner.get("name"):
                errors.append(fielderrors.required(f"{where}.name"))
            errors += _item_errors(inner, where)
        elif name == "downwardAPI":
            for index, item in enumerate(inner.get("items") or []):
                errors += _downward_errors(item, f"{where}.items[{index}]")
        else:
            errors += _token_errors(inner, where, spec)
    return errors


def _token_errors(token: dict[str, Any], path: str, spec: Object) -> list[Cause]:
    errors: list[Cause] = []
    if not spec.get("serviceAccountName"):
        text = "must not be specified when serviceAccountName is not set"
        errors.append(fielderrors.forbidden(path, text))
    seconds = token.get("expirationSeconds", 3600)
    where = f"{path}.expirationSeconds"
    if seconds < 600:
        text = "may not specify a duration less than 10 minutes"
        errors.append(fielderrors.invalid(where, seconds, text))
    elif seconds > 2**32:
        text = "may not specify a duration larger than 2^32 seconds"
        errors.append(fielderrors.invalid(where, seconds, text))
    if not token.get("path"):
        errors.append(fielderrors.required(f"{path}.path"))
    return errors + _local_path_errors(token.get("path", ""), f"{path}.path")


def _no_backsteps(place: str, path: str) -> list[Cause]:
    if ".." in place.split("/"):
        return [fielderrors.invalid(path, place, "must not contain '..'")]
    return []


def _local_path_errors(place: str, path: str) -> list[Cause]:
    """Check a path that has to stay in its volume."""
    if place.startswith("/"):
        return [fielderrors.invalid(path, place, "must be a relative path")]
    errors = _no_backsteps(place, path)
    if place.startswith("..") and not errors:
        errors.append(fielderrors.invalid(path, place, "must not start with '..'"))
    return errors


def mount_errors(container: dict[str, Any], path: str, volumes: set[str]) -> list[Cause]:
    """Check the mounts of a container against the volumes that there are."""
    errors: list[Cause] = []
    mounted: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        where, name = f"{path}.volumeMounts[{index}]", mount.get("name", "")
        if not name:
            errors.append(fielderrors.required(f"{where}.name"))
        if name not in volumes:
            errors.append(fielderrors.not_found(f"{where}.name", name))
        place = mount.get("mountPath", "")
        if not place:
            errors.append(fielderrors.required(f"{where}.mountPath"))
        if place in mounted:
            errors.append(fielderrors.invalid(f"{where}.mountPath", place, "must be unique"))
        mounted.add(place)
        errors += _mount_path_errors(mount, where)
    return errors


def _mount_path_errors(mount: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    below, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
    if below.startswith("/"):
        errors.append(fielderrors.invalid(f"{path}.subPath", below, "must be a relative path"))
    elif below:
        errors += _no_backsteps(below, f"{path}.subPath")
    if expression:
        if below:
            text = "subPathExpr and subPath are mutually exclusive"
            errors.append(fielderrors.invalid(f"{path}.subPathExpr", expression, text))
        errors += _no_backsteps(expression, f"{path}.subPathExpr")
    propagation = mount.get("mountPropagation")
    if propagation is not None and propagation not in _PROPAGATION:
        where = f"{path}.mountPropagation"
        errors.append(fielderrors.not_supported(where, propagation, _PROPAGATION))
    return errors
