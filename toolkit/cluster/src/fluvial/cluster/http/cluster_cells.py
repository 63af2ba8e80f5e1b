"""Table cells of the cluster-wide kinds and of those that people seldom list."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.http.cell_texts import NONE, UNSET, Maker, age_of, name_of
from fluvial.cluster.http.durations import human
from fluvial.cluster.objects import Object

__all__ = ["MAKERS"]


def _priority(obj: Object, now: dt.datetime) -> list[Any]:
    return [
        name_of(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        age_of(obj, now),
        obj.get("preemptionPolicy", ""),
    ]


def _quota(obj: Object, now: dt.datetime) -> list[Any]:
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name in sorted(hard):
        target = limits if name.startswith("limits.") else requests
        target.append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [name_of(obj), ", ".join(requests), ", ".join(limits), age_of(obj, now)]


def _webhooks(obj: Object, now: dt.datetime) -> list[Any]:
    return [name_of(obj), len(obj.get("webhooks") or []), age_of(obj, now)]


def _service(obj: Object, now: dt.datetime) -> list[Any]:
    service, shown = obj["spec"].get("service"), "Unknown"
    for item in (obj.get("status") or {}).get("conditions") or []:
        if item.get("type") == "Available":
            shown = item.get("status", "")
            if shown != "True":
                shown += f" ({item.get('reason', '')})"
    place = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    return [name_of(obj), place, shown, age_of(obj, now)]


def _runtime(obj: Object, now: dt.datetime) -> list[Any]:
    return [name_of(obj), obj.get("handler", ""), age_of(obj, now)]


def _request(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    seconds = spec.get("expirationSeconds")
    states = {item.get("type") for item in status.get("conditions") or []}
    shown = "Denied" if "Denied" in states else "Approved" if "Approved" in states else "Pending"
    if "Failed" in states:
        shown += ",Failed"
    if status.get("certificate"):
        shown += ",Issued"
    return [
        name_of(obj),
        age_of(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        human(dt.timedelta(seconds=seconds)) if seconds is not None else NONE,
        shown,
    ]


def _policy(count: str) -> Maker:
    def cells(obj: Object, now: dt.datetime) -> list[Any]:
        spec = obj["spec"]
        kind = spec.get("paramKind")
        shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
        return [name_of(obj), len(spec.get(count) or []), shown, age_of(obj, now)]

    return cells


def _selector(selector: Object) -> str:
    """Print a selector as the generated code of its message does."""
    labels = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    terms = "".join(
        "LabelSelectorRequirement{"
        f"Key:{term['key']},Operator:{term['operator']},"
        f"Values:[{' '.join(term.get('values') or [])}],"
        "},"
        for term in selector.get("matchExpressions") or []
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"
    )


def _policy_binding(obj: Object, now: dt.datetime) -> list[Any]:
    spec, shown = obj["spec"], UNSET
    reference = spec.get("paramRef") or {}
    if reference.get("name"):
        # Whether parameters have a namespace cannot be told from here: a star stands for any.
        shown = f"{reference.get('namespace') or '*'}/{reference['name']}"
    elif reference.get("selector") is not None:
        shown = _selector(reference["selector"])
    return [name_of(obj), spec.get("policyName", ""), shown, age_of(obj, now)]


def _flow(obj: Object, now: dt.datetime) -> list[Any]:
    spec, dangling = obj["spec"], "?"
    for item in (obj.get("status") or {}).get("conditions") or []:
        if item.get("type") == "Dangling":
            dangling = item.get("status", "")
            break
    method = spec.get("distinguisherMethod")
    return [
        name_of(obj),
        (spec.get("priorityLevelConfiguration") or {}).get("name", ""),
        spec.get("matchingPrecedence", 0),
        method.get("type", "") if method else NONE,
        age_of(obj, now),
        dangling,
    ]


def _level(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    limited = spec.get("limited")
    queuing = ((limited or {}).get("limitResponse") or {}).get("queuing")
    shares = NONE if limited is None else limited.get("nominalConcurrencyShares", 0)
    queues = [
        NONE if queuing is None else queuing.get(name, 0)
        for name in ("queues", "handSize", "queueLengthLimit")
    ]
    return [name_of(obj), spec.get("type", ""), shares, *queues, age_of(obj, now)]


def _resource_claim(obj: Object, now: dt.datetime) -> list[Any]:
    status, deleted = obj.get("status") or {}, obj["metadata"].get("deletionTimestamp")
    states = ["deleted"] if deleted else []
    if status.get("allocation") is None:
        states += [] if deleted else ["pending"]
    else:
        states += ["allocated", "reserved"] if status.get("reservedFor") else ["allocated"]
    return [name_of(obj), ",".join(states), age_of(obj, now)]


def _resource_slice(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    pool = (spec.get("pool") or {}).get("name", "")
    return [name_of(obj), spec.get("nodeName", ""), spec.get("driver", ""), pool, age_of(obj, now)]


_ADMISSION = "admissionregistration.k8s.io"
MAKERS: dict[str, Maker] = {
    "/resourcequotas": _quota,
    f"{_ADMISSION}/mutatingadmissionpolicies": _policy("mutations"),
    f"{_ADMISSION}/mutatingadmissionpolicybindings": _policy_binding,
    f"{_ADMISSION}/mutatingwebhookconfigurations": _webhooks,
    f"{_ADMISSION}/validatingadmissionpolicies": _policy("validations"),
    f"{_ADMISSION}/validatingadmissionpolicybindings": _policy_binding,
    f"{_ADMISSION}/validatingwebhookconfigurations": _webhooks,
    "apiregistration.k8s.io/apiservices": _service,
    "certificates.k8s.io/certificatesigningrequests": _request,
    "flowcontrol.apiserver.k8s.io/flowschemas": _flow,
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": _level,
    "node.k8s.io/runtimeclasses": _runtime,
    "resource.k8s.io/resourceclaims": _resource_claim,
    "resource.k8s.io/resourceslices": _resource_slice,
    "scheduling.k8s.io/priorityclasses": _priority,
}
