"""Whether a dry-run's answer differs from the live object, and where."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.apply.changes import MISSING, FieldChange
from fluvial.toolkit.apply.managers import owned

__all__ = ["Path", "differences", "drifted", "mask", "rivals"]

Path = tuple[str | int, ...]
"""The steps to a field: names of maps, places in lists."""

_MASK, _BEFORE, _AFTER = "***", "*** (before)", "*** (after)"
_SECRET_FIELDS = ("data", "stringData")


def drifted(live: Unstructured, answer: Unstructured) -> bool:
    """Compare as upstream does: labels, annotations, and all but metadata and status.

    Fields that others set are in the answer too, so they are no drift.
    """
    return next(_walk(_compared(live), _compared(answer), ()), None) is not None


def differences(live: Unstructured, answer: Unstructured) -> list[tuple[Path, Any, Any]]:
    """List the differing fields as (path, live value, answered value), MISSING for none."""
    return list(_walk(_compared(live), _compared(answer), ()))


def mask(obj: Unstructured, found: Sequence[tuple[Path, Any, Any]]) -> list[FieldChange]:
    """Turn differences into what may be shown: values of a Secret are stars."""
    secret = obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"
    return [
        FieldChange(
            _pointer(path),
            _masked(before, _BEFORE) if secret and path[0] in _SECRET_FIELDS else before,
            _masked(after, _AFTER) if secret and path[0] in _SECRET_FIELDS else after,
        )
        for path, before, after in found
    ]


def rivals(
    live: Unstructured, manager: str, found: Sequence[tuple[Path, Any, Any]]
) -> tuple[str, ...]:
    """Name the other managers that own one of the differing fields, sorted.

    Those by way of a subresource too: an autoscaler sets `replicas` through `scale`.
    """
    names = {
        entry.get("manager") or ""
        for entry in live["metadata"].get("managedFields") or ()
        if entry.get("manager") != manager and entry.get("subresource") != "status"
        for path, before, _ in found
        if before is not MISSING and owned(entry.get("fieldsV1") or {}, path, live)
    }
    return tuple(sorted(names - {""}))


def _compared(obj: Unstructured) -> Unstructured:
    metadata = obj.get("metadata") or {}
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
    rest["metadata"] = {field: metadata.get(field) or {} for field in ("labels", "annotations")}
    if obj.get("kind") == "HorizontalPodAutoscaler":
        rest = _without_repeated_metrics(rest)
    return rest


def _without_repeated_metrics(obj: Unstructured) -> Unstructured:
    """Drop repeated entries: older API servers multiplied them in a dry-run's answer."""
    metrics = (obj.get("spec") or {}).get("metrics")
    if not isinstance(metrics, list):
        return obj
    obj = copy.copy(obj)
    unique = [metric for at, metric in enumerate(metrics) if metric not in metrics[:at]]
    obj["spec"] = {**obj["spec"], "metrics": unique}
    return obj


def _walk(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from _walk(before.get(key, MISSING), after.get(key, MISSING), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for at in range(max(len(before), len(after))):
            yield from _walk(
                before[at] if at < len(before) else MISSING,
                after[at] if at < len(after) else MISSING,
                (*path, at),
            )
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield path, before, after


def _masked(value: Any, stars: str) -> Any:
    if value is MISSING:
        return MISSING
    if isinstance(value, dict):
        return dict.fromkeys(value, _MASK)
    return stars


def _pointer(path: Path) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
