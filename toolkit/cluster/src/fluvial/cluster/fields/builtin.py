"""Schemas of the built-in kinds, from a table that a script extracted.

`builtin.json` is made by `tools/extract_builtin_schema.py` and has

- `kinds`: `group/version/Kind` to the name of its type;
- `types`: name to `{"f": fields, "a": 1 where replaced as a whole}`.

A field is the code of its type (`s` string, `y` base64, `b` boolean, `i` and `i32` integers, `n`
number, `q` quantity, `x` int-or-string, `t` time, `*` any JSON, else the name of a type) or an
object with `t` (such a code), `l` (a list of it) or `m` (a map of it), and what applies of `k` (the
keys of a keyed list; empty for a set), `a` (atomic map), `s` and `p` (patch strategy and merge
key), `r` (required).
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import msgspec

from fluvial.cluster.fields.schema import Schema, atomic, leaf

__all__ = ["builtin_kinds", "schema_for_builtin"]

_LEAVES: dict[str, Schema] = {
    "s": leaf("string", "string"),
    "y": leaf("string", "byte"),
    "b": leaf("boolean", "boolean"),
    "i": leaf("numeric", "int64"),
    "i32": leaf("numeric", "int32"),
    "n": leaf("numeric", "double"),
    "q": leaf("untyped", "quantity"),
    "x": leaf("untyped", "int-or-string"),
    "t": leaf("untyped", "time"),
}

# Structs that stand in their parent by value: an object of the kind that is all empty still has
# them, so creating an object does not set them. Metadata is one in every kind.
_BY_VALUE = {
    "Deployment": ("spec.strategy", "spec.template.metadata", "spec.template.spec", "status"),
    "ReplicaSet": ("spec.template.metadata", "spec.template.spec", "status"),
    "StatefulSet": ("spec.updateStrategy", "spec.template.metadata", "spec.template.spec",
                    "status"),
    "DaemonSet": ("spec.updateStrategy", "spec.template.metadata", "spec.template.spec",
                  "status"),
    "Job": ("spec.template.metadata", "spec.template.spec", "status"),
    "CronJob": ("spec.jobTemplate.metadata", "spec.jobTemplate.spec.template.metadata",
                "spec.jobTemplate.spec.template.spec", "status"),
    "PodTemplate": ("template.metadata", "template.spec"),
    "Service": ("spec", "status.loadBalancer"),
    "Ingress": ("spec", "status.loadBalancer"),
    "HorizontalPodAutoscaler": ("spec.scaleTargetRef", "status"),
    "PersistentVolumeClaim": ("spec.resources", "status"),
    "NetworkPolicy": ("spec.podSelector",),
    "ClusterRoleBinding": ("roleRef",),
    "RoleBinding": ("roleRef",),
    "CustomResourceDefinition": ("spec.names", "status.acceptedNames"),
    "Event": ("involvedObject", "source", "regarding", "deprecatedSource"),
    "Node": ("spec", "status.nodeInfo", "status.daemonEndpoints.kubeletEndpoint"),
    "Binding": ("target",),
    "VolumeAttachment": ("spec.source", "status"),
    "FlowSchema": ("spec.priorityLevelConfiguration", "status"),
    "ConfigMap": (), "Secret": (), "ServiceAccount": (), "Endpoints": (), "EndpointSlice": (),
    "Role": (), "ClusterRole": (), "StorageClass": (), "PriorityClass": (), "RuntimeClass": (),
    "ControllerRevision": (), "IngressClass": ("spec",), "Lease": ("spec",),
    "LimitRange": ("spec",),
    "ValidatingWebhookConfiguration": (), "MutatingWebhookConfiguration": (),
    "PodDisruptionBudget": ("spec", "status"),
}  # fmt: skip

# Kinds whose strategy does not take status out of what is applied to the main resource.
_MAIN_KEEPS_STATUS = frozenset({"Event"})


@cache
def _table() -> dict[str, Any]:
    raw = resources.files(__package__).joinpath("builtin.json").read_bytes()
    table: dict[str, Any] = msgspec.json.decode(raw)
    return table


def builtin_kinds() -> frozenset[tuple[str, str, str]]:
    """Return (group, version, kind) of everything that the table holds."""
    return frozenset(
        (group, version, kind)
        for group, version, kind in (name.split("/") for name in _table()["kinds"])
    )


@cache
def schema_for_builtin(group: str, version: str, kind: str) -> Schema:
    """Return the schema of a built-in kind; raises KeyError for one that the table lacks."""
    node = _type(_table()["kinds"][f"{group}/{version}/{kind}"])
    return node.with_metadata(
        kind=kind,
        api_version=f"{group}/{version}" if group else version,
        zero=_zero(kind, node),
        reset=_reset(kind, node),
        builtin=True,
    )


@cache
def _type(name: str) -> Schema:
    entry = _table()["types"][name]
    node = Schema(map_type="atomic" if entry.get("a") else "granular", detail=name)
    _pending[name] = node
    for field_name, form in entry["f"].items():
        node.fields[field_name] = _field(form)
    del _pending[name]
    return node


_pending: dict[str, Schema] = {}  # types under construction: JSONSchemaProps holds itself


def _code(code: str) -> Schema:
    if code in _LEAVES:
        return _LEAVES[code]
    if code == "*":
        return atomic()
    return _pending[code] if code in _pending else _type(code)


def _field(form: Any) -> Schema:
    if isinstance(form, str):
        return _code(form)
    if "l" in form:
        node = _list(form)
    elif "m" in form:
        node = Schema(map_type="atomic" if form.get("a") else "granular", values=_field(form["m"]))
    else:
        node = _code(form["t"])
        if form.get("a"):
            node = node.with_metadata(map_type="atomic")
    changes: dict[str, Any] = {}
    if "s" in form:
        changes["patch_strategy"] = frozenset(form["s"].split(","))
    if "p" in form:
        changes["merge_key"] = form["p"]
    if form.get("r"):
        changes["required"] = True
    return node.with_metadata(**changes) if changes else node


def _list(form: dict[str, Any]) -> Schema:
    items = _field(form["l"])
    keys = tuple(form.get("k", ()))
    if "k" not in form:
        return Schema(list_type="atomic", items=items)
    if not keys:
        return Schema(list_type="set", items=items)
    defaults: dict[str, Any] = {}
    for key in keys:
        node = items.fields[key]
        if key == "protocol":
            defaults[key] = "TCP"
        elif node.required or items.detail == "core.v1.LocalObjectReference":
            # A field that Go always writes has its zero value as default.
            defaults[key] = {"string": "", "numeric": 0, "boolean": False}.get(node.scalar or "")
    return Schema(list_type="map", items=items, keys=keys, key_defaults=defaults)


def _zero(kind: str, node: Schema) -> dict[str, Any]:
    """Return the object that Go's zero value of the kind serialises to."""
    zero: dict[str, Any] = {"metadata": {}}
    by_value = _BY_VALUE.get(kind, tuple(n for n in ("spec", "status") if n in node.fields))
    for path in by_value:
        if path.partition(".")[0] not in node.fields:
            continue  # the two versions of Event name these differently
        place, schema = zero, node
        for name in path.split("."):
            place, schema = place.setdefault(name, {}), schema.fields[name]
            for required, child in schema.fields.items():
                if child.required and child.list_type:
                    place.setdefault(required, None)  # Go writes a list that it must as null
    return zero


def _reset(kind: str, node: Schema) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the fields that a write to main resource or status never sets."""
    if "status" not in node.fields or kind in _MAIN_KEEPS_STATUS:
        return {}
    status: list[tuple[str, ...]] = [("f:spec",)]
    if kind == "Deployment":
        status.append(("f:metadata", "f:labels"))
    return {"": (("f:status",),), "status": tuple(status)}
