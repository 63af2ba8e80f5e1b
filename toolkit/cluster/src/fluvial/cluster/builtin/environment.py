"""Environment variables of containers and the references that fill them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import config_key_errors, environment_name_errors, label_key_errors

__all__ = ["VOLUME_FIELDS", "environment_errors", "field_errors", "resource_field_errors"]

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
    "metadata.uid",
)  # fmt: skip
"""What a downward API volume may show."""
_CONVERTIBLE = frozenset(
    {*_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase",
     "spec.hostNetwork", "status.nominatedNodeName"}
)  # fmt: skip
_SUBSCRIPT = re.compile(r"(.+)\['(.*)'\]")
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
    "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip


def environment_errors(container: dict[str, Any], path: str) -> list[Cause]:
    """Check `env` and `envFrom` of a container."""
    errors: list[Cause] = []
    for index, entry in enumerate(container.get("env") or []):
        where, name = f"{path}.env[{index}]", entry.get("name", "")
        if not name:
            errors.append(fielderrors.required(f"{where}.name"))
        else:
            errors += [
                fielderrors.invalid(f"{where}.name", name, text)
                for text in environment_name_errors(name)
            ]
        if entry.get("valueFrom") is not None:
            errors += _source_errors(entry, f"{where}.valueFrom")
    for index, entry in enumerate(container.get("envFrom") or []):
        errors += _whole_errors(entry, f"{path}.envFrom[{index}]")
    return errors


def _source_errors(entry: dict[str, Any], path: str) -> list[Cause]:
    source = entry["valueFrom"]
    given = [name for name in _SOURCES if source.get(name) is not None]
    errors: list[Cause] = []
    for name in given:
        where, reference = f"{path}.{name}", source[name]
        if name == "fieldRef":
            errors += field_errors(reference, where, _FIELDS, subscripts=True)
        elif name == "resourceFieldRef":
            errors += resource_field_errors(reference, where, volume=False)
        elif name in ("configMapKeyRef", "secretKeyRef"):
            errors += _key_reference_errors(reference, where)
    if not given:
        text = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
            "`secretKeyRef` or `fileKeyRef`"
        )
        errors.append(fielderrors.invalid(path, "", text))
    elif entry.get("value"):
        text = "may not be specified when `value` is not empty"
        errors.append(fielderrors.invalid(path, "", text))
    elif len(given) > 1:
        text = "may not have more than one field specified at a time"
        errors.append(fielderrors.invalid(path, "", text))
    return errors


def _key_reference_errors(reference: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    if not reference.get("name"):
        errors.append(fielderrors.required(f"{path}.name"))
    key = reference.get("key", "")
    if not key:
        errors.append(fielderrors.required(f"{path}.key"))
    else:
        errors += [fielderrors.invalid(f"{path}.key", key, t) for t in config_key_errors(key)]
    return errors


def _whole_errors(entry: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    prefix = entry.get("prefix", "")
    if prefix:
        errors += [
            fielderrors.invalid(f"{path}.prefix", prefix, text)
            for text in environment_name_errors(prefix)
        ]
    given = [name for name in ("configMapRef", "secretRef") if entry.get(name) is not None]
    errors += [
        fielderrors.required(f"{path}.{name}.name") for name in given if not entry[name].get("name")
    ]
    if not given:
        text = "must specify one of: `configMapRef` or `secretRef`"
        errors.append(fielderrors.invalid(path, "", text))
    elif len(given) > 1:
        text = "may not have more than one field specified at a time"
        errors.append(fielderrors.invalid(path, "", text))
    return errors


def field_errors(
    reference: dict[str, Any], path: str, allowed: Iterable[str], *, subscripts: bool
) -> list[Cause]:
    """Check a reference to a field of the pod; `subscripts` allows one label or annotation."""
    place = reference.get("fieldPath", "")
    where = f"{path}.fieldPath"
    if not place:
        return [fielderrors.required(where)]
    if reference.get("apiVersion") not in ("v1", None):
        text = f"error converting fieldPath: unsupported pod version: {reference['apiVersion']}"
        return [fielderrors.invalid(where, place, text)]
    found = _SUBSCRIPT.fullmatch(place) if subscripts else None
    if found and found[1] in ("metadata.annotations", "metadata.labels"):
        key = found[2].lower() if found[1] == "metadata.annotations" else found[2]
        return [fielderrors.invalid(where, found[2], text) for text in label_key_errors(key)]
    if place not in _CONVERTIBLE:
        text = f"error converting fieldPath: field label not supported: {place}"
        return [fielderrors.invalid(where, place, text)]
    if place not in allowed:
        return [fielderrors.not_supported(where, place, allowed)]
    return []


def resource_field_errors(reference: dict[str, Any], path: str, *, volume: bool) -> list[Cause]:
    """Check a reference to a request or limit; in a volume it must name the container."""
    name = reference.get("resource", "")
    if volume and not reference.get("containerName"):
        return [fielderrors.required(f"{path}.containerName")]
    if not name:
        return [fielderrors.required(f"{path}.resource")]
    if name in _RESOURCES or name.startswith(("limits.hugepages-", "requests.hugepages-")):
        return []
    return [fielderrors.not_supported(f"{path}.resource", name, _RESOURCES)]
