"""Table cells of the cluster-wide kinds and of those that people seldom list."""

# ruff: noqa: ARG001 - the makers share one signature
from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from fluvial.cluster.http.durations import age, human
from fluvial.cluster.objects import Object

__all__ = ["MAKERS", "access_modes", "fallback", "labels_text", "template_images"]

Maker = Callable[[Object, dt.datetime], list[Any]]
_NONE, _UNSET = "<none>", "<unset>"
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


def _age(obj: Object, now: dt.datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def fallback(obj: Object, now: dt.datetime, columns: list[str]) -> list[Any]:
    """Return the cells of a kind without a maker: its name, and when it was made."""
    known = {
        "Name": _name(obj),
        "Age": _age(obj, now),
        "Created At": obj["metadata"].get("creationTimestamp"),
    }
    return [known.get(column) for column in columns]


def access_modes(modes: list[str] | None) -> str:
    """Return access modes in short, each once, in the order that Kubernetes gives them."""
    return ",".join(short for mode, short in _SHORT.items() if mode in (modes or []))


def _volume(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    claim = spec.get("claimRef")
    phase = status.get("phase", "")
    if obj["metadata"].get("deletionTimestamp"):
        phase = "Terminating"
    return [
        _name(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        phase,
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or _UNSET,
        status.get("reason", ""),
        _age(obj, now),
        spec.get("volumeMode", _UNSET),
    ]


def _class(obj: Object, now: dt.datetime) -> list[Any]:
    notes = obj["metadata"].get("annotations") or {}
    is_default = any(notes.get(key) == "true" for key in _DEFAULT_CLASS)
    return [
        _name(obj) + (" (default)" if is_default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        _age(obj, now),
    ]


def _driver(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    audiences = [item.get("audience", "") for item in spec.get("tokenRequests") or []]
    return [
        _name(obj),
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        ",".join(audiences) if audiences else _UNSET,
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or []) or _NONE,
        _age(obj, now),
    ]


def _storage_node(obj: Object, now: dt.datetime) -> list[Any]:
    return [_name(obj), len(obj["spec"].get("drivers") or []), _age(obj, now)]


def _attachment(obj: Object, now: dt.datetime) -> list[Any]:
    spec = obj["spec"]
    return [
        _name(obj),
        spec.get("attacher", ""),
        (spec.get("source") or {}).get("persistentVolumeName", ""),
        spec.get("nodeName", ""),
        bool((obj.get("status") or {}).get("attached")),
        _age(obj, now),
    ]


def _attributes(obj: Object, now: dt.datetime) -> list[Any]:
    return [_name(obj), obj.get("driverName", ""), _age(obj, now)]


def _priority(obj: Object, now: dt.datetime) -> list[Any]:
    return [
        _name(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        _age(obj, now),
        obj.get("preemptionPolicy", ""),
    ]


def _ingress_class(obj: Object, now: dt.datetime) -> list[Any]:
    spec, shown = obj["spec"], _NONE
    parameters = spec.get("parameters")
    if parameters:
        group = parameters.get("apiGroup")
        shown = parameters.get("kind", "") + (f".{group}" if group else "")
        shown += f"/{parameters.get('name', '')}"
    return [_name(obj), spec.get("controller", ""), shown, _age(obj, now)]


def _quota(obj: Object, now: dt.datetime) -> list[Any]:
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name in sorted(hard):
        target = limits if name.startswith("limits") else requests
        target.append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [_name(obj), ", ".join(requests), ", ".join(limits), _age(obj, now)]


def _replication(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    names, images = template_images(spec["template"])
    return [
        _name(obj),
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age(obj, now),
        names,
        images,
        labels_text(spec.get("selector")),
    ]


def template_images(template: Object) -> tuple[str, str]:
    """Return the names and the images of a template's containers."""
    containers = (template.get("spec") or {}).get("containers") or []
    names = ",".join(item.get("name", "") for item in containers)
    return names, ",".join(item.get("image", "") for item in containers)


def labels_text(labels: dict[str, str] | None) -> str:
    """Return labels as `key=value`, sorted."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or _NONE


def _pod_template(obj: Object, now: dt.datetime) -> list[Any]:
    template = obj["template"]
    labels = (template.get("metadata") or {}).get("labels")
    return [_name(obj), *template_images(template), labels_text(labels)]


def _revision(obj: Object, now: dt.datetime) -> list[Any]:
    owners = obj["metadata"].get("ownerReferences") or []
    owner = next((item for item in owners if item.get("controller")), None)
    shown = _NONE
    if owner is not None:
        group = owner.get("apiVersion", "").rpartition("/")[0]
        shown = owner["kind"].lower() + (f".{group}" if group else "") + f"/{owner['name']}"
    return [_name(obj), shown, obj.get("revision", 0), _age(obj, now)]


def _webhooks(obj: Object, now: dt.datetime) -> list[Any]:
    return [_name(obj), len(obj.get("webhooks") or []), _age(obj, now)]


def _service(obj: Object, now: dt.datetime) -> list[Any]:
    service, shown = obj["spec"].get("service"), "Unknown"
    for item in (obj.get("status") or {}).get("conditions") or []:
        if item.get("type") == "Available":
            shown = item.get("status", "")
            if shown != "True":
                shown += f" ({item.get('reason', '')})"
    place = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    return [_name(obj), place, shown, _age(obj, now)]


def _runtime(obj: Object, now: dt.datetime) -> list[Any]:
    return [_name(obj), obj.get("handler", ""), _age(obj, now)]


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
        _name(obj),
        _age(obj, now),
        spec.get("signerName") or _NONE,
        spec.get("username", ""),
        human(dt.timedelta(seconds=seconds)) if seconds is not None else _NONE,
        shown,
    ]


def _policy(count: str) -> Maker:
    def cells(obj: Object, now: dt.datetime) -> list[Any]:
        spec = obj["spec"]
        kind = spec.get("paramKind")
        shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else _UNSET
        return [_name(obj), len(spec.get(count) or []), shown, _age(obj, now)]

    return cells


def _policy_binding(obj: Object, now: dt.datetime) -> list[Any]:
    spec, shown = obj["spec"], _UNSET
    reference = spec.get("paramRef")
    if reference:
        name, namespace = reference.get("name", ""), reference.get("namespace", "")
        selector = labels_text((reference.get("selector") or {}).get("matchLabels"))
        shown = f"{namespace}/{name}" if namespace and name else name or selector
    return [_name(obj), spec.get("policyName", ""), shown, _age(obj, now)]


_ADMISSION = "admissionregistration.k8s.io"
MAKERS: dict[str, Maker] = {
    "/persistentvolumes": _volume,
    "/podtemplates": _pod_template,
    "/replicationcontrollers": _replication,
    "/resourcequotas": _quota,
    f"{_ADMISSION}/mutatingadmissionpolicies": _policy("mutations"),
    f"{_ADMISSION}/mutatingadmissionpolicybindings": _policy_binding,
    f"{_ADMISSION}/mutatingwebhookconfigurations": _webhooks,
    f"{_ADMISSION}/validatingadmissionpolicies": _policy("validations"),
    f"{_ADMISSION}/validatingadmissionpolicybindings": _policy_binding,
    f"{_ADMISSION}/validatingwebhookconfigurations": _webhooks,
    "apiregistration.k8s.io/apiservices": _service,
    "apps/controllerrevisions": _revision,
    "certificates.k8s.io/certificatesigningrequests": _request,
    "networking.k8s.io/ingressclasses": _ingress_class,
    "node.k8s.io/runtimeclasses": _runtime,
    "scheduling.k8s.io/priorityclasses": _priority,
    "storage.k8s.io/csidrivers": _driver,
    "storage.k8s.io/csinodes": _storage_node,
    "storage.k8s.io/storageclasses": _class,
    "storage.k8s.io/volumeattachments": _attachment,
    "storage.k8s.io/volumeattributesclasses": _attributes,
}
