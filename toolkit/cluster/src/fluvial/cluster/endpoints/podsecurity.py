"""PodSecurity: a namespace's labels say which pods it takes, and of which it warns."""

from __future__ import annotations

from fluvial.cluster.builtin.podsecurity import violations
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.errors import forbidden
from fluvial.cluster.objects import Object

__all__ = ["check"]

_LABEL = "pod-security.kubernetes.io/"
_PODS = "/pods"
_TEMPLATES = frozenset(
    {
        "/replicationcontrollers",
        "apps/daemonsets",
        "apps/deployments",
        "apps/replicasets",
        "apps/statefulsets",
        "batch/jobs",
    }
)


def check(access: Access, target: Target, obj: Object, options: WriteOptions) -> None:
    """Refuse a new pod that its namespace does not take; warn of pods and templates as it says."""
    spec = _pod_spec(target.resource.prefix, obj)
    if spec is None:
        return
    entry = access.store.get("/namespaces", ("", target.namespace))
    labels = {} if entry is None else entry.object["metadata"].get("labels") or {}
    enforced = _text(labels, "enforce", spec)
    if enforced and target.resource.prefix == _PODS:
        name = obj["metadata"].get("name", "")
        raise forbidden("", "pods", name, f"violates PodSecurity {enforced}")
    warned = _text(labels, "warn", spec)
    if warned:
        options.warnings.append(f"would violate PodSecurity {warned}")


def _text(labels: dict[str, str], mode: str, spec: Object) -> str:
    """Return level, version and violations of a mode; empty when there are none."""
    level = labels.get(_LABEL + mode)
    if level is None:
        return ""
    found = violations(level, spec)
    version = labels.get(f"{_LABEL}{mode}-version") or "latest"
    return f'"{level}:{version}": {found}' if found else ""


def _pod_spec(prefix: str, obj: Object) -> Object | None:
    spec: Object = obj.get("spec") or {}
    if prefix == _PODS:
        return spec
    if prefix == "batch/cronjobs":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    elif prefix not in _TEMPLATES:
        return None
    found = (spec.get("template") or {}).get("spec")
    return found if isinstance(found, dict) else None
