"""Admission that is always on: what the API server fills in and refuses by other objects.

The plugins of a kube-apiserver as it comes: LimitRanger, Priority, RuntimeClass,
DefaultStorageClass, DefaultIngressClass, and PodSecurity's check of labels. (That of namespaces'
life is in `lifecycle`, PodSecurity's levels in `podsecurity`, ResourceQuota in `quotas`, what needs
no other object in the kinds' strategies.)
"""

from __future__ import annotations

from collections.abc import Callable

from fluvial.cluster import fielderrors
from fluvial.cluster.endpoints import limitranges
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import StatusError, forbidden, invalid
from fluvial.cluster.objects import Object

__all__ = ["mutate", "validate"]

_POD_SECURITY = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_INGRESS_CLASS = "kubernetes.io/ingress.class"
_NOT_READY = ("node.kubernetes.io/not-ready", "NoSchedule")


def mutate(access: Access, target: Target, obj: Object) -> None:
    """Fill in a new object, in place; raises 403."""
    plugin = _MUTATING.get(target.resource.prefix)
    if plugin is not None:
        plugin(access, target, obj)


def validate(access: Access, target: Target, obj: Object, old: Object | None) -> None:
    """Refuse a valid object for what others say; `old` is None for a new one."""
    plugin = _VALIDATING.get(target.resource.prefix)
    if plugin is not None:
        plugin(access, target, obj, old)


def _refused(target: Target, obj: Object, why: str) -> StatusError:
    meta, resource = obj["metadata"], target.resource
    name = meta.get("name") or meta.get("generateName") or "Unknown"
    return forbidden(resource.group, resource.plural, name, why)


def _pod(access: Access, target: Target, obj: Object) -> None:
    for found in limitranges.of(access, target.namespace):
        limitranges.fill_in(obj, found)
    _prioritize(access, target, obj)
    _run_by_class(access, target, obj)


def _prioritize(access: Access, target: Target, obj: Object) -> None:
    """Resolve the priority class, or take the default one."""
    spec = obj["spec"]
    name = spec.get("priorityClassName", "")
    if name:
        entry = access.store.get("scheduling.k8s.io/priorityclasses", ("", name))
        if entry is None:
            raise _refused(target, obj, f"no PriorityClass with name {name} was found")
        found: Object | None = entry.object
    else:
        found = _default_priority(access)
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
    value = 0 if found is None else found.get("value", 0)
    policy = "PreemptLowerPriority" if found is None else found.get("preemptionPolicy")
    computed = "must not be provided in pod spec; priority admission controller computed"
    given = spec.get("priority")
    if given is not None and given != value:
        why = f"the integer value of priority ({given}) {computed} {value}"
        raise _refused(target, obj, f"{why} from the given PriorityClass name")
    spec["priority"] = value
    stated = spec.get("preemptionPolicy")
    if policy and stated and stated != policy:
        why = f"the string value of PreemptionPolicy ({stated}) {computed} {policy}"
        raise _refused(target, obj, f"{why} from the given PriorityClass name")
    if policy:
        spec["preemptionPolicy"] = policy


def _default_priority(access: Access) -> Object | None:
    """Return the default class, the lowest if there are several."""
    classes = [entry.object for entry in access.store.entries("scheduling.k8s.io/priorityclasses")]
    defaults = [found for found in classes if found.get("globalDefault")]
    return min(defaults, key=lambda found: int(found.get("value", 0)), default=None)


def _run_by_class(access: Access, target: Target, obj: Object) -> None:
    """Take overhead and placement from the pod's RuntimeClass."""
    spec = obj["spec"]
    name = spec.get("runtimeClassName")
    found: Object = {}
    if name:
        entry = access.store.get("node.k8s.io/runtimeclasses", ("", name))
        if entry is None:
            raise _refused(target, obj, f'pod rejected: RuntimeClass "{name}" not found')
        found = entry.object
    overhead = (found.get("overhead") or {}).get("podFixed")
    given = spec.get("overhead")
    if given and not overhead:
        why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        raise _refused(target, obj, why)
    if given and given != overhead:
        why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        raise _refused(target, obj, why)
    if overhead:
        spec["overhead"] = dict(overhead)
    scheduling = found.get("scheduling") or {}
    selector = spec.get("nodeSelector") or {}
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if selector.get(key, value) != value:
            why = (
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {selector[key]}"
            )
            raise _refused(target, obj, why)
        selector[key] = value
    if selector:
        spec["nodeSelector"] = selector
    added = [item for item in scheduling.get("tolerations") or []
             if item not in (spec.get("tolerations") or [])]  # fmt: skip
    if added:
        spec["tolerations"] = [*(spec.get("tolerations") or []), *added]


def _claim(access: Access, _: Target, obj: Object) -> None:
    notes = obj["metadata"].get("annotations") or {}
    if obj["spec"].get("storageClassName") is None and _BETA_CLASS not in notes:
        name = _default_class(
            access, "storage.k8s.io/storageclasses",
            "storageclass.kubernetes.io/is-default-class",
            "storageclass.beta.kubernetes.io/is-default-class",
        )  # fmt: skip
        if name:
            obj["spec"]["storageClassName"] = name


def _node(_: Access, __: Target, obj: Object) -> None:
    """Keep pods from a new node until something finds it ready (TaintNodesByCondition)."""
    taints = obj.setdefault("spec", {}).get("taints") or []
    if not any((each.get("key"), each.get("effect")) == _NOT_READY for each in taints):
        obj["spec"]["taints"] = [*taints, {"key": _NOT_READY[0], "effect": _NOT_READY[1]}]


def _ingress(access: Access, _: Target, obj: Object) -> None:
    notes = obj["metadata"].get("annotations") or {}
    if obj["spec"].get("ingressClassName") is None and _INGRESS_CLASS not in notes:
        note = "ingressclass.kubernetes.io/is-default-class"
        name = _default_class(access, "networking.k8s.io/ingressclasses", note)
        if name:
            obj["spec"]["ingressClassName"] = name


def _default_class(access: Access, prefix: str, *notes: str) -> str:
    """Return the newest class that is annotated as the default, the first by name of those."""
    found: list[Object] = [
        entry.object["metadata"]
        for entry in access.store.entries(prefix)
        if any(
            (entry.object["metadata"].get("annotations") or {}).get(note) == "true"
            for note in notes
        )
    ]
    found.sort(key=lambda meta: str(meta["name"]))
    newest = max((meta["creationTimestamp"] for meta in found), default="")
    return next((meta["name"] for meta in found if meta["creationTimestamp"] == newest), "")


def _limited(access: Access, target: Target, obj: Object, old: Object | None) -> None:
    is_pod = target.resource.prefix == "/pods"
    if is_pod and old is not None:
        return
    check = limitranges.pod_errors if is_pod else limitranges.claim_errors
    for found in limitranges.of(access, target.namespace):
        errors = check(obj, found)
        if errors:
            raise _refused(target, obj, errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")


def _only_default(access: Access, target: Target, obj: Object, old: Object | None) -> None:
    if not obj.get("globalDefault"):
        return
    other = _default_priority(access)
    if other is not None and (old is None or other["metadata"]["name"] != target.name):
        name = other["metadata"]["name"]
        why = f"PriorityClass {name} is already marked as default. Only one default can exist"
        raise _refused(target, obj, why)


def _security_labels(_: Access, target: Target, obj: Object, __: Object | None) -> None:
    labels = obj["metadata"].get("labels") or {}
    causes = [
        fielderrors.invalid(
            f"metadata.labels[{key}]", labels[key], f"must be one of {', '.join(_LEVELS)}"
        )
        for key in (f"{_POD_SECURITY}{mode}" for mode in ("enforce", "audit", "warn"))
        if key in labels and labels[key] not in _LEVELS
    ]
    if causes:
        raise invalid("", "Namespace", target.name, causes)


_MUTATING: dict[str, Callable[[Access, Target, Object], None]] = {
    "/nodes": _node,
    "/pods": _pod,
    "/persistentvolumeclaims": _claim,
    "networking.k8s.io/ingresses": _ingress,
}
_VALIDATING: dict[str, Callable[[Access, Target, Object, Object | None], None]] = {
    "/pods": _limited,
    "/persistentvolumeclaims": _limited,
    "/namespaces": _security_labels,
    "scheduling.k8s.io/priorityclasses": _only_default,
}
