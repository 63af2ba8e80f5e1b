"""What is registered: the webhooks and policies of the store, in the order of their calls."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.objects import Object
from fluvial.cluster.storage import CompactedError

__all__ = ["Hook", "Registry"]

_GROUP = "admissionregistration.k8s.io"
_MUTATING = f"{_GROUP}/mutatingwebhookconfigurations"
_VALIDATING = f"{_GROUP}/validatingwebhookconfigurations"
_POLICIES = f"{_GROUP}/validatingadmissionpolicies"
_BINDINGS = f"{_GROUP}/validatingadmissionpolicybindings"
_MUTATIONS = f"{_GROUP}/mutatingadmissionpolicies"
_MUTATION_BINDINGS = f"{_GROUP}/mutatingadmissionpolicybindings"
_KINDS = (_MUTATING, _VALIDATING, _POLICIES, _BINDINGS, _MUTATIONS, _MUTATION_BINDINGS)

_Bound = list[tuple[Object, list[Object]]]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """One webhook; `spec` is its entry in the configuration named `configuration`."""

    configuration: str
    spec: Object
    mutating: bool

    @property
    def name(self) -> str:
        """Return the name that errors give."""
        return str(self.spec["name"])

    @property
    def key(self) -> tuple[str, str]:
        """What it is called again by."""
        return self.configuration, self.name

    @property
    def ignores_failure(self) -> bool:
        """Tell whether a request goes on when the webhook cannot be asked."""
        return self.spec.get("failurePolicy") == "Ignore"


class Registry:
    """Webhooks by name of configuration and place in it, policies with their bindings by name.

    Read again when one of these kinds has changed, so that a write after the answer to a
    registration already meets it. (A real server takes a moment to see it.)
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._cursor = -1
        self._mutating: list[Hook] = []
        self._validating: list[Hook] = []
        self._policies: _Bound = []
        self._mutations: _Bound = []

    @property
    def idle(self) -> bool:
        """Tell whether nothing is registered."""
        self._refresh()
        return not (self._mutating or self._validating or self._policies or self._mutations)

    @property
    def mutating(self) -> list[Hook]:
        """The mutating webhooks."""
        self._refresh()
        return self._mutating

    @property
    def validating(self) -> list[Hook]:
        """The validating webhooks."""
        self._refresh()
        return self._validating

    @property
    def policies(self) -> _Bound:
        """The validating policies that are bound, each with its bindings."""
        self._refresh()
        return self._policies

    @property
    def mutations(self) -> _Bound:
        """The mutating policies that are bound, each with its bindings."""
        self._refresh()
        return self._mutations

    def _refresh(self) -> None:
        if self._cursor >= 0 and not self._changed():
            return
        self._cursor = self._access.store.revision
        self._mutating = self._hooks(_MUTATING, mutating=True)
        self._validating = self._hooks(_VALIDATING, mutating=False)
        self._policies = self._bound(_POLICIES, _BINDINGS)
        self._mutations = self._bound(_MUTATIONS, _MUTATION_BINDINGS)

    def _bound(self, policies: str, prefix: str) -> _Bound:
        """Return policies with the bindings that name them."""
        bindings = [entry.object for entry in self._access.store.entries(prefix)]
        found = []
        for entry in self._access.store.entries(policies):
            own = [each for each in bindings if each["spec"].get("policyName") == entry.key[1]]
            if own:
                found.append((entry.object, own))
        return found

    def _changed(self) -> bool:
        store = self._access.store
        try:
            return any(store.events(prefix, self._cursor) for prefix in _KINDS)
        except CompactedError:
            return True

    def _hooks(self, prefix: str, *, mutating: bool) -> list[Hook]:
        return [
            Hook(entry.key[1], spec, mutating)
            for entry in self._access.store.entries(prefix)
            for spec in entry.object.get("webhooks") or []
        ]
