"""Decoding of built-in kinds as the API server's Go structs do it.

Unknown fields are dropped and reported, a value of a wrong type is an error, and what a Go
struct leaves out when it is written again (nulls, empty maps and lists, zero values of fields that
are no pointers) is left out here too.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from fluvial.cluster.fields import Schema, canonical_quantity
from fluvial.cluster.fields.values import copied
from fluvial.cluster.gotimes import canonical_time
from fluvial.cluster.objects import Object

__all__ = ["TypeMismatchError", "check_metadata", "decode", "json_type"]

_POINTER_STRINGS = frozenset(
    {
        "storageClassName", "ingressClassName", "volumeName", "hostname", "podSelector",
        "appProtocol", "resourceClaimName", "runtimeClassName", "preemptionPolicy", "pathType",
        "volumeAttributesClassName", "holderIdentity", "messageExpression", "controllerName",
    }
) - {"volumeName", "hostname", "podSelector", "controllerName"}  # fmt: skip

_COUNTS = frozenset({"replicas", "readyReplicas", "availableReplicas", "updatedReplicas"})

_ZERO_OMITTED: dict[str, frozenset[str]] = {
    "core.v1.PodSpec": frozenset({"hostNetwork", "hostPID", "hostIPC"}),
    "core.v1.Container": frozenset({"stdin", "stdinOnce", "tty"}),
    "core.v1.VolumeMount": frozenset({"readOnly"}),
    "core.v1.Probe": frozenset(
        {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
         "failureThreshold"}
    ),
    "core.v1.ContainerPort": frozenset({"hostPort"}),
    "core.v1.ServicePort": frozenset({"nodePort"}),
    "core.v1.ServiceSpec": frozenset({"publishNotReadyAddresses", "healthCheckNodePort"}),
    "core.v1.Event": frozenset({"count"}),
    "core.v1.PersistentVolumeClaimVolumeSource": frozenset({"readOnly"}),
    "apps.v1.DeploymentSpec": frozenset({"minReadySeconds", "paused"}),
    "apps.v1.ReplicaSetSpec": frozenset({"minReadySeconds"}),
    "apps.v1.StatefulSetSpec": frozenset({"minReadySeconds"}),
    "apps.v1.DaemonSetSpec": frozenset({"minReadySeconds"}),
    "apps.v1.DeploymentStatus": _COUNTS | {"unavailableReplicas", "observedGeneration"},
    "apps.v1.ReplicaSetStatus": (_COUNTS - {"replicas"})
    | {"fullyLabeledReplicas", "observedGeneration"},
    "apps.v1.StatefulSetStatus": frozenset(
        {"readyReplicas", "currentReplicas", "updatedReplicas", "observedGeneration"}
    ),
    "apps.v1.DaemonSetStatus": frozenset(
        {"updatedNumberScheduled", "numberAvailable", "numberUnavailable", "observedGeneration"}
    ),
    "batch.v1.JobStatus": frozenset({"active", "succeeded", "failed"}),
    "meta.v1.ObjectMeta": frozenset({"generation"}),
    "meta.v1.Condition": frozenset({"observedGeneration"}),
    "apiextensions.v1.CustomResourceColumnDefinition": frozenset({"priority"}),
    "apiextensions.v1.CustomResourceDefinitionSpec": frozenset({"preserveUnknownFields"}),
    "apiextensions.v1.CustomResourceDefinitionVersion": frozenset({"deprecated"}),
    "apiextensions.v1.CustomResourceDefinitionCondition": frozenset({"observedGeneration"}),
    "apiextensions.v1.CustomResourceDefinitionStatus": frozenset({"observedGeneration"}),
    "apiextensions.v1.JSONSchemaProps": frozenset(
        {"nullable", "uniqueItems", "exclusiveMaximum", "exclusiveMinimum",
         "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"}
    ),
    "apiregistration.v1.APIServiceSpec": frozenset({"insecureSkipTLSVerify"}),
    "authentication.v1.TokenReviewStatus": frozenset({"authenticated"}),
    "authorization.v1.SubjectAccessReviewStatus": frozenset({"denied"}),
    "autoscaling.v1.ScaleSpec": frozenset({"replicas"}),
    "autoscaling.v2.HorizontalPodAutoscalerStatus": frozenset({"currentReplicas"}),
    "events.v1.Event": frozenset({"deprecatedCount"}),
    "networking.v1.ServiceBackendPort": frozenset({"number"}),
    "policy.v1.PodDisruptionBudgetStatus": frozenset({"observedGeneration"}),
    "scheduling.v1.PriorityClass": frozenset({"globalDefault"}),
    "core.v1.EphemeralContainer": frozenset({"stdin", "stdinOnce", "tty"}),
    "core.v1.ContainerImage": frozenset({"sizeBytes"}),
    "core.v1.ContainerStateTerminated": frozenset({"signal"}),
    "core.v1.EventSeries": frozenset({"count"}),
    "core.v1.NodeSpec": frozenset({"unschedulable"}),
    "core.v1.PodCondition": frozenset({"observedGeneration"}),
    "core.v1.PodStatus": frozenset({"observedGeneration"}),
    "core.v1.ReplicationControllerSpec": frozenset({"minReadySeconds"}),
    "core.v1.ReplicationControllerStatus": (_COUNTS - {"replicas"})
    | {"fullyLabeledReplicas", "observedGeneration"},
    "core.v1.VolumeMountStatus": frozenset({"readOnly"}),
    "core.v1.AWSElasticBlockStoreVolumeSource": frozenset({"partition", "readOnly"}),
    "core.v1.GCEPersistentDiskVolumeSource": frozenset({"partition", "readOnly"}),
    **dict.fromkeys(
        (f"core.v1.{name}VolumeSource" for name in (
            "AzureFile", "AzureFilePersistent", "CephFS", "CephFSPersistent", "Cinder",
            "CinderPersistent", "CSIPersistent", "FC", "Flex", "FlexPersistent", "Glusterfs", "NFS",
            "Portworx", "Quobyte", "RBD", "RBDPersistent", "StorageOS", "StorageOSPersistent",
        )),
        frozenset({"readOnly"}),
    ),
    **dict.fromkeys(
        ("core.v1.ISCSIVolumeSource", "core.v1.ISCSIPersistentVolumeSource"),
        frozenset({"chapAuthDiscovery", "chapAuthSession", "readOnly"}),
    ),
    **dict.fromkeys(
        ("core.v1.ScaleIOVolumeSource", "core.v1.ScaleIOPersistentVolumeSource"),
        frozenset({"readOnly", "sslEnabled"}),
    ),
}  # fmt: skip
"""Numbers and booleans that are no pointers in Go: their zero is not written."""

_ALWAYS_WRITTEN: dict[str, tuple[str, ...]] = {
    "apps.v1.DeploymentCondition": ("lastUpdateTime", "lastTransitionTime"),
    "apps.v1.ReplicaSetCondition": ("lastTransitionTime",),
    "apps.v1.StatefulSetCondition": ("lastTransitionTime",),
    "apps.v1.DaemonSetCondition": ("lastTransitionTime",),
    "batch.v1.JobCondition": ("lastProbeTime", "lastTransitionTime"),
    "core.v1.PodCondition": ("lastProbeTime", "lastTransitionTime"),
    "core.v1.NodeCondition": ("lastHeartbeatTime", "lastTransitionTime"),
    "core.v1.NamespaceCondition": ("lastTransitionTime",),
    "core.v1.PersistentVolumeClaimCondition": ("lastProbeTime", "lastTransitionTime"),
    "core.v1.ReplicationControllerCondition": ("lastTransitionTime",),
    "autoscaling.v2.HorizontalPodAutoscalerCondition": ("lastTransitionTime",),
    "certificates.v1.CertificateSigningRequestCondition": ("lastUpdateTime", "lastTransitionTime"),
    "apiregistration.v1.APIServiceCondition": ("lastTransitionTime",),
    "apiextensions.v1.CustomResourceDefinitionCondition": ("lastTransitionTime",),
    "meta.v1.Condition": ("lastTransitionTime",),
    "core.v1.ContainerStateRunning": ("startedAt",),
    "core.v1.ContainerStateTerminated": ("startedAt", "finishedAt"),
    "core.v1.EventSeries": ("lastObservedTime",),
    "storage.v1.VolumeError": ("time",),
}
"""Times that are no pointers in Go: they are written as null when they are not set."""

_CHECKED_TEXTS = frozenset({"byte", "int-or-string", "quantity", "time"})
"""The types of text that not every text is."""

_GO_TYPES = {"boolean": "bool", "string": "string", "int32": "int32", "int64": "int64"}


class TypeMismatchError(ValueError):
    """A value does not fit its Go type; the message is the JSON decoder's."""


def decode(schema: Schema, obj: Object) -> list[str]:
    """Bring `obj` into the shape in which the kind is stored; returns unknown fields' paths."""
    unknown: list[str] = []
    _struct(schema, obj, "", unknown)
    return unknown


def check_metadata(schema: Schema, metadata: Any) -> None:
    """Raise `TypeMismatchError` for what is no metadata; that of custom resources is not changed.

    It is decoded by itself, so places in messages begin with it.
    """
    if not isinstance(metadata, dict):
        raise TypeMismatchError(
            f"json: cannot unmarshal {json_type(metadata)} into Go value of type v1.ObjectMeta"
        )
    decode(schema, copied(metadata))


def _struct(schema: Schema, value: dict[str, Any], path: str, unknown: list[str]) -> None:
    omitted = _ZERO_OMITTED.get(schema.detail, frozenset())
    for name in list(value):
        child = schema.fields.get(name)
        where = f"{path}.{name}" if path else name
        if child is None:
            del value[name]
            unknown.append(where)
            continue
        item = _value(child, value[name], where, unknown, schema)
        if _is_left_out(name, item, child, omitted):
            del value[name]
        else:
            value[name] = item
    for name in _ALWAYS_WRITTEN.get(schema.detail, ()):
        value.setdefault(name, None)


def _is_left_out(name: str, item: Any, child: Schema, omitted: frozenset[str]) -> bool:
    if item is None:
        return True
    if child.list_type and child.map_type:
        return False  # any JSON, such as a default in a schema: {} says something there
    if item in ("", [], 0) and not isinstance(item, dict):
        if item == "":
            return not child.required and name not in _POINTER_STRINGS
        if isinstance(item, list):
            return not child.required
        return name in omitted
    return item == {} and bool(child.values is not None and not child.fields) and not child.required


def _value(child: Schema, item: Any, path: str, unknown: list[str], parent: Schema) -> Any:
    if item is None:
        return None
    if child.list_type and child.map_type:
        return item
    if child.list_type:
        if not isinstance(item, list):
            raise _mismatch(item, parent, path, f"[]{_go_type(child.items)}")
        assert child.items is not None
        zero = _zero_item(child.items)
        return [
            _value(child.items, copied(zero) if entry is None else entry, f"{path}[{index}]",
                   unknown, parent)
            for index, entry in enumerate(item)
        ]  # fmt: skip
    if child.map_type and child.fields:
        if not isinstance(item, dict):
            raise _mismatch(item, parent, path, _go_type(child))
        _struct(child, item, path, unknown)
        return item
    if child.map_type and child.values is not None:
        if not isinstance(item, dict):
            raise _mismatch(item, parent, path, f"map[string]{_go_type(child.values)}")
        result = {}
        plain = child.values.scalar == "string" and child.values.detail not in _CHECKED_TEXTS
        for key, entry in item.items():
            if plain and entry.__class__ is str:
                result[key] = entry
                continue
            place = path if child.values.scalar else f"{path}.{key}"  # as Go names it
            given = {} if entry is None and child.values.fields else entry
            inner = _value(child.values, given, place, unknown, parent)
            result[key] = "" if inner is None and child.values.scalar == "string" else inner
        return result
    return _scalar(child, item, path, parent)


_MICRO = frozenset({"acquireTime", "renewTime", "eventTime", "lastObservedTime"})
"""Times of Lease and Event that are kept to the microsecond; no other kind has these names."""


def _time(item: Any, path: str) -> str:
    """Return a time as it is written; raises `TypeMismatchError` for what is none."""
    if not isinstance(item, str):
        raise TypeMismatchError(
            f"json: cannot unmarshal {json_type(item)} into Go value of type string"
        )
    try:
        return canonical_time(item, micro=path.rpartition(".")[2] in _MICRO)
    except ValueError as error:
        raise TypeMismatchError(str(error)) from None


def _int_or_string(item: Any) -> Any:
    if isinstance(item, str) or type(item) is int:
        return item
    shown = f"number {item}" if isinstance(item, float) else json_type(item)
    raise TypeMismatchError(f"json: cannot unmarshal {shown} into Go value of type int32")


def _zero_item(items: Schema) -> Any:
    """Return what a null in a list is read as: a struct, a text or a number without anything."""
    if items.fields:
        return {}
    if items.detail in ("time", "quantity", "int-or-string") or not items.scalar:
        return None
    return {"string": "", "boolean": False, "numeric": 0}.get(items.scalar)


def _scalar(child: Schema, item: Any, path: str, parent: Schema) -> Any:
    detail = child.detail
    if detail == "time":
        return _time(item, path)
    if detail == "int-or-string":
        return _int_or_string(item)
    if detail == "quantity" and isinstance(item, str | int | float) and not isinstance(item, bool):
        return canonical_quantity(str(item))
    if child.scalar == "string" and not isinstance(item, str):
        raise _mismatch(item, parent, path, "string")
    if detail == "byte":
        _check_base64(item)
    if child.scalar == "boolean" and not isinstance(item, bool):
        raise _mismatch(item, parent, path, "bool")
    if child.scalar == "numeric":
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise _mismatch(item, parent, path, _go_type(child))
        if detail in ("int32", "int64") and isinstance(item, float):
            if item != int(item):
                raise _mismatch(item, parent, path, _go_type(child))
            return int(item)
        if detail == "int32" and not -(2**31) <= item < 2**31:
            raise _mismatch(item, parent, path, "int32")
    return item


def _check_base64(text: str) -> None:
    """Refuse text that is no base64, with the position at which Go's decoder gives up."""
    clean = text.replace("\n", "").replace("\r", "")
    try:
        base64.b64decode(clean, validate=True)
    except binascii.Error:
        valid = re.match(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{0,3})", clean)
        place = valid.end() if valid else 0
        if place == len(clean):
            place = max(len(clean) // 4 * 4, 0)
        text = f"illegal base64 data at input byte {place}"
        raise TypeMismatchError(text) from None


def _go_type(schema: Schema | None) -> str:
    if schema is None:
        return "interface {}"
    if schema.detail in _GO_TYPES:
        return _GO_TYPES[schema.detail]
    if schema.list_type and not schema.map_type:
        return f"[]{_go_type(schema.items)}"
    if schema.map_type and schema.values is not None and not schema.fields:
        return f"map[string]{_go_type(schema.values)}"
    return ".".join(schema.detail.split(".")[-2:]) or "string"


def json_type(item: Any) -> str:
    """Name the type of a JSON value as Go's decoder does."""
    if isinstance(item, dict | list):
        return "object" if isinstance(item, dict) else "array"
    if isinstance(item, bool):
        return "bool"
    return "string" if isinstance(item, str) else "number"


def _mismatch(item: Any, parent: Schema, path: str, expected: str) -> TypeMismatchError:
    shown = json_type(item)
    if shown == "number" and expected in ("int32", "int64"):
        shown = f"number {item}"
    struct = parent.detail.rpartition(".")[2] or parent.kind

    field = re.sub(r"\[\d+\]", "", path)
    return TypeMismatchError(
        f"json: cannot unmarshal {shown} into Go struct field {struct}.{field} of type {expected}"
    )
