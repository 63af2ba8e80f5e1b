"""The cells of built-in resources' tables, as kubectl prints them."""

# ruff: noqa: ARG001 - the makers share one signature
from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec

from fluvial.cluster.http import autoscaler_cells, cluster_cells, pod_cells
from fluvial.cluster.http.cluster_cells import access_modes, labels_text, template_images
from fluvial.cluster.http.durations import age, human
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["MAKERS", "age", "row_conditions", "text"]

Maker = Callable[[Object, dt.datetime], list[Any]]
NONE = "<none>"


def text(value: Any) -> str:
    """Print one value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return msgspec.json.encode(value).decode()


def _age(obj: Object, now: dt.datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _selector(selector: Object | None) -> str:
    if not selector:
        return NONE
    parts = [f"{k}={v}" for k, v in sorted((selector.get("matchLabels") or {}).items())]
    for term in selector.get("matchExpressions") or []:
        values = ",".join(sorted(term.get("values") or []))
        parts.append({
            "In": f"{term['key']} in ({values})",
            "NotIn": f"{term['key']} notin ({values})",
            "Exists": term["key"],
            "DoesNotExist": f"!{term['key']}",
        }[term["operator"]])  # fmt: skip
    return ",".join(parts) or NONE


def _configmap(obj: Object, now: dt.datetime) -> list[Any]:
    count = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return [obj["metadata"]["name"], count, _age(obj, now)]


def _secret(obj: Object, now: dt.datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("type"), len(obj.get("data") or {}), _age(obj, now)]


def _deployment(obj: Object, now: dt.datetime) -> list[Any]:
    status, names = obj.get("status") or {}, template_images(obj["spec"]["template"])
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [
        obj["metadata"]["name"], ready, status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0), _age(obj, now), *names,
        _selector(obj["spec"].get("selector")),
    ]  # fmt: skip


def _replicaset(obj: Object, now: dt.datetime) -> list[Any]:
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"], obj["spec"].get("replicas", 0), status.get("replicas", 0),
        status.get("readyReplicas", 0), _age(obj, now), *template_images(obj["spec"]["template"]),
        _selector(obj["spec"].get("selector")),
    ]  # fmt: skip


def _statefulset(obj: Object, now: dt.datetime) -> list[Any]:
    status = obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [
        obj["metadata"]["name"],
        ready,
        _age(obj, now),
        *template_images(obj["spec"]["template"]),
    ]


def _daemonset(obj: Object, now: dt.datetime) -> list[Any]:
    status = obj.get("status") or {}
    counts = [
        status.get(key, 0)
        for key in ("desiredNumberScheduled", "currentNumberScheduled", "numberReady",
                    "updatedNumberScheduled", "numberAvailable")
    ]  # fmt: skip
    nodes = labels_text(obj["spec"]["template"]["spec"].get("nodeSelector"))
    return [
        obj["metadata"]["name"], *counts, nodes, _age(obj, now),
        *template_images(obj["spec"]["template"]), _selector(obj["spec"].get("selector")),
    ]  # fmt: skip


def _job_status(obj: Object) -> str:
    status = obj.get("status") or {}
    for item in status.get("conditions") or []:
        if item.get("status") == "True" and item["type"] in ("Complete", "Failed", "Suspended"):
            return str(item["type"])
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return "Running"


def _job(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    done = status.get("succeeded", 0)
    completions, parallelism = spec.get("completions"), spec.get("parallelism", 0)
    if completions is not None:
        shown = f"{done}/{completions}"
    else:
        shown = f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"
    duration = ""
    if status.get("startTime"):
        start = dt.datetime.fromisoformat(status["startTime"])
        end = status.get("completionTime")
        duration = human((dt.datetime.fromisoformat(end) if end else now) - start)
    return [
        obj["metadata"]["name"], _job_status(obj), shown, duration, _age(obj, now),
        *template_images(obj["spec"]["template"]), _selector(spec.get("selector")),
    ]  # fmt: skip


def _service(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    ports = ",".join(
        f"{item['port']}:{item['nodePort']}/{item['protocol']}"
        if item.get("nodePort")
        else f"{item['port']}/{item['protocol']}"
        for item in spec.get("ports") or []
    )
    kind, external = spec.get("type", ""), ",".join(spec.get("externalIPs") or [])
    if kind == "ExternalName":
        external = external or spec.get("externalName", "")
    elif kind == "LoadBalancer":
        given = (obj.get("status") or {}).get("loadBalancer", {}).get("ingress") or []
        shown = [item.get("ip") or item.get("hostname", "") for item in given]
        external = ",".join([*filter(None, [external]), *shown]) or "<pending>"
    return [
        obj["metadata"]["name"], kind, spec.get("clusterIP") or NONE, external or NONE,
        ports or NONE, _age(obj, now), labels_text(spec.get("selector")),
    ]  # fmt: skip


def _namespace(obj: Object, now: dt.datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj["status"].get("phase", ""), _age(obj, now)]


def _account(obj: Object, now: dt.datetime) -> list[Any]:
    return [obj["metadata"]["name"], _age(obj, now)]


def _definition(obj: Object, now: dt.datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


def _role(obj: Object, now: dt.datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


def _binding(obj: Object, now: dt.datetime) -> list[Any]:
    role, subjects = obj["roleRef"], obj.get("subjects") or []

    def named(kind: str) -> str:
        return ", ".join(
            f"{item.get('namespace', '')}/{item['name']}" if kind == "ServiceAccount"
            else item["name"]
            for item in subjects
            if item["kind"] == kind
        )  # fmt: skip

    return [
        obj["metadata"]["name"], f"{role['kind']}/{role['name']}", _age(obj, now), named("User"),
        named("Group"), named("ServiceAccount"),
    ]  # fmt: skip


def _ingress(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
    given = (obj.get("status") or {}).get("loadBalancer", {}).get("ingress") or []
    address = ",".join(item.get("ip") or item.get("hostname", "") for item in given)
    return [
        obj["metadata"]["name"], spec.get("ingressClassName") or NONE, ",".join(hosts) or "*",
        address, "80, 443" if spec.get("tls") else "80", _age(obj, now),
    ]  # fmt: skip


def _node(obj: Object, now: dt.datetime) -> list[Any]:
    status, meta = obj.get("status") or {}, obj["metadata"]
    ready = next((item for item in status.get("conditions") or [] if item["type"] == "Ready"), None)
    shown = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    if obj["spec"].get("unschedulable"):
        shown += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(
        sorted(key[len(prefix) :] for key in meta.get("labels") or {} if key.startswith(prefix))
    )
    addresses = {item["type"]: item["address"] for item in status.get("addresses") or []}
    info = status.get("nodeInfo") or {}
    return [
        meta["name"], shown, roles or NONE, _age(obj, now), info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE), addresses.get("ExternalIP", NONE),
        info.get("osImage") or "<unknown>", info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]  # fmt: skip


def _event(obj: Object, now: dt.datetime) -> list[Any]:
    about, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    last = obj.get("lastTimestamp") or obj.get("eventTime")
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    origin = source.get("component") or obj.get("reportingComponent") or ""
    if source.get("host"):
        origin += f", {source['host']}"
    return [
        age(last, now), obj.get("type", ""), obj.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}", about.get("fieldPath", ""),
        origin, str(obj.get("message", "")).strip(), age(first, now), obj.get("count") or 1,
        obj["metadata"]["name"],
    ]  # fmt: skip


def _endpoints(obj: Object, now: dt.datetime) -> list[Any]:
    shown = []
    for subset in obj.get("subsets") or []:
        for port in subset.get("ports") or [{}]:
            shown += [
                f"{item['ip']}:{port['port']}" if port else item["ip"]
                for item in subset.get("addresses") or []
            ]
    text_ = ",".join(shown[:3]) + (f" + {len(shown) - 3} more..." if len(shown) > 3 else "")
    return [obj["metadata"]["name"], text_ or NONE, _age(obj, now)]


def _slice(obj: Object, now: dt.datetime) -> list[Any]:
    ports = ",".join(str(item.get("port", "*")) for item in obj.get("ports") or [])
    places = [a for item in obj.get("endpoints") or [] for a in item.get("addresses") or []]
    shown = ",".join(places[:3]) + (f" + {len(places) - 3} more..." if len(places) > 3 else "")
    return [
        obj["metadata"]["name"], obj.get("addressType", ""), ports or "<unset>",
        shown or "<unset>", _age(obj, now),
    ]  # fmt: skip


def _claim(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    modes = access_modes(status.get("accessModes"))
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        obj["metadata"]["name"], phase, spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", ""), modes,
        spec.get("storageClassName", ""), spec.get("volumeAttributesClassName") or "<unset>",
        _age(obj, now), spec.get("volumeMode") or "<unset>",
    ]  # fmt: skip


def _cronjob(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    last = status.get("lastScheduleTime")
    return [
        obj["metadata"]["name"], spec.get("schedule", ""), spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))), len(status.get("active") or []),
        age(last, now) if last else NONE, _age(obj, now),
        *template_images(spec["jobTemplate"]["spec"]["template"]),
        NONE,
    ]  # fmt: skip


def _lease(obj: Object, now: dt.datetime) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity", ""),
            _age(obj, now)]  # fmt: skip


def _policy(obj: Object, now: dt.datetime) -> list[Any]:
    return [obj["metadata"]["name"], _selector(obj["spec"].get("podSelector")), _age(obj, now)]


def _budget(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"], str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")), status.get("disruptionsAllowed", 0),
        _age(obj, now),
    ]  # fmt: skip


def row_conditions(resource: Resource, obj: Object) -> list[Object]:
    """Return the conditions of a row: pods that have finished."""
    if resource.prefix != "/pods":
        return []
    return pod_cells.row_conditions(obj)


MAKERS: dict[str, Maker] = {
    **cluster_cells.MAKERS,
    "events.k8s.io/events": _event,
    "/configmaps": _configmap,
    "/endpoints": _endpoints,
    "/events": _event,
    "/namespaces": _namespace,
    "/nodes": _node,
    "/persistentvolumeclaims": _claim,
    "/pods": pod_cells.cells,
    "/secrets": _secret,
    "/serviceaccounts": _account,
    "/services": _service,
    "apiextensions.k8s.io/customresourcedefinitions": _definition,
    "apps/daemonsets": _daemonset,
    "apps/deployments": _deployment,
    "apps/replicasets": _replicaset,
    "apps/statefulsets": _statefulset,
    "autoscaling/horizontalpodautoscalers": autoscaler_cells.cells,
    "batch/cronjobs": _cronjob,
    "batch/jobs": _job,
    "coordination.k8s.io/leases": _lease,
    "discovery.k8s.io/endpointslices": _slice,
    "networking.k8s.io/ingresses": _ingress,
    "networking.k8s.io/networkpolicies": _policy,
    "policy/poddisruptionbudgets": _budget,
    "rbac.authorization.k8s.io/clusterrolebindings": _binding,
    "rbac.authorization.k8s.io/clusterroles": _role,
    "rbac.authorization.k8s.io/rolebindings": _binding,
    "rbac.authorization.k8s.io/roles": _role,
}
