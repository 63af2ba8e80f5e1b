"""The parts of a pod that change after its start, each through a subresource of its own."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["ephemeral_errors", "narrowed_pod"]

_NOT_EPHEMERAL = (
    "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy",
)  # fmt: skip


def narrowed_pod(obj: Object, old: Object, subresource: str) -> Object:
    """Return `old` with the ephemeral containers, or the containers' resources, of `obj`."""
    meta = {**old["metadata"]}
    for key in ("managedFields", "resourceVersion", "uid"):
        meta.pop(key, None)
        if key in obj["metadata"]:
            meta[key] = obj["metadata"][key]
    spec = {**old["spec"]}
    if subresource == "ephemeralcontainers":
        spec.pop("ephemeralContainers", None)
        if obj["spec"].get("ephemeralContainers"):
            spec["ephemeralContainers"] = obj["spec"]["ephemeralContainers"]
    else:
        for key in ("containers", "initContainers"):
            if key in spec:
                spec[key] = _resized(spec[key], obj["spec"].get(key) or [])
    return {**old, "metadata": meta, "spec": spec}


def _resized(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted: dict[Any, dict[str, Any]] = {item.get("name"): item for item in new}
    kept = []
    for item in old:
        source: dict[str, Any] = wanted.get(item["name"], item)
        merged = dict(item)
        for part in ("resources", "resizePolicy"):
            if part in source:
                merged[part] = source[part]
        kept.append(merged)
    return kept


def ephemeral_errors(spec: Object, old: Object) -> list[Cause]:
    """Check that ephemeral containers are added only, and have what they may have."""
    path = "spec.ephemeralContainers"
    before: dict[str, Any] = {item["name"]: item for item in old.get("ephemeralContainers") or []}
    items = spec.get("ephemeralContainers") or []
    errors: list[Cause] = []
    for index, item in enumerate(items):
        if item.get("name") in before:
            continue
        errors += [
            fielderrors.forbidden(
                f"{path}[{index}].{key}", "cannot be set for an Ephemeral Container"
            )
            for key in _NOT_EPHEMERAL
            if item.get(key)
        ]
        if any((item.get("resources") or {}).values()):
            text = "cannot be set for an Ephemeral Container"
            errors.append(fielderrors.forbidden(f"{path}[{index}].resources", text))
    for name, item in before.items():
        found = next(((n, one) for n, one in enumerate(items) if one.get("name") == name), None)
        if found is None:
            text = f'existing ephemeral containers "{name}" may not be removed\n'
            errors.append(fielderrors.forbidden(path, text))
        elif found[1] != item:
            text = f'existing ephemeral containers "{name}" may not be changed\n'
            errors.append(fielderrors.forbidden(path, text))
    return errors
