"""Validation of pod specs and pod templates, in the order of the API server."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.containers import container_errors
from fluvial.cluster.builtin.metadata import annotation_errors, label_errors
from fluvial.cluster.builtin.scheduling import (
    affinity_errors,
    spread_errors,
    toleration_errors,
)
from fluvial.cluster.builtin.security import pod_security_errors
from fluvial.cluster.builtin.volumes import volume_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors, dns_subdomain_errors
from fluvial.cluster.objects import Object

__all__ = ["pod_spec_errors", "template_errors"]

_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_LONGEST = 2**31 - 1


def pod_spec_errors(spec: Object, path: str) -> list[Cause]:
    """Check a defaulted pod spec."""
    errors, volumes = volume_errors(spec, f"{path}.volumes")
    errors += container_errors(spec, path, volumes)
    for name, allowed in (("restartPolicy", _RESTART), ("dnsPolicy", _DNS)):
        if spec.get(name) not in allowed:
            errors.append(fielderrors.not_supported(f"{path}.{name}", spec.get(name), allowed))
    errors += label_errors(spec.get("nodeSelector"), f"{path}.nodeSelector")
    errors += pod_security_errors(spec.get("securityContext") or {}, f"{path}.securityContext")
    errors += affinity_errors(spec.get("affinity") or {}, f"{path}.affinity")
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        errors.append(fielderrors.required(f"{path}.dnsConfig.nameservers", text))
    spread = spec.get("topologySpreadConstraints") or []
    errors += spread_errors(spread, f"{path}.topologySpreadConstraints")
    errors += _name_errors(spec, path, "serviceAccountName", "nodeName")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _LONGEST:
        text = f"must be between 1 and {_LONGEST}, inclusive"
        errors.append(fielderrors.invalid(f"{path}.activeDeadlineSeconds", deadline, text))
    for name in ("hostname", "subdomain"):
        value = spec.get(name)
        if value:
            bad = dns_label_errors(value)
            errors += [fielderrors.invalid(f"{path}.{name}", value, text) for text in bad]
    errors += toleration_errors(spec.get("tolerations") or [], f"{path}.tolerations")
    errors += _alias_errors(spec.get("hostAliases") or [], f"{path}.hostAliases")
    return errors + _name_errors(spec, path, "priorityClassName", "runtimeClassName")


def _name_errors(spec: Object, path: str, *names: str) -> list[Cause]:
    """Check references by name to objects of the cluster."""
    return [
        fielderrors.invalid(f"{path}.{name}", spec[name], text)
        for name in names
        if spec.get(name)
        for text in dns_subdomain_errors(spec[name])
    ]


def _alias_errors(aliases: list[Any], path: str) -> list[Cause]:
    return [
        fielderrors.invalid(f"{path}[{index}].hostnames", host, text)
        for index, alias in enumerate(aliases)
        for host in alias.get("hostnames") or []
        for text in dns_subdomain_errors(host)
    ]


def template_errors(
    template: Object, path: str, *, restart: tuple[str, ...], owner: str = ""
) -> list[Cause]:
    """Check a pod template.

    `restart` are the restart policies that the kind allows; `owner` is a kind whose pods must
    not have a deadline.
    """
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    errors = label_errors(meta.get("labels"), f"{path}.labels")
    errors += annotation_errors(meta.get("annotations"), f"{path}.annotations")
    errors += pod_spec_errors(spec, f"{path}.spec")
    policy = spec.get("restartPolicy")
    if policy not in restart:
        errors.append(fielderrors.not_supported(f"{path}.spec.restartPolicy", policy, restart))
    if owner and spec.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {owner} is not Supported"
        errors.append(fielderrors.forbidden(f"{path}.spec.activeDeadlineSeconds", text))
    return errors
