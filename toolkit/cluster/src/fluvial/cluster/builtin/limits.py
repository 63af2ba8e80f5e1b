"""ResourceQuota, LimitRange and Endpoints."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

import ipaddress
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.numbers import port_errors
from fluvial.cluster.builtin.quantities import amount, quantity_errors, resource_name_errors
from fluvial.cluster.builtin.quotascopes import scope_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.names import dns_label_errors, label_key_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

_LIMITED = ("Pod", "Container", "PersistentVolumeClaim")
_PROTOCOLS = ("SCTP", "TCP", "UDP")


class QuotaStrategy(Strategy):
    """Rules of ResourceQuota."""

    generation = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Both parts are always written."""
        obj.setdefault("spec", {})
        obj.setdefault("status", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the names and amounts of what is limited."""
        errors: list[Cause] = []
        hard = obj["spec"].get("hard") or {}
        for name in sorted(hard):
            where = f"spec.hard[{name}]"
            errors += resource_name_errors(name, where, quota=True)
            errors += quantity_errors(name, hard[name], where)
        return errors + scope_errors(obj["spec"])

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse other scopes."""
        scopes = obj["spec"].get("scopes")
        if set(scopes or ()) == set(old["spec"].get("scopes") or ()):
            return []
        return [fielderrors.immutable("spec.scopes", scopes)]


class LimitRangeStrategy(Strategy):
    """Rules of LimitRange."""

    generation = False
    create_on_update = True

    def default(self, obj: Object) -> None:
        """Derive the limits and requests of containers from what is given."""
        for item in obj.setdefault("spec", {}).get("limits") or []:
            if item.get("type") != "Container":
                continue
            for source, derived in (
                ("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest"),
            ):  # fmt: skip
                values = {**(item.get(source) or {}), **(item.get(derived) or {})}
                if values:
                    item[derived] = values

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the types, and that the bounds of every resource are in order."""
        errors: list[Cause] = []
        seen: set[str] = set()
        for index, item in enumerate(obj["spec"].get("limits") or []):
            path, kind = f"spec.limits[{index}]", item.get("type", "")
            errors += _type_errors(kind, f"{path}.type")
            if kind in seen:
                errors.append(fielderrors.duplicate(f"{path}.type", kind))
            seen.add(kind)
            errors += _member_errors(item, path)
            names = {
                name
                for key in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
                for name in item.get(key) or {}
            }
            for name in sorted(names):
                errors += _bound_errors(item, name, path)
        return errors


def _type_errors(kind: str, path: str) -> list[Cause]:
    errors = [fielderrors.invalid(path, kind, text) for text in label_key_errors(kind)]
    if "/" not in kind and kind not in _LIMITED:
        text = "must be a standard limit type or fully qualified"
        errors.append(fielderrors.invalid(path, kind, text))
    return errors


def _member_errors(item: dict[str, Any], path: str) -> list[Cause]:
    """Check that the members suit the type."""
    errors: list[Cause] = []
    if item.get("type") == "Pod":
        text = "may not be specified when `type` is 'Pod'"
        errors += [
            fielderrors.forbidden(f"{path}.{key}", text)
            for key in ("default", "defaultRequest")
            if item.get(key)
        ]
    bounds = {**(item.get("min") or {}), **(item.get("max") or {})}
    if item.get("type") == "PersistentVolumeClaim" and "storage" not in bounds:
        text = "either minimum or maximum storage value is required, but neither was provided"
        errors.append(fielderrors.required(f"{path}.limits", text))
    return errors


_ORDERED = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest",
     "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest",
     "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest",
     "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)  # fmt: skip
"""What must not be greater than what, the field of the error, and its text."""


def _bound_errors(item: dict[str, Any], name: str, path: str) -> list[Cause]:
    errors: list[Cause] = []
    for low, high, field, text in _ORDERED:
        small, large = (item.get(low) or {}).get(name), (item.get(high) or {}).get(name)
        if small is None or large is None or amount(small) <= amount(large):
            continue
        shown = [canonical_quantity(str(value)) for value in (small, large)]
        value = shown[0] if field == low else shown[1]
        where = f"{path}.{field}[{name}]"
        errors.append(fielderrors.invalid(where, value, text.format(*shown)))
    return errors


class EndpointsStrategy(Strategy):
    """Rules of Endpoints."""

    generation = False
    create_on_update = True

    def default(self, obj: Object) -> None:
        """Default the protocol of ports."""
        for subset in obj.get("subsets") or []:
            for port in subset.get("ports") or []:
                port.setdefault("protocol", "TCP")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check addresses and ports."""
        errors: list[Cause] = []
        for index, subset in enumerate(obj.get("subsets") or []):
            path = f"subsets[{index}]"
            addresses = [
                (f"{path}.{key}[{number}]", item)
                for key in ("addresses", "notReadyAddresses")
                for number, item in enumerate(subset.get(key) or [])
            ]
            if not addresses:
                text = "must specify `addresses` or `notReadyAddresses`"
                errors.append(fielderrors.required(path, text))
            for where, item in addresses:
                errors += _address_errors(item.get("ip", ""), f"{where}.ip")
                host = item.get("hostname")
                bad = dns_label_errors(host) if host else []
                errors += [fielderrors.invalid(f"{where}.hostname", host, text) for text in bad]
            ports = subset.get("ports") or []
            for number, port in enumerate(ports):
                errors += _port_errors(port, f"{path}.ports[{number}]", named=len(ports) > 1)
        return errors


def _address_errors(text: str, path: str) -> list[Cause]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [fielderrors.invalid(path, text, why)]
    # Loopback addresses, which upstream refuses, are good here: that is where pods run.
    reasons = (
        (address.is_unspecified, "may not be unspecified (0.0.0.0 or ::)"),
        (address.is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (address.is_multicast and address.version == 4 and address.packed[:3] == b"\xe0\0\0",
         "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    )  # fmt: skip
    return [fielderrors.invalid(path, text, why) for found, why in reasons if found]


def _port_errors(port: dict[str, Any], path: str, *, named: bool) -> list[Cause]:
    errors: list[Cause] = []
    name, protocol = port.get("name", ""), port.get("protocol", "")
    if named and not name:
        errors.append(fielderrors.required(f"{path}.name"))
    elif name:
        errors += [fielderrors.invalid(f"{path}.name", name, t) for t in dns_label_errors(name)]
    errors += port_errors(port.get("port", 0), f"{path}.port")
    if protocol not in _PROTOCOLS:
        errors.append(fielderrors.not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    return errors


STRATEGIES: dict[str, Strategy] = {
    "/resourcequotas": QuotaStrategy(),
    "/limitranges": LimitRangeStrategy(),
    "/endpoints": EndpointsStrategy(),
}
