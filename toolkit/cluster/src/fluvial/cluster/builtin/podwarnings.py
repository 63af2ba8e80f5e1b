"""Warnings about pods and pod templates: what is legal and yet most likely a mistake."""

from __future__ import annotations

from typing import Any

from fluvial.cluster.builtin.quantities import amount
from fluvial.cluster.fields import canonical_quantity
from fluvial.cluster.names import dns_label_errors
from fluvial.cluster.objects import Object

__all__ = ["name_warnings", "pod_warnings"]

_OLD_LABELS = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
}
_OLD_VOLUMES = {
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR_CONTAINER = "container.apparmor.security.beta.kubernetes.io/"


def name_warnings(name: str, where: str) -> list[str]:
    """Warn of an object's name that is no DNS label although pods are named after it."""
    errors = dns_label_errors(name)
    if not errors:
        return []
    shown = "[" + " ".join(errors) + "]"
    result = "which can result in surprising behavior; a DNS label is recommended"
    return [f"metadata.name: this is used in {where}, {result}: {shown}"]


def pod_warnings(meta: Object, spec: Object, path: str = "") -> list[str]:
    """Return the warnings about a pod (or, with a path, about a pod template)."""
    root = f"{path}." if path else ""
    warnings = [
        f'{root}spec.nodeSelector[{key}]: deprecated since {since}; use "{instead}" instead'
        for key, (since, instead) in _OLD_LABELS.items()
        if key in (spec.get("nodeSelector") or {})
    ]
    warnings += [
        f"{root}spec.volumes[{index}].{kind}: {text}"
        for index, volume in enumerate(spec.get("volumes") or [])
        for kind, text in _OLD_VOLUMES.items()
        if volume.get(kind) is not None
    ]
    warnings += _secret_warnings(spec.get("imagePullSecrets") or [], f"{root}spec.imagePullSecrets")
    warnings += _annotation_warnings(meta.get("annotations") or {}, spec, root)
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(key) or []):
            warnings += _container_warnings(container, f"{root}spec.{key}[{index}]")
    grace = spec.get("terminationGracePeriodSeconds")
    if isinstance(grace, int) and grace < 0:
        warnings.append(
            f"{root}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid "
            "and will be treated as 1"
        )
    return warnings


def _secret_warnings(secrets: list[Any], path: str) -> list[str]:
    return [
        f'{path}[{index}].name: invalid empty name ""'
        for index, secret in enumerate(secrets)
        if not secret.get("name")
    ]


def _annotation_warnings(notes: dict[str, str], spec: Object, root: str) -> list[str]:
    warnings = []
    seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    if _SECCOMP in notes and (spec.get("securityContext") or {}).get("seccompProfile") is None:
        warnings.append(f"{root}metadata.annotations[{_SECCOMP}]: {seccomp}")
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        name, context = container.get("name", ""), container.get("securityContext") or {}
        key = f"{_SECCOMP_CONTAINER}{name}"
        if key in notes and context.get("seccompProfile") is None:
            warnings.append(f"{root}metadata.annotations[{key}]: {seccomp}")
        key = f"{_APPARMOR_CONTAINER}{name}"
        if key in notes and context.get("appArmorProfile") is None:
            warnings.append(
                f"{root}metadata.annotations[{key}]: deprecated since v1.30; use the "
                '"appArmorProfile" field instead'
            )
    return warnings


def _container_warnings(container: dict[str, Any], path: str) -> list[str]:
    warnings = []
    resources = container.get("resources") or {}
    for kind in ("limits", "requests"):
        for name in ("memory", "ephemeral-storage"):
            value = (resources.get(kind) or {}).get(name)
            if value is not None and amount(value) != amount(value).to_integral_value():
                shown = canonical_quantity(str(value))
                warnings.append(
                    f'{path}.resources.{kind}[{name}]: fractional byte value "{shown}" is '
                    "invalid, must be an integer"
                )
    values: dict[str, str] = {}
    for index, entry in enumerate(container.get("env") or []):
        name, value = entry.get("name", ""), entry.get("value", "")
        refers = f"$({name})" in value
        if name in values and not refers:
            warnings.append(
                f'{path}.env[{index}]: hides previous definition of "{name}", which may be '
                "dropped when using apply"
            )
        values[name] = value
    return warnings + _port_warnings(container.get("ports") or [], path)


def _port_warnings(ports: list[Any], path: str) -> list[str]:
    warnings = []
    for index, port in enumerate(ports):
        for earlier, other in enumerate(ports[:index]):
            same = all(port.get(key) == other.get(key) for key in ("containerPort", "protocol"))
            hosts = (port.get("hostPort"), port.get("hostIP"), other.get("hostPort"))
            if same and (not any(hosts) or hosts[0] == hosts[2]):
                warnings.append(
                    f"{path}.ports[{index}]: duplicate port definition with {path}.ports[{earlier}]"
                )
                break
    return warnings
