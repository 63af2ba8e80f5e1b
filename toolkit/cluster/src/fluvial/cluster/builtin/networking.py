"""Ingress, IngressClass, NetworkPolicy, EndpointSlice."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_subdomain_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


class IngressStrategy(Strategy):
    """Rules of Ingress."""

    def default(self, obj: Object) -> None:
        """Both parts are always written."""
        obj.setdefault("spec", {})
        obj.setdefault("status", {}).setdefault("loadBalancer", {})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Reset the status."""
        obj["status"] = {"loadBalancer": {}}

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check rules, paths and backends."""
        spec, errors = obj["spec"], []
        if not spec.get("rules") and not spec.get("defaultBackend"):
            text = "either `defaultBackend` or `rules` must be specified"
            errors.append(fielderrors.invalid("spec", [], text))
        if spec.get("defaultBackend"):
            errors += _backend_errors(spec["defaultBackend"], "spec.defaultBackend")
        for index, rule in enumerate(spec.get("rules") or []):
            path = f"spec.rules[{index}]"
            host = rule.get("host", "")
            bare = host.removeprefix("*.")
            if bare:
                errors += [
                    fielderrors.invalid(f"{path}.host", host, text)
                    for text in dns_subdomain_errors(bare)
                ]
            http = rule.get("http")
            if http is None:
                continue
            if not http.get("paths"):
                errors.append(fielderrors.required(f"{path}.http.paths"))
            for number, item in enumerate(http.get("paths") or []):
                errors += _path_errors(item, f"{path}.http.paths[{number}]")
        return errors


def _path_errors(item: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    kind = item.get("pathType")
    if kind is None:
        return [fielderrors.required(f"{path}.pathType", "pathType must be specified")]
    if kind not in PATH_TYPES:
        errors.append(fielderrors.not_supported(f"{path}.pathType", kind, PATH_TYPES))
    elif kind != "ImplementationSpecific" and not item.get("path", "").startswith("/"):
        text = "must be an absolute path"
        errors.append(fielderrors.invalid(f"{path}.path", item.get("path", ""), text))
    return errors + _backend_errors(item.get("backend") or {}, f"{path}.backend")


def _backend_errors(backend: dict[str, Any], path: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is None and resource is None:
        return [fielderrors.required(path, "resource or service backend is required")]
    if service is not None and resource is not None:
        return [fielderrors.invalid(path, "", "cannot set both resource and service backends")]
    if service is None:
        return []
    errors: list[Cause] = []
    if not service.get("name"):
        errors.append(fielderrors.required(f"{path}.service.name"))
    port = service.get("port") or {}
    if not port.get("name") and not port.get("number"):
        errors.append(fielderrors.required(f"{path}.service", "port name or number is required"))
    return errors


class NetworkPolicyStrategy(Strategy):
    """Rules of NetworkPolicy."""

    status = False

    def default(self, obj: Object) -> None:
        """Default protocols and policy types."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        for rules in (spec.get("ingress") or [], spec.get("egress") or []):
            for rule in rules:
                for port in rule.get("ports") or []:
                    port.setdefault("protocol", "TCP")
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]


class ClassStrategy(Strategy):
    """Rules of IngressClass."""

    def default(self, obj: Object) -> None:
        """Write the spec always; parameters are cluster-wide."""
        parameters = obj.setdefault("spec", {}).get("parameters")
        if isinstance(parameters, dict):
            parameters.setdefault("scope", "Cluster")


class SliceStrategy(Strategy):
    """Rules of EndpointSlice."""

    def default(self, obj: Object) -> None:
        """Default ports; endpoints and ports are always written."""
        obj.setdefault("endpoints", None)
        obj.setdefault("ports", None)
        for port in obj.get("ports") or []:
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")


STRATEGIES: dict[str, Strategy] = {
    "networking.k8s.io/ingresses": IngressStrategy(),
    "networking.k8s.io/networkpolicies": NetworkPolicyStrategy(),
    "networking.k8s.io/ingressclasses": ClassStrategy(),
    "discovery.k8s.io/endpointslices": SliceStrategy(),
}
