"""Amounts of resources: names of resources, requests and limits of containers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.numbers import NOT_NEGATIVE
from fluvial.cluster.errors import Cause
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.fields.quantity import parse_quantity
from fluvial.cluster.names import label_key_errors

__all__ = ["amount", "quantity_errors", "resource_errors", "resource_name_errors"]

_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTED = frozenset(
    {"pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
     "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"}
)  # fmt: skip
_STORAGE = frozenset({"storage", "requests.storage"})
_QUOTA = frozenset(
    {f"{kind}.{name}" for kind in ("requests", "limits")
     for name in ("cpu", "memory", "ephemeral-storage")}
)  # fmt: skip
_STANDARD = _CONTAINER | _COUNTED | _STORAGE | _QUOTA
_PREFIXES = ("hugepages-", "requests.hugepages-", "attachable-volumes-")


def amount(value: object) -> Decimal:
    """Return the amount of a quantity; zero for what is none."""
    try:
        return parse_quantity(str(value))
    except ValueError:
        return Decimal(0)


def resource_name_errors(name: str, path: str, *, quota: bool = False) -> list[Cause]:
    """Check the name of a resource; without `quota` as containers may ask for it."""
    errors = [fielderrors.invalid(path, name, text) for text in label_key_errors(name)]
    if errors or "/" in name:
        return errors
    known = name in _STANDARD or name.startswith(_PREFIXES) or (quota and name.startswith("count/"))
    if not known:
        text = "must be a standard resource type or fully qualified"
        errors.append(fielderrors.invalid(path, name, text))
    if quota:
        if not known:
            text = "must be a standard resource for quota"
            errors.append(fielderrors.invalid(path, name, text))
    elif name not in _CONTAINER and not name.startswith("hugepages-"):
        text = "must be a standard resource for containers"
        errors.append(fielderrors.invalid(path, name, text))
    return errors


def quantity_errors(name: str, value: object, path: str) -> list[Cause]:
    """Check an amount: not negative, and whole where the resource is counted."""
    number, shown = amount(value), canonical_quantity(str(value))
    errors: list[Cause] = []
    if number < 0:
        errors.append(fielderrors.invalid(path, shown, NOT_NEGATIVE))
    if (name in _COUNTED or _is_extended(name)) and number != number.to_integral_value():
        errors.append(fielderrors.invalid(path, shown, "must be an integer"))
    return errors


def _is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name


def resource_errors(resources: dict[str, Any], path: str) -> list[Cause]:
    """Check requests and limits of a container."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    errors: list[Cause] = []
    for name in sorted(limits):
        where = f"{path}.limits[{name}]"
        errors += resource_name_errors(name, where)
        errors += quantity_errors(name, limits[name], where)
    for name in sorted(requests):
        where = f"{path}.requests[{name}]"
        errors += resource_name_errors(name, where)
        errors += quantity_errors(name, requests[name], where)
        errors += _request_errors(name, requests[name], limits.get(name), path)
    names = {*limits, *requests}
    if any(name.startswith("hugepages-") for name in names) and not names & {"cpu", "memory"}:
        errors.append(fielderrors.forbidden(path, "HugePages require cpu or memory"))
    return errors


def _request_errors(name: str, request: object, limit: object, path: str) -> list[Cause]:
    exact = _is_extended(name) or name.startswith("hugepages-")
    if limit is None:
        text = "Limit must be set for non overcommitable resources"
        return [fielderrors.required(f"{path}.limits", text)] if exact else []
    asked, most = amount(request), amount(limit)
    shown, bound = canonical_quantity(str(request)), canonical_quantity(str(limit))
    if exact and asked != most:
        text = f"must be equal to {name} limit of {bound}"
    elif not exact and asked > most:
        text = f"must be less than or equal to {name} limit of {bound}"
    else:
        return []
    return [fielderrors.invalid(f"{path}.requests", shown, text)]
