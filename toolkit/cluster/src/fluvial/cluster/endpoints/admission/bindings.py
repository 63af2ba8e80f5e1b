"""Which policies a request meets: constraints, bindings, and the parameters these give.

The same for validating and mutating policies, as upstream
(`apiserver/pkg/admission/plugin/policy/generic`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable

from fluvial.cluster.builtin import labelselectors
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.matching import Match, Matcher, selects_object
from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object

__all__ = ["Bindings", "Invocation", "Problem", "name_of"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """One policy that applies to a request: by a binding, with one of its parameters or none."""

    policy: Object
    binding: Object
    match: Match
    parameters: Object | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is called again by: names of policy and binding, and of the parameters."""
        meta = (self.parameters or {}).get("metadata") or {}
        own = meta.get("namespace") or "", meta.get("name") or ""
        return (name_of(self.policy), name_of(self.binding), *own)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A policy (`binding` is None) or binding that cannot be used: its failure policy decides."""

    policy: Object
    binding: Object | None
    text: str

    @property
    def counts(self) -> bool:
        """Tell whether the request is refused for it."""
        return bool(self.policy["spec"].get("failurePolicy") != "Ignore")


class _ConfigurationError(Exception):
    """A binding cannot be used; the message is upstream's."""


def name_of(obj: Object) -> str:
    """Return the name of a policy or binding."""
    return str(obj["metadata"]["name"])


class Bindings:
    """Finds the policies that apply to requests of one control plane."""

    def __init__(self, matcher: Matcher, access: Access) -> None:
        self._matcher = matcher
        self._access = access

    def namespace(self, asked: Attributes) -> Object | None:
        """Return what `namespaceObject` is in expressions."""
        return self._matcher.namespace(asked)

    async def meeting(
        self, asked: Attributes, registered: Iterable[tuple[Object, list[Object]]]
    ) -> AsyncIterator[Invocation | Problem]:
        """Yield what applies of policies with their bindings, in order."""
        for policy, bindings in registered:
            try:
                match = self._match(policy["spec"].get("matchConstraints") or {}, asked)
            except StatusError as error:
                yield Problem(policy, None, f"failed to configure policy: {error}")
                continue
            if match is None:
                continue
            for binding in bindings:
                try:
                    resources = binding["spec"].get("matchResources")
                    if resources is not None and self._match(resources, asked) is None:
                        continue
                    every = await self._parameters(policy, binding, asked)
                except (StatusError, _ConfigurationError) as error:
                    yield Problem(policy, binding, f"failed to configure binding: {error}")
                    continue
                for parameters in every:
                    yield Invocation(policy, binding, match, parameters)

    def _match(self, criteria: Object, asked: Attributes) -> Match | None:
        """Return how `matchConstraints` or `matchResources` take a request."""
        refusal = self._matcher.namespace_refusal(criteria.get("namespaceSelector") or {}, asked)
        if refusal is True or not selects_object(criteria.get("objectSelector") or {}, asked):
            return None
        policy = criteria.get("matchPolicy") or "Equivalent"
        if self._matcher.rule(criteria.get("excludeResourceRules") or [], policy, asked):
            return None
        rules = criteria.get("resourceRules") or []
        match = (
            self._matcher.rule(rules, policy, asked) if rules else Match(asked.resource, asked.kind)
        )
        if match is not None and isinstance(refusal, StatusError):
            raise refusal
        return match

    async def _parameters(
        self, policy: Object, binding: Object, asked: Attributes
    ) -> list[Object | None]:
        """Return the objects that a binding gives a policy; none at all means: does not apply."""
        kind, reference = policy["spec"].get("paramKind"), binding["spec"].get("paramRef")
        if kind is None or reference is None:
            return [None]
        group, _, version = kind["apiVersion"].rpartition("/")
        resource = self._access.endpoints.catalog.find_kind(group, version, kind["kind"])
        if resource is None:
            shown = f"&ParamKind{{APIVersion:{kind['apiVersion']},Kind:{kind['kind']},}}"
            raise _ConfigurationError(f"paramKind kind `{shown}` not known")
        namespace = reference.get("namespace") or ""
        if resource.namespaced:
            namespace = namespace or asked.namespace
            if not namespace:
                raise _ConfigurationError(
                    "cannot use namespaced paramRef in policy binding that matches "
                    "cluster-scoped resources"
                )
        elif namespace:
            raise _ConfigurationError(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        store, place = self._access.store, (resource.prefix, namespace)
        await self._access.load(resource, lambda: store.entries(*place))
        found: list[Object | None] = []
        for entry in store.entries(*place):
            view = self._access.view(resource, entry)
            labels = view["metadata"].get("labels") or {}
            if reference.get("name"):
                if entry.key[1] == reference["name"]:
                    found.append(view)
            elif labelselectors.matches(reference.get("selector") or {}, labels):
                found.append(view)
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise _ConfigurationError(
                "no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        return found
