"""Configurations of admission webhooks: defaults and checks."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.conditions import conditions_errors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_subdomain_errors, service_name_errors
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES", "choice_errors", "rule_errors", "service_errors", "url_errors"]

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_URL = "desired format: https://host[/path]"


class WebhookStrategy(Strategy):
    """Rules of both kinds; `mutating` ones may be called again."""

    def __init__(self, *, mutating: bool) -> None:
        self.mutating = mutating

    def default(self, obj: Object) -> None:
        """Default policies, selectors, time and scope."""
        for hook in obj.get("webhooks") or []:
            hook.setdefault("failurePolicy", "Fail")
            hook.setdefault("matchPolicy", "Equivalent")
            hook.setdefault("namespaceSelector", {})
            hook.setdefault("objectSelector", {})
            hook.setdefault("timeoutSeconds", 10)
            if self.mutating:
                hook.setdefault("reinvocationPolicy", "Never")
            service = (hook.get("clientConfig") or {}).get("service")
            if isinstance(service, dict):
                service.setdefault("port", 443)
            for rule in hook.get("rules") or []:
                rule.setdefault("scope", "*")

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check every webhook."""
        errors: list[Cause] = []
        names: set[str] = set()
        for index, hook in enumerate(obj.get("webhooks") or []):
            path, name = f"webhooks[{index}]", hook.get("name", "")
            errors += self._hook_errors(hook, path)
            if name and name in names:
                errors.append(fielderrors.duplicate(f"{path}.name", name))
            names.add(name)
        return errors

    def _hook_errors(self, hook: dict[str, Any], path: str) -> list[Cause]:
        errors = _name_errors(hook.get("name", ""), f"{path}.name")
        for index, rule in enumerate(hook.get("rules") or []):
            errors += rule_errors(rule, f"{path}.rules[{index}]")
        errors += choice_errors(hook, path, "failurePolicy", ("Fail", "Ignore"))
        errors += choice_errors(hook, path, "matchPolicy", ("Equivalent", "Exact"))
        sides = ("None", "NoneOnDryRun")
        if hook.get("sideEffects") is None:
            text = f"must specify one of {', '.join(sides)}"
            errors.append(fielderrors.required(f"{path}.sideEffects", text))
        errors += choice_errors(hook, path, "sideEffects", sides)
        seconds = hook.get("timeoutSeconds")
        if seconds is not None and not 1 <= seconds <= 30:
            text = "the timeout value must be between 1 and 30 seconds"
            errors.append(fielderrors.invalid(f"{path}.timeoutSeconds", seconds, text))
        for name in ("namespaceSelector", "objectSelector"):
            errors += label_selector_errors(hook.get(name), f"{path}.{name}")
        if self.mutating:
            again = ("IfNeeded", "Never")
            errors += choice_errors(hook, path, "reinvocationPolicy", again)
        errors += _client_errors(hook.get("clientConfig") or {}, f"{path}.clientConfig")
        errors += conditions_errors(hook.get("matchConditions"), f"{path}.matchConditions")
        errors += _version_errors(
            hook.get("admissionReviewVersions"), f"{path}.admissionReviewVersions"
        )
        return errors


def choice_errors(
    hook: dict[str, Any], path: str, name: str, allowed: tuple[str, ...]
) -> list[Cause]:
    """Refuse a member with a value that is not one of those allowed."""
    value = hook.get(name)
    if value is None or value in allowed:
        return []
    return [fielderrors.not_supported(f"{path}.{name}", value, allowed)]


def _version_errors(versions: list[str] | None, path: str) -> list[Cause]:
    """Check the versions of reviews: each a label, none twice, one that can be sent."""
    if not versions:
        return [fielderrors.required(path, "must specify one of v1, v1beta1")]
    errors: list[Cause] = []
    for index, version in enumerate(versions):
        if version in versions[:index]:
            errors.append(fielderrors.invalid(f"{path}[{index}]", version, "duplicate version"))
        errors += [
            fielderrors.invalid(f"{path}[{index}]", version, text)
            for text in service_name_errors(version)
        ]
    if not errors and not {"v1", "v1beta1"}.intersection(versions):
        text = "must include at least one of v1, v1beta1"
        errors.append(fielderrors.invalid(path, versions, text))
    return errors


def _name_errors(name: str, path: str) -> list[Cause]:
    if not name:
        return [fielderrors.required(path)]
    bad = dns_subdomain_errors(name)
    if bad:
        return [fielderrors.invalid(path, name, ",".join(bad))]
    if name.count(".") < 2:
        text = "should be a domain with at least three segments separated by dots"
        return [fielderrors.invalid(path, name, text)]
    return []


def rule_errors(rule: dict[str, Any], path: str) -> list[Cause]:
    """Check a rule: operations, groups, versions, resources and scope."""
    errors: list[Cause] = []
    operations = rule.get("operations") or []
    if not operations:
        errors.append(fielderrors.required(f"{path}.operations"))
    if "*" in operations and len(operations) > 1:
        text = "if '*' is present, must not specify other operations"
        errors.append(fielderrors.invalid(f"{path}.operations", operations, text))
    errors += [
        fielderrors.not_supported(f"{path}.operations[{index}]", operation, _OPERATIONS)
        for index, operation in enumerate(operations)
        if operation not in _OPERATIONS
    ]
    for name in ("apiGroups", "apiVersions", "resources"):
        values = rule.get(name) or []
        if not values:
            errors.append(fielderrors.required(f"{path}.{name}"))
        if name != "resources" and "*" in values and len(values) > 1:
            kind = "API groups" if name == "apiGroups" else "API versions"
            text = f"if '*' is present, must not specify other {kind}"
            errors.append(fielderrors.invalid(f"{path}.{name}", values, text))
    return errors + choice_errors(rule, path, "scope", _SCOPES)


def _client_errors(config: dict[str, Any], path: str) -> list[Cause]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [fielderrors.required(path, "exactly one of url or service is required")]
    if service is None:
        return url_errors(str(url), f"{path}.url")
    return service_errors(service, f"{path}.service")


def service_errors(service: dict[str, Any], path: str) -> list[Cause]:
    """Check the Service that a webhook is behind.

    Upstream calls its check with name and namespace exchanged, so each is missed at the place of
    the other.
    """
    errors = [
        fielderrors.required(f"{path}.{shown}", f"service {shown} is required")
        for shown, key in (("name", "namespace"), ("namespace", "name"))
        if not service.get(key)
    ]
    port = service.get("port", 443)
    if not 0 < port < 65536:
        text = "port is not valid: must be between 1 and 65535, inclusive"
        errors.append(fielderrors.invalid(f"{path}.port", port, text))
    return errors + _path_errors(service.get("path") or "/", f"{path}.path")


def _path_errors(place: str, path: str) -> list[Cause]:
    """Check the path of a request to a Service: segments that are subdomains."""
    if place == "/":
        return []
    if place == "//":
        return [fielderrors.invalid(path, place, "segment[0] may not be empty")]
    errors: list[Cause] = []
    if not place.startswith("/"):
        errors.append(fielderrors.invalid(path, place, "must start with a '/'"))
    for index, segment in enumerate(place[1:].removesuffix("/").split("/")):
        texts = [f": {text}" for text in dns_subdomain_errors(segment)]
        errors += [
            fielderrors.invalid(path, place, f"segment[{index}]{text}")
            for text in (texts if segment else [" may not be empty"])
        ]
    return errors


def url_errors(url: str, path: str) -> list[Cause]:
    """Check the URL of a webhook."""
    parts = urlsplit(url)
    checks = (
        (parts.scheme != "https", parts.scheme, f"'https' is the only allowed URL scheme; {_URL}"),
        (not parts.netloc, parts.netloc, f"host must be specified; {_URL}"),
        (bool(parts.username), parts.username, "user information is not permitted in the URL"),
        (bool(parts.fragment), parts.fragment, "fragments are not permitted in the URL"),
        (bool(parts.query), parts.query, "query parameters are not permitted in the URL"),
    )
    return [fielderrors.invalid(path, value, text) for wrong, value, text in checks if wrong]


_GROUP = "admissionregistration.k8s.io"
STRATEGIES: dict[str, Strategy] = {
    f"{_GROUP}/validatingwebhookconfigurations": WebhookStrategy(mutating=False),
    f"{_GROUP}/mutatingwebhookconfigurations": WebhookStrategy(mutating=True),
}
