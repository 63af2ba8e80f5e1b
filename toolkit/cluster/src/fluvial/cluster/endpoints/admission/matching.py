"""Which requests a webhook or a policy is about: rules, selectors, equivalent versions."""

from __future__ import annotations

import dataclasses
from typing import Any

from fluvial.cluster.builtin import labelselectors
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes, Kind
from fluvial.cluster.errors import StatusError, not_found
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["Match", "Matcher", "exempt", "selects_object"]

_GROUP = "admissionregistration.k8s.io"
_EXEMPT = frozenset(
    {
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    }
)
_NAMESPACES = "/namespaces"


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """The version of a resource by which a rule took a request: the objects are shown in it."""

    resource: Resource
    kind: Kind


def exempt(asked: Attributes) -> bool:
    """Tell whether a request is about admission itself, which nothing is asked about."""
    return asked.kind.group == _GROUP and asked.kind.kind in _EXEMPT


class Matcher:
    """Matches requests of one control plane."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def rule(self, rules: list[Any], policy: str, asked: Attributes) -> Match | None:
        """Return by which version the rules take a request; None when they do not.

        With the match policy `Equivalent` a rule for another version of the same objects counts.
        """
        for rule in rules:
            if _takes(rule, asked, asked.resource):
                return Match(asked.resource, asked.kind)
        if policy != "Equivalent":
            return None
        others = [
            resource
            for resource in self._access.endpoints.catalog.stored_as(asked.resource.prefix)
            if resource is not asked.resource
        ]
        for rule in rules:
            for resource in others:
                if _takes(rule, asked, resource):
                    return Match(resource, Kind.of(resource, asked.subresource))
        return None

    def namespace_refusal(self, selector: Object, asked: Attributes) -> StatusError | bool:
        """Tell whether a namespace selector leaves a request out.

        What is in no namespace is never left out. The 404 is for a namespace that is not there:
        it counts only when everything else matches.
        """
        is_namespace = asked.resource.prefix == _NAMESPACES
        if (not asked.namespace and not is_namespace) or labelselectors.is_empty(selector):
            return False
        if is_namespace and not asked.subresource and asked.object is not None:
            found = asked.object
        else:
            entry = self._access.store.get(_NAMESPACES, ("", asked.namespace))
            if entry is None:
                return not_found("", "namespaces", asked.namespace)
            found = entry.object
        return not labelselectors.matches(selector, _labels(found))

    def namespace(self, asked: Attributes) -> Object | None:
        """Return the namespace of a request; None for what is in none."""
        if not asked.namespace or asked.resource.prefix == _NAMESPACES:
            return None
        entry = self._access.store.get(_NAMESPACES, ("", asked.namespace))
        return None if entry is None else entry.object


def selects_object(selector: Object, asked: Attributes) -> bool:
    """Tell whether the object before or after has the labels."""
    if labelselectors.is_empty(selector):
        return True
    return any(
        labelselectors.matches(selector, _labels(obj))
        for obj in (asked.object, asked.old)
        if obj is not None
    )


def _labels(obj: Object) -> dict[str, str]:
    return (obj.get("metadata") or {}).get("labels") or {}


def _takes(rule: Object, asked: Attributes, resource: Resource) -> bool:
    """Tell whether one rule takes a request as one about `resource`."""
    in_namespace = bool(asked.namespace) and resource.prefix != _NAMESPACES
    scope = rule.get("scope") or "*"
    return (
        (scope == "*" or in_namespace == (scope == "Namespaced"))
        and _listed(rule.get("operations"), asked.operation)
        and _listed(rule.get("apiGroups"), resource.group)
        and _listed(rule.get("apiVersions"), resource.version)
        and any(
            _names(text, resource.plural, asked.subresource) for text in rule.get("resources") or []
        )
        and (not rule.get("resourceNames") or asked.name in rule["resourceNames"])
    )


def _listed(items: list[str] | None, wanted: str) -> bool:
    return any(item in ("*", wanted) for item in items or [])


def _names(text: str, plural: str, subresource: str) -> bool:
    resource, _, sub = text.partition("/")
    return resource in ("*", plural) and sub in ("*", subresource)
