"""What a Node says of itself: taints and pod networks."""

from __future__ import annotations

import ipaddress
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import label_key_errors, label_value_errors
from fluvial.cluster.objects import Object

__all__ = ["node_errors", "node_update_errors"]

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def node_errors(spec: Object) -> list[Cause]:
    """Check a node's spec."""
    return _taint_errors(spec.get("taints") or []) + _network_errors(spec.get("podCIDRs") or [])


def _taint_errors(taints: list[dict[str, Any]]) -> list[Cause]:
    errors: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        # Upstream names the field so, although taints stand in the spec.
        path = f"metadata.taints[{index}]"
        key, value, effect = (taint.get(name) or "" for name in ("key", "value", "effect"))
        errors += [fielderrors.invalid(f"{path}.key", key, text) for text in label_key_errors(key)]
        bad = label_value_errors(value)
        if bad:
            errors.append(fielderrors.invalid(f"{path}.value", value, ";".join(bad)))
        if not effect:
            errors.append(fielderrors.required(f"{path}.effect"))
        elif effect not in _EFFECTS:
            errors.append(fielderrors.not_supported(f"{path}.effect", effect, _EFFECTS))
        if (key, effect) in seen:
            shown = {
                "Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded"),
            }  # fmt: skip
            cause = fielderrors.duplicate(path, shown)
            cause["message"] += ": taints must be unique by key and effect pair"
            errors.append(cause)
        seen.add((key, effect))
    return errors


def _network_errors(networks: list[str]) -> list[Cause]:
    errors: list[Cause] = []
    families: list[int] = []
    for index, text in enumerate(networks):
        try:
            families.append(ipaddress.ip_network(text, strict=False).version)
        except ValueError:
            why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            errors.append(fielderrors.invalid(f"spec.podCIDRs[{index}]", text, why))
    if len(families) == len(networks) > 1 and sorted(families) != [4, 6]:
        text = "may specify no more than one CIDR for each IP family"
        errors.append(fielderrors.invalid("spec.podCIDRs", networks, text))
    errors += [
        fielderrors.duplicate(f"spec.podCIDRs[{index}]", text)
        for index, text in enumerate(networks)
        if text in networks[:index]
    ]
    return errors


def node_update_errors(spec: Object, old: Object) -> list[Cause]:
    """Check what may be set once only."""
    return [
        fielderrors.forbidden(
            f"spec.{field}", f'node updates may not change {name} except from "" to valid'
        )
        for field, name in (("podCIDRs", "podCIDR"), ("providerID", "providerID"))
        if old.get(field) and spec.get(field) != old[field]
    ]
