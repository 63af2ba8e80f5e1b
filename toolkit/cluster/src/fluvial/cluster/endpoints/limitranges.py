"""LimitRanges as the plugin LimitRanger applies them to pods and claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluvial.cluster.builtin.quantities import amount
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.objects import Object

__all__ = ["claim_errors", "fill_in", "of", "pod_errors"]

ANNOTATION = "kubernetes.io/limit-ranger"
_SORTS = (("containers", "container"), ("initContainers", "init container"))


def of(access: Access, namespace: str) -> list[Object]:
    """Return the LimitRanges of a namespace, by name."""
    return [entry.object for entry in access.store.entries("/limitranges", namespace)]


def fill_in(pod: Object, limits: Object) -> None:
    """Give the containers the default requests and limits; an annotation tells which."""
    defaults: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for item in limits["spec"].get("limits") or []:
        if item.get("type") == "Container":
            defaults["requests"].update(item.get("defaultRequest") or {})
            defaults["limits"].update(item.get("default") or {})
    told: list[str] = []
    for key, sort in _SORTS:
        for container in pod["spec"].get(key) or []:
            resources = container.setdefault("resources", {})
            for part, word in (("requests", "request"), ("limits", "limit")):
                given = resources.get(part) or {}
                added = sorted(name for name in defaults[part] if name not in given)
                if added:
                    resources[part] = {**given, **{name: defaults[part][name] for name in added}}
                    told.append(f"{', '.join(added)} {word} for {sort} {container.get('name', '')}")
    if told:
        meta = pod["metadata"]
        text = "LimitRanger plugin set: " + "; ".join(told)
        meta["annotations"] = {**(meta.get("annotations") or {}), ANNOTATION: text}


def pod_errors(pod: Object, limits: Object) -> list[str]:
    """Return what a pod asks too much or too little of."""
    errors: list[str] = []
    for item in limits["spec"].get("limits") or []:
        kind = item.get("type")
        if kind == "Container":
            for key, _ in _SORTS:
                for container in pod["spec"].get(key) or []:
                    resources = container.get("resources") or {}
                    requests, most = resources.get("requests") or {}, resources.get("limits") or {}
                    errors += _bound_errors(item, requests, most)
        elif kind == "Pod":
            errors += _bound_errors(item, _sum(pod, "requests"), _sum(pod, "limits"))
    return errors


def claim_errors(claim: Object, limits: Object) -> list[str]:
    """Return what a claim asks too much or too little of."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return [
        error
        for item in limits["spec"].get("limits") or []
        if item.get("type") == "PersistentVolumeClaim"
        for error in _bound_errors(item, requests, None)
    ]


def _bound_errors(
    item: Object, requests: dict[str, Any], most: dict[str, Any] | None
) -> Iterator[str]:
    """Yield what is out of bounds; claims have requests only (`most` None)."""
    kind = item["type"]
    for bound, word in (("min", "minimum"), ("max", "maximum")):
        for name, limit in sorted((item.get(bound) or {}).items()):
            text = f"{word} {name} usage per {kind} is {canonical_quantity(str(limit))}"
            parts = [("request", requests), ("limit", most)]
            if bound == "max" and most is not None:
                parts.reverse()
            needed = parts[0]
            if needed[1] is None or name not in needed[1]:
                yield f"{text}.  No {needed[0]} is specified"
                continue
            yield from _out_of(text, name, limit, parts, below=bound == "min")
    for name, ratio in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        text = f"{name} max limit to request ratio per {kind} is {canonical_quantity(str(ratio))}"
        request, limit = amount(requests.get(name, 0)), amount((most or {}).get(name, 0))
        if not request:
            yield f"{text}, but no request is specified or request is 0"
        elif not limit:
            yield f"{text}, but no limit is specified or limit is 0"
        elif limit / request > amount(ratio):
            yield f"{text}, but provided ratio is {float(limit / request):f}"


def _out_of(
    text: str, name: str, limit: Any, parts: list[tuple[str, Any]], *, below: bool
) -> Iterator[str]:
    """Yield the first of a resource's request and limit that is out of bounds."""
    for word, given in parts:
        if not given or name not in given:
            continue
        value = amount(given[name])
        if value < amount(limit) if below else value > amount(limit):
            yield f"{text}, but {word} is {canonical_quantity(str(given[name]))}"
            return


def _sum(pod: Object, part: str) -> dict[str, Any]:
    """Add up the containers; one that runs before the others may need more alone."""
    totals: dict[str, Any] = {}
    for container in pod["spec"].get("containers") or []:
        for name, value in ((container.get("resources") or {}).get(part) or {}).items():
            totals[name] = totals.get(name, 0) + amount(value)
    for container in pod["spec"].get("initContainers") or []:
        for name, value in ((container.get("resources") or {}).get(part) or {}).items():
            totals[name] = max(totals.get(name, 0), amount(value))
    return totals
