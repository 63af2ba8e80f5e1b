"""Names and places that a HelmRelease leaves open, as upstream fills them in."""

import hashlib

from fluvial.apis.duration import parse_duration
from fluvial.apis.helm import HelmRelease

__all__ = [
    "action_timeout",
    "chart_name",
    "full_release_name",
    "max_history",
    "release_name",
    "release_namespace",
    "shorten",
    "storage_namespace",
]

_LONGEST = 53
_TIMEOUT = "5m"
_HISTORY = 5


def full_release_name(obj: HelmRelease) -> str:
    """Return the name before it is shortened: the spec's, or `[targetNamespace-]name`."""
    if obj.spec.release_name:
        return obj.spec.release_name
    prefix = f"{obj.spec.target_namespace}-" if obj.spec.target_namespace else ""
    return f"{prefix}{obj.metadata.name}"


def shorten(name: str) -> str:
    """Cut a name that Helm would refuse: 40 characters, a dash, 12 digits of its SHA-256."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def release_name(obj: HelmRelease) -> str:
    """Return the name of the release, at most 53 characters."""
    return shorten(full_release_name(obj))


def release_namespace(obj: HelmRelease) -> str:
    """Return the namespace of the release's objects."""
    return obj.spec.target_namespace or obj.metadata.namespace


def storage_namespace(obj: HelmRelease) -> str:
    """Return the namespace of the release's records."""
    return obj.spec.storage_namespace or obj.metadata.namespace


def chart_name(obj: HelmRelease) -> tuple[str, str]:
    """Return namespace and name of the HelmChart: the one that is made, or the referenced one."""
    own = obj.metadata.namespace
    if obj.spec.chart is not None:
        return obj.spec.chart.spec.source_ref.namespace or own, f"{own}-{obj.metadata.name}"
    assert obj.spec.chart_ref is not None, "the schema wants chart or chartRef"
    return obj.spec.chart_ref.namespace or own, obj.spec.chart_ref.name


def max_history(obj: HelmRelease) -> int:
    """Return how many records are kept; 0 means all."""
    return _HISTORY if obj.spec.max_history is None else obj.spec.max_history


def action_timeout(obj: HelmRelease, own: str = "") -> float:
    """Return the seconds that each operation of an action may take; `own` is the action's."""
    return parse_duration(own or obj.spec.timeout or _TIMEOUT)
