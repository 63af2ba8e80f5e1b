"""What an object uses of a ResourceQuota, by the names that quotas count in: pure functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fluvial.cluster.builtin.quantities import amount
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.objects import Object

__all__ = ["Usage", "applies", "missing", "shown", "usage_of"]

Usage = dict[str, Decimal]
"""Amounts by name, such as `pods`, `requests.cpu` or `count/deployments.apps`."""

_COUNTED = ("configmaps", "replicationcontrollers", "resourcequotas", "secrets")
_EXPLICIT = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_CLASS = ".storageclass.storage.k8s.io/"


def usage_of(group: str, plural: str, obj: Object) -> Usage:
    """Return what an object uses; pods that have ended use nothing but their place in the store."""
    counted = f"count/{plural}.{group}" if group else f"count/{plural}"
    usage: Usage = {counted: Decimal(1)}
    if group:
        return usage
    if plural in _COUNTED:
        usage[plural] = Decimal(1)
    elif plural == "pods":
        usage |= _pod(obj)
    elif plural == "services":
        usage |= _service(obj["spec"])
    elif plural == "persistentvolumeclaims":
        usage |= _claim(obj["spec"])
    return usage


def _pod(pod: Object) -> Usage:
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        return {}
    spec = pod["spec"]
    mains = [_container(each) for each in spec.get("containers") or []]
    inits = [_container(each) for each in spec.get("initContainers") or []]
    usage: Usage = {"pods": Decimal(1)}
    names = {name for each in (*mains, *inits) for name in each}
    for name in names:
        together = sum((each.get(name, Decimal(0)) for each in mains), Decimal(0))
        usage[name] = max([together, *(each.get(name, Decimal(0)) for each in inits)])
    return usage


def _container(container: Object) -> Usage:
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    usage: Usage = {}
    for name in _COMPUTE:
        if name in requests:
            usage[name] = usage[f"requests.{name}"] = amount(requests[name])
        if name in limits:
            usage[f"limits.{name}"] = amount(limits[name])
    return usage


def _service(spec: Object) -> Usage:
    usage: Usage = {"services": Decimal(1)}
    ports = len(spec.get("ports") or [])
    if spec.get("type") == "NodePort":
        usage["services.nodeports"] = Decimal(ports)
    elif spec.get("type") == "LoadBalancer":
        usage["services.loadbalancers"] = Decimal(1)
        if spec.get("allocateLoadBalancerNodePorts") is not False:
            usage["services.nodeports"] = Decimal(ports)
    return usage


def _claim(spec: Object) -> Usage:
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    usage: Usage = {"persistentvolumeclaims": Decimal(1)}
    if size is not None:
        usage["requests.storage"] = amount(size)
    if spec.get("storageClassName"):
        prefix = spec["storageClassName"] + _CLASS
        usage |= {prefix + name: value for name, value in list(usage.items())}
    return usage


def applies(quota: Object, plural: str, obj: Object) -> bool:
    """Tell whether the scopes of a quota take an object; only pods have any."""
    spec = quota["spec"]
    terms: list[Any] = [
        {"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or []
    ]
    terms += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    return not terms or (plural == "pods" and all(_in_scope(term, obj) for term in terms))


def _in_scope(term: Object, pod: Object) -> bool:
    spec, name = pod["spec"], term["scopeName"]
    if name in ("Terminating", "NotTerminating"):
        return bool(name == "Terminating") == (spec.get("activeDeadlineSeconds") is not None)
    if name in ("BestEffort", "NotBestEffort"):
        every = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
        free = not any(_container(each) for each in every)
        return bool(name == "BestEffort") == free
    if name == "PriorityClass":
        own, values = spec.get("priorityClassName") or "", term.get("values") or []
        return {
            "In": own in values,
            "NotIn": own not in values,
            "Exists": bool(own),
            "DoesNotExist": not own,
        }[term["operator"]]
    return False


def missing(names: list[str], pod: Object) -> str:
    """Return what each container must say because a quota counts it; empty when all do."""
    spec = pod["spec"]
    lacking: dict[str, list[str]] = {}
    for container in (*(spec.get("containers") or []), *(spec.get("initContainers") or [])):
        said = _container(container)
        for name in sorted(set(names).intersection(_EXPLICIT).difference(said)):
            lacking.setdefault(name, []).append(container["name"])
    parts = [f"{name} for: {','.join(sorted(lacking[name]))}" for name in sorted(lacking)]
    return f"must specify {'; '.join(parts)}" if parts else ""


def shown(name: str, value: Decimal) -> str:
    """Return an amount as a quantity: bytes in binary units, the rest in decimal ones."""
    binary = name.endswith(("memory", "storage"))
    if binary and value and value % 1024 == 0:
        return canonical_quantity(f"{int(value) // 1024}Ki")
    return canonical_quantity(format(value, "f"))
