"""Scripted metrics: what an autoscaler would read from the metrics APIs, by annotations.

On a pod (or a pod template) `fluvial.dev/usage.<metric>` is what that pod uses; on the workload
`fluvial.dev/load.<metric>` is a load that its ready pods share evenly, so that more pods mean less
for each. `<metric>` is `cpu`, `memory` or any name of a pods metric. `fluvial.dev/metric.<metric>`
is the value of a metric of the object it stands on; on the autoscaler itself, of an external one.
"""

from __future__ import annotations

from decimal import Decimal

from fluvial.cluster.fields.quantity import parse_quantity
from fluvial.cluster.node.script import PREFIX
from fluvial.cluster.objects import Object, name_of
from fluvial.cluster.standins.metadata import annotations_of
from fluvial.cluster.standins.pods import is_ready

__all__ = ["milli", "pods_usage", "value_of"]


def milli(amount: object) -> int:
    """Return a quantity in thousandths; raises ValueError for what is none."""
    return int(parse_quantity(str(amount)) * 1000)


def _amount(obj: Object, name: str) -> int | None:
    """Return what an annotation says; one that cannot be read counts as absent."""
    text = annotations_of(obj).get(PREFIX + name)
    if text is None:
        return None
    try:
        return milli(text)
    except ValueError:
        return None


def pods_usage(metric: str, workload: Object, pods: list[Object]) -> dict[str, int]:
    """Return by name of pod how much each uses, in thousandths.

    Pods of which nothing is known are missing.
    """
    load = _amount(workload, f"load.{metric}")
    ready = [pod for pod in pods if is_ready(pod)]
    found: dict[str, int] = {}
    for pod in pods:
        own = _amount(pod, f"usage.{metric}")
        if own is None and load is not None and pod in ready:
            own = int(Decimal(load) / len(ready))
        if own is not None:
            found[name_of(pod)] = own
    return found


def value_of(obj: Object, metric: str) -> int | None:
    """Return the value of a metric of one object, in thousandths."""
    return _amount(obj, f"metric.{metric}")
