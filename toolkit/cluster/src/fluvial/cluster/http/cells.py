"""The cells of built-in resources' tables, as kubectl prints them (`pkg/printers` upstream).

Each maker fills the columns of one resource. Workloads, networks, storage and the cluster's own
kinds have a module each; this one has the rest and knows them all.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.http import (
    cluster_cells,
    network_cells,
    pod_cells,
    storage_cells,
    workload_cells,
)
from fluvial.cluster.http.cell_texts import NONE, Maker, age_of, name_of
from fluvial.cluster.http.durations import age
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["MAKERS", "fallback", "row_conditions"]

_NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time, which a bookmark's row shows."""
_ROLE = "node-role.kubernetes.io/"


def fallback(obj: Object, now: dt.datetime, columns: list[str]) -> list[Any]:
    """Return the cells of a kind without a maker: its name, and when it was made."""
    known = {
        "Name": name_of(obj),
        "Age": age_of(obj, now),
        "Created At": obj["metadata"].get("creationTimestamp", _NEVER),
    }
    return [known.get(column) for column in columns]


def _configmap(obj: Object, now: dt.datetime) -> list[Any]:
    count = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return [name_of(obj), count, age_of(obj, now)]


def _secret(obj: Object, now: dt.datetime) -> list[Any]:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or {}), age_of(obj, now)]


def _namespace(obj: Object, now: dt.datetime) -> list[Any]:
    return [name_of(obj), (obj.get("status") or {}).get("phase", ""), age_of(obj, now)]


def _binding(obj: Object, now: dt.datetime) -> list[Any]:
    role, subjects = obj.get("roleRef") or {}, obj.get("subjects") or []

    def named(kind: str) -> str:
        return ", ".join(
            f"{item.get('namespace', '')}/{item['name']}" if kind == "ServiceAccount"
            else item["name"]
            for item in subjects
            if item["kind"] == kind
        )  # fmt: skip

    return [
        name_of(obj), f"{role.get('kind', '')}/{role.get('name', '')}", age_of(obj, now),
        named("User"), named("Group"), named("ServiceAccount"),
    ]  # fmt: skip


def _node(obj: Object, now: dt.datetime) -> list[Any]:
    status, meta = obj.get("status") or {}, obj["metadata"]
    ready = [item for item in status.get("conditions") or [] if item["type"] == "Ready"]
    shown = "Unknown" if not ready else "Ready" if ready[-1]["status"] == "True" else "NotReady"
    if obj["spec"].get("unschedulable"):
        shown += ",SchedulingDisabled"
    labels = meta.get("labels") or {}
    roles = {key[len(_ROLE) :] for key in labels if key.startswith(_ROLE)}
    roles = (roles | {labels.get("kubernetes.io/role", "")}) - {""}
    # Of several addresses of a type the first counts.
    addresses = {item["type"]: item["address"] for item in reversed(status.get("addresses") or [])}
    info = status.get("nodeInfo") or {}
    return [
        name_of(obj), shown, ",".join(sorted(roles)) or NONE, age_of(obj, now),
        info.get("kubeletVersion", ""), addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE), info.get("osImage") or "<unknown>",
        info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]  # fmt: skip


def _event(obj: Object, now: dt.datetime) -> list[Any]:
    about, source, series = (obj.get(key) or {} for key in ("involvedObject", "source", "series"))
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = age(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series:
        last, count = age(series.get("lastObservedTime"), now), series.get("count", 0)
    origin = source.get("component") or obj.get("reportingComponent") or ""
    instance = source.get("host") or obj.get("reportingInstance")
    kind, name = about.get("kind", "").lower(), about.get("name")
    return [
        last, obj.get("type", ""), obj.get("reason", ""), f"{kind}/{name}" if name else kind,
        about.get("fieldPath", ""), f"{origin}, {instance}" if instance else origin,
        str(obj.get("message", "")).strip(), first, count, name_of(obj),
    ]  # fmt: skip


def _lease(obj: Object, now: dt.datetime) -> list[Any]:
    holder = (obj.get("spec") or {}).get("holderIdentity", "")
    return [name_of(obj), holder, age_of(obj, now)]


def row_conditions(resource: Resource, obj: Object) -> list[Object]:
    """Return the conditions of a row: pods that have finished."""
    if resource.prefix != "/pods":
        return []
    return pod_cells.row_conditions(obj)


MAKERS: dict[str, Maker] = {
    **cluster_cells.MAKERS,
    **network_cells.MAKERS,
    **storage_cells.MAKERS,
    **workload_cells.MAKERS,
    "events.k8s.io/events": _event,
    "/configmaps": _configmap,
    "/events": _event,
    "/namespaces": _namespace,
    "/nodes": _node,
    "/secrets": _secret,
    "coordination.k8s.io/leases": _lease,
    "rbac.authorization.k8s.io/clusterrolebindings": _binding,
    "rbac.authorization.k8s.io/rolebindings": _binding,
}
