"""Probes and lifecycle hooks of containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.numbers import (
    nonnegative_errors,
    port_errors,
    port_reference_errors,
)
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import header_name_errors

__all__ = ["lifecycle_errors", "probe_errors"]

_TIMES = (
    "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
    "failureThreshold",
)  # fmt: skip


def probe_errors(container: dict[str, Any], path: str) -> list[Cause]:
    """Check the liveness, readiness and startup probe of a container."""
    errors: list[Cause] = []
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is None:
            continue
        where = f"{path}.{name}"
        errors += _handler_errors(probe, where)
        errors += nonnegative_errors(probe, where, *_TIMES)
        grace = probe.get("terminationGracePeriodSeconds")
        field = f"{where}.terminationGracePeriodSeconds"
        if grace is not None and grace <= 0:
            errors.append(fielderrors.invalid(field, grace, "must be greater than 0"))
        if name == "readinessProbe":
            if grace is not None:
                text = "must not be set for readinessProbes"
                errors.append(fielderrors.invalid(field, grace, text))
        elif probe.get("successThreshold") != 1:
            value = probe.get("successThreshold", 0)
            errors.append(fielderrors.invalid(f"{where}.successThreshold", value, "must be 1"))
    return errors


def lifecycle_errors(lifecycle: dict[str, Any], path: str, grace: int) -> list[Cause]:
    """Check the hooks of a container; a sleep must end within `grace` seconds."""
    errors: list[Cause] = []
    for name in ("postStart", "preStop"):
        if lifecycle.get(name) is not None:
            errors += _handler_errors(lifecycle[name], f"{path}.{name}")
            errors += _sleep_errors(lifecycle[name].get("sleep"), f"{path}.{name}.sleep", grace)
    return errors


def _sleep_errors(action: dict[str, Any] | None, path: str, grace: int) -> list[Cause]:
    seconds = (action or {}).get("seconds", 0)
    if 0 <= seconds <= grace:
        return []
    text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
    return [fielderrors.invalid(path, seconds, text)]


def _handler_errors(handler: dict[str, Any], path: str) -> list[Cause]:
    """Check that one handler is there, and what it says."""
    errors: list[Cause] = []
    given = [name for name in _HANDLERS if handler.get(name) is not None]
    for number, name in enumerate(given):
        where = f"{path}.{name}"
        if number:
            text = "may not specify more than 1 handler type"
            errors.append(fielderrors.forbidden(where, text))
        else:
            errors += _HANDLERS[name](handler[name], where)
    if not given:
        errors.append(fielderrors.required(path, "must specify a handler type"))
    return errors


def _exec_errors(action: dict[str, Any], path: str) -> list[Cause]:
    return [] if action.get("command") else [fielderrors.required(f"{path}.command")]


def _http_errors(action: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    if not action.get("path"):
        errors.append(fielderrors.required(f"{path}.path"))
    errors += port_reference_errors(action.get("port"), f"{path}.port")
    if action.get("scheme") not in ("HTTP", "HTTPS"):
        scheme = action.get("scheme", "")
        errors.append(fielderrors.not_supported(f"{path}.scheme", scheme, ("HTTP", "HTTPS")))
    for header in action.get("httpHeaders") or []:
        name = header.get("name", "")
        errors += [
            fielderrors.invalid(f"{path}.httpHeaders", name, text)
            for text in header_name_errors(name)
        ]
    return errors


def _tcp_errors(action: dict[str, Any], path: str) -> list[Cause]:
    return port_reference_errors(action.get("port"), f"{path}.port")


def _grpc_errors(action: dict[str, Any], path: str) -> list[Cause]:
    return port_errors(action.get("port", 0), f"{path}.port")


_HANDLERS: dict[str, Callable[[dict[str, Any], str], list[Cause]]] = {
    "exec": _exec_errors,
    "httpGet": _http_errors,
    "tcpSocket": _tcp_errors,
    "grpc": _grpc_errors,
    "sleep": lambda _action, _path: [],
}
"""In the order in which the API server looks at them; further ones are refused."""
