"""Ingress and IngressClass."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.numbers import port_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import (
    dns_label_errors,
    dns_subdomain_errors,
    label_key_errors,
    path_segment_errors,
    port_name_errors,
    service_name_errors,
    wildcard_subdomain_errors,
)
from fluvial.cluster.objects import Object

__all__ = ["ClassStrategy", "IngressStrategy"]

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_CLASS_NOTE = "kubernetes.io/ingress.class"
_BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDINGS = ("/..", "/.")


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
        """Check rules, paths, backends and certificates."""
        spec, errors = obj["spec"], []
        if not spec.get("rules") and spec.get("defaultBackend") is None:
            text = "either `defaultBackend` or `rules` must be specified"
            errors.append(fielderrors.invalid("spec", spec.get("rules"), text))
        if spec.get("defaultBackend") is not None:
            errors += _backend_errors(spec["defaultBackend"], "spec.defaultBackend")
        for index, rule in enumerate(spec.get("rules") or []):
            errors += _rule_errors(rule, f"spec.rules[{index}]")
        errors += _certificate_errors(spec.get("tls") or [], "spec.tls")
        name = spec.get("ingressClassName")
        if name is not None:
            errors += [
                fielderrors.invalid("spec.ingressClassName", name, text)
                for text in dns_subdomain_errors(name)
            ]
        if name is not None and _CLASS_NOTE in (obj["metadata"].get("annotations") or {}):
            text = "can not be set when the class field is also set"
            where, value = f"metadata.annotations[{_CLASS_NOTE}]", obj["metadata"]["annotations"]
            if not obj["metadata"].get("resourceVersion"):  # only a new Ingress may not have both
                errors.append(fielderrors.invalid(where, value[_CLASS_NOTE], text))
        return errors

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Warn of the old way to choose a class."""
        if old is not None or _CLASS_NOTE not in (obj["metadata"].get("annotations") or {}):
            return []
        instead = "please use 'spec.ingressClassName' instead"
        return [f'annotation "{_CLASS_NOTE}" is deprecated, {instead}']


def _rule_errors(rule: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    host = rule.get("host", "")
    if host:
        if _is_address(host):
            text = "must be a DNS name, not an IP address"
            errors.append(fielderrors.invalid(f"{path}.host", host, text))
        bad = wildcard_subdomain_errors(host) if "*" in host else dns_subdomain_errors(host)
        errors += [fielderrors.invalid(f"{path}.host", host, text) for text in bad]
    http = rule.get("http")
    if http is None:
        return errors
    if not http.get("paths"):
        errors.append(fielderrors.required(f"{path}.http.paths"))
    for number, item in enumerate(http.get("paths") or []):
        errors += _path_errors(item, f"{path}.http.paths[{number}]")
    return errors


def _is_address(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def _path_errors(item: dict[str, Any], path: str) -> list[Cause]:
    kind, place = item.get("pathType"), item.get("path", "")
    if kind is None:
        return [fielderrors.required(f"{path}.pathType", "pathType must be specified")]
    errors: list[Cause] = []
    if kind in ("Exact", "Prefix"):
        if not place.startswith("/"):
            text = "must be an absolute path"
            errors.append(fielderrors.invalid(f"{path}.path", place, text))
        if place:
            errors += [
                fielderrors.invalid(f"{path}.path", place, f"must not contain '{bad}'")
                for bad in _BAD_SEQUENCES
                if bad in place
            ]
            errors += [
                fielderrors.invalid(f"{path}.path", place, f"cannot end with '{bad}'")
                for bad in _BAD_ENDINGS
                if place.endswith(bad)
            ]
    elif kind == "ImplementationSpecific":
        if place and not place.startswith("/"):
            text = "must be an absolute path"
            errors.append(fielderrors.invalid(f"{path}.path", place, text))
    else:
        errors.append(fielderrors.not_supported(f"{path}.pathType", kind, _PATH_TYPES))
    return errors + _backend_errors(item.get("backend") or {}, f"{path}.backend")


def _backend_errors(backend: dict[str, Any], path: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        return [fielderrors.invalid(path, "", "cannot set both resource and service backends")]
    if resource is not None:
        return _reference_errors(resource, f"{path}.resource")
    if service is None:
        return [fielderrors.required(path, "resource or service backend is required")]
    errors: list[Cause] = []
    name, port = service.get("name", ""), service.get("port") or {}
    if not name:
        errors.append(fielderrors.required(f"{path}.service.name"))
    else:
        errors += [
            fielderrors.invalid(f"{path}.service.name", name, text)
            for text in service_name_errors(name)
        ]
    number, called = port.get("number", 0), port.get("name", "")
    where = f"{path}.service"
    if called and number:
        errors.append(fielderrors.invalid(where, "", "cannot set both port name & port number"))
    elif called:
        errors += [
            fielderrors.invalid(f"{where}.port.name", called, text)
            for text in port_name_errors(called)
        ]
    elif number:
        errors += port_errors(number, f"{where}.port.number")
    else:
        errors.append(fielderrors.required(where, "port name or number is required"))
    return errors


def _reference_errors(reference: dict[str, Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    group = reference.get("apiGroup")
    if group is not None:
        errors += [
            fielderrors.invalid(f"{path}.apiGroup", group, text)
            for text in dns_subdomain_errors(group)
        ]
    for key in ("kind", "name"):
        value = reference.get(key, "")
        if not value:
            errors.append(fielderrors.required(f"{path}.{key}", f"{key} is required"))
        errors += [
            fielderrors.invalid(f"{path}.{key}", value, text) for text in path_segment_errors(value)
        ]
    return errors


def _certificate_errors(entries: list[Any], path: str) -> list[Cause]:
    errors: list[Cause] = []
    for index, entry in enumerate(entries):
        for number, host in enumerate(entry.get("hosts") or []):
            bad = wildcard_subdomain_errors(host) if "*" in host else dns_subdomain_errors(host)
            where = f"{path}[{index}].hosts[{number}]"
            errors += [fielderrors.invalid(where, host, text) for text in bad]
        name = entry.get("secretName", "")
        if name:
            errors += [
                fielderrors.invalid(f"{path}[{index}].secretName", name, text)
                for text in dns_subdomain_errors(name)
            ]
    return errors


class ClassStrategy(Strategy):
    """Rules of IngressClass."""

    def default(self, obj: Object) -> None:
        """Write the spec always; parameters are cluster-wide."""
        parameters = obj.setdefault("spec", {}).get("parameters")
        if isinstance(parameters, dict):
            parameters.setdefault("scope", "Cluster")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check controller and parameters."""
        spec = obj["spec"]
        name, errors = spec.get("controller", ""), []
        if len(name) > 250:
            errors.append(fielderrors.too_long("spec.controller", 250))
        errors += [
            fielderrors.invalid("spec.controller", name, text)
            for text in (_domain_path_errors(name) if name else ())
        ]
        if not name:
            errors.append(fielderrors.required("spec.controller"))
        parameters = spec.get("parameters")
        if parameters is not None:
            errors += _parameter_errors(parameters, "spec.parameters")
        return errors

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another controller."""
        name = obj["spec"].get("controller")
        if name == old["spec"].get("controller"):
            return []
        return [fielderrors.immutable("spec.controller", name)]


def _domain_path_errors(name: str) -> list[str]:
    domain, slash, rest = name.partition("/")
    if not slash or not domain or not rest:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    return dns_subdomain_errors(domain) + label_key_errors(rest.replace("/", "."))


def _parameter_errors(parameters: dict[str, Any], path: str) -> list[Cause]:
    errors = _reference_errors(parameters, path)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    kinds = ("Cluster", "Namespace")
    if scope not in kinds:
        errors.append(fielderrors.not_supported(f"{path}.scope", scope, kinds))
    elif scope == "Namespace" and namespace is None:
        text = "`parameters.scope` is set to 'Namespace'"
        errors.append(fielderrors.required(f"{path}.namespace", text))
    elif scope == "Cluster" and namespace is not None:
        text = "`parameters.scope` is set to 'Cluster'"
        errors.append(fielderrors.forbidden(f"{path}.namespace", text))
    elif namespace is not None:
        errors += [
            fielderrors.invalid(f"{path}.namespace", namespace, text)
            for text in dns_label_errors(namespace)
        ]
    return errors
