"""Containers of all sorts in a pod spec."""

from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.environment import environment_errors
from fluvial.cluster.builtin.handlers import lifecycle_errors, probe_errors
from fluvial.cluster.builtin.numbers import port_errors
from fluvial.cluster.builtin.quantities import resource_errors
from fluvial.cluster.builtin.security import container_security_errors
from fluvial.cluster.builtin.volumes import mount_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_label_errors, port_name_errors
from fluvial.cluster.objects import Object

__all__ = ["PROTOCOLS", "container_errors"]

PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL = ("Always", "IfNotPresent", "Never")
_MESSAGES = ("FallbackToLogsOnError", "File")
_INIT_ONLY = "may not be set for init containers without restartPolicy=Always"


def container_errors(spec: Object, path: str, volumes: set[str]) -> list[Cause]:
    """Check the containers and init containers of a pod spec."""
    containers = spec.get("containers") or []
    errors: list[Cause] = []
    if not containers:
        errors.append(fielderrors.required(f"{path}.containers"))
    seen: set[str] = set()
    grace = spec.get("terminationGracePeriodSeconds", 30)
    for index, container in enumerate(containers):
        where = f"{path}.containers[{index}]"
        errors += _shared_errors(container, where, volumes, spec)
        errors += _name_errors(container, where, seen)
        errors += lifecycle_errors(container.get("lifecycle") or {}, f"{where}.lifecycle", grace)
        errors += probe_errors(container, where)
    errors += _host_port_errors(containers, f"{path}.containers")
    for index, container in enumerate(spec.get("initContainers") or []):
        where = f"{path}.initContainers[{index}]"
        errors += _shared_errors(container, where, volumes, spec)
        errors += _name_errors(container, where, seen)
        errors += _init_errors(container, where, grace)
    return errors


def _init_errors(container: dict[str, Any], path: str, grace: int) -> list[Cause]:
    if container.get("restartPolicy") == "Always":
        errors = lifecycle_errors(container.get("lifecycle") or {}, f"{path}.lifecycle", grace)
        return errors + probe_errors(container, path)
    return [
        fielderrors.forbidden(f"{path}.{name}", _INIT_ONLY)
        for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
        if container.get(name) is not None
    ]


def _name_errors(container: dict[str, Any], path: str, seen: set[str]) -> list[Cause]:
    name = container.get("name", "")
    if name in seen:
        return [fielderrors.duplicate(f"{path}.name", name)]
    if name:
        seen.add(name)
    return []


def _shared_errors(
    container: dict[str, Any], path: str, volumes: set[str], spec: Object
) -> list[Cause]:
    """Check what containers of all sorts have, in the order of the API server."""
    errors: list[Cause] = []
    name, image = container.get("name", ""), container.get("image", "")
    if not name:
        errors.append(fielderrors.required(f"{path}.name"))
    else:
        errors += [fielderrors.invalid(f"{path}.name", name, t) for t in dns_label_errors(name)]
    if not image:
        errors.append(fielderrors.required(f"{path}.image"))
    elif image != image.strip():
        text = "must not have leading or trailing whitespace"
        errors.append(fielderrors.invalid(f"{path}.image", image, text))
    message = container.get("terminationMessagePolicy")
    if message not in _MESSAGES:
        where = f"{path}.terminationMessagePolicy"
        errors.append(fielderrors.not_supported(where, message, _MESSAGES))
    errors += _port_errors(container, path)
    errors += environment_errors(container, path)
    errors += mount_errors(container, path, volumes)
    policy = container.get("imagePullPolicy")
    if policy not in _PULL:
        errors.append(fielderrors.not_supported(f"{path}.imagePullPolicy", policy, _PULL))
    errors += resource_errors(container.get("resources") or {}, f"{path}.resources")
    context = container.get("securityContext")
    if context is not None:
        errors += container_security_errors(context, f"{path}.securityContext", spec)
    return errors


def _port_errors(container: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(container.get("ports") or []):
        where, name = f"{path}.ports[{index}]", port.get("name", "")
        bad = port_name_errors(name) if name else []
        errors += [fielderrors.invalid(f"{where}.name", name, text) for text in bad]
        if name in names and not bad:
            errors.append(fielderrors.duplicate(f"{where}.name", name))
        if name:
            names.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            errors.append(fielderrors.required(f"{where}.containerPort"))
        else:
            errors += port_errors(number, f"{where}.containerPort")
        if port.get("hostPort"):
            errors += port_errors(port["hostPort"], f"{where}.hostPort")
        protocol = port.get("protocol", "")
        if protocol not in PROTOCOLS:
            errors.append(fielderrors.not_supported(f"{where}.protocol", protocol, PROTOCOLS))
    return errors


def _host_port_errors(containers: list[dict[str, Any]], path: str) -> list[Cause]:
    """Refuse a port of the node that two containers want."""
    errors: list[Cause] = []
    taken: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or []):
            if not port.get("hostPort"):
                continue
            text = f"{port.get('protocol')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if text in taken:
                where = f"{path}[{index}].ports[{number}].hostPort"
                errors.append(fielderrors.duplicate(where, text))
            taken.add(text)
    return errors
