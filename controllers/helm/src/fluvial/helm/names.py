"""Names and places that a HelmRelease leaves open, as upstream fills them in."""

from fluvial.apis.duration import parse_duration
from fluvial.apis.helm import HelmRelease
from fluvial.render.helm.flux import (
    full_release_name,
    release_name,
    release_namespace,
    shorten,
    storage_namespace,
)

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

_TIMEOUT = "5m"
_HISTORY = 5


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
