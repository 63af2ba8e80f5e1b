"""Validation of pod specs and pod templates: the mistakes that people make."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.metadata import label_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors
from fluvial.cluster.objects import Object

__all__ = ["pod_spec_errors", "template_errors"]

RESTART = ("Always", "OnFailure", "Never")
PULL = ("Always", "IfNotPresent", "Never")


# In this order the API server looks at the sources of a volume; the first one is the one it means.
_SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs",
    "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs",
    "quobyte", "downwardAPI", "fc", "configMap", "azureFile", "vsphereVolume", "azureDisk",
    "photonPersistentDisk", "portworxVolume", "scaleIO", "projected", "storageos", "csi",
    "ephemeral", "image",
)  # fmt: skip


def _source_order(name: str) -> int:
    return _SOURCES.index(name) if name in _SOURCES else len(_SOURCES)


def _container_errors(container: dict[str, Any], path: str, volumes: set[str]) -> list[Cause]:
    errors: list[Cause] = []
    name = container.get("name", "")
    if not name:
        errors.append(fielderrors.required(f"{path}.name"))
    else:
        errors += [fielderrors.invalid(f"{path}.name", name, t) for t in dns_label_errors(name)]
    if not container.get("image"):
        errors.append(fielderrors.required(f"{path}.image"))
    policy = container.get("imagePullPolicy")
    if policy is not None and policy not in PULL:
        errors.append(fielderrors.not_supported(f"{path}.imagePullPolicy", policy, PULL))
    names: set[str] = set()
    for index, port in enumerate(container.get("ports") or []):
        where = f"{path}.ports[{index}]"
        if port.get("name"):
            if port["name"] in names:
                errors.append(fielderrors.duplicate(f"{where}.name", port["name"]))
            names.add(port["name"])
        number = port.get("containerPort", 0)
        if number == 0:
            errors.append(fielderrors.required(f"{where}.containerPort"))
        elif not 0 < number < 65536:
            text = "must be between 1 and 65535, inclusive"
            errors.append(fielderrors.invalid(f"{where}.containerPort", number, text))
        if port.get("protocol") not in ("TCP", "UDP", "SCTP"):
            errors.append(
                fielderrors.not_supported(
                    f"{where}.protocol", port.get("protocol", ""), ("TCP", "UDP", "SCTP")
                )
            )
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None and not {"exec", "httpGet", "tcpSocket", "grpc"} & set(probe):
            errors.append(fielderrors.required(f"{path}.{name}", "must specify a handler type"))
    for index, entry in enumerate(container.get("env") or []):
        where = f"{path}.env[{index}]"
        if not entry.get("name"):
            errors.append(fielderrors.required(f"{where}.name"))
        if entry.get("value") and entry.get("valueFrom"):
            text = "may not be specified when `value` is not empty"
            errors.append(fielderrors.invalid(f"{where}.valueFrom", "", text))
    mounted: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        where = f"{path}.volumeMounts[{index}]"
        if not mount.get("name"):
            errors.append(fielderrors.required(f"{where}.name"))
        elif mount["name"] not in volumes:
            errors.append(
                {
                    "reason": "FieldValueNotFound",
                    "message": f"Not found: {fielderrors.quote(mount['name'])}",
                    "field": f"{where}.name",
                }
            )
        place = mount.get("mountPath", "")
        if not place:
            errors.append(fielderrors.required(f"{where}.mountPath"))
        elif place in mounted:
            errors.append(fielderrors.invalid(f"{where}.mountPath", place, "must be unique"))
        mounted.add(place)
    return errors


def pod_spec_errors(spec: Object, path: str) -> list[Cause]:
    """Check a defaulted pod spec."""
    errors: list[Cause] = []
    volumes: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or []):
        where, name = f"{path}.volumes[{index}]", volume.get("name", "")
        before = len(errors)
        if not name:
            errors.append(fielderrors.required(f"{where}.name"))
            continue
        errors += [fielderrors.invalid(f"{where}.name", name, t) for t in dns_label_errors(name)]
        if name in volumes:
            errors.append(fielderrors.duplicate(f"{where}.name", name))
        sources = sorted((key for key in volume if key != "name"), key=_source_order)
        errors += [
            fielderrors.forbidden(f"{where}.{key}", "may not specify more than 1 volume type")
            for key in sources[1:]
        ]
        if len(errors) == before:
            volumes.add(name)  # mounts of a volume that is wrong count as mounts of none
    containers = spec.get("containers") or []
    if not containers:
        errors.append(fielderrors.required(f"{path}.containers"))
    seen: set[str] = set()
    for key, items in (("containers", containers), ("initContainers", spec.get("initContainers"))):
        for index, container in enumerate(items or []):
            where = f"{path}.{key}[{index}]"
            errors += _container_errors(container, where, volumes)
            name = container.get("name", "")
            if name and name in seen:
                errors.append(fielderrors.duplicate(f"{where}.name", name))
            seen.add(name)
    if spec.get("restartPolicy") not in RESTART:
        errors.append(
            fielderrors.not_supported(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART)
        )
    return errors


def template_errors(template: Object, path: str, *, restart: tuple[str, ...]) -> list[Cause]:
    """Check a pod template; `restart` are the restart policies that the kind allows."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    errors = label_errors(meta.get("labels"), f"{path}.metadata.labels")
    errors += pod_spec_errors(spec, f"{path}.spec")
    policy = spec.get("restartPolicy")
    if policy in RESTART and policy not in restart:
        errors.append(fielderrors.not_supported(f"{path}.spec.restartPolicy", policy, restart))
    return errors
