"""Who may name parameters in admission policies: who may read them.

Otherwise an author could have a policy tell what is in objects that they may not see. Same as
upstream, `pkg/registry/admissionregistration/*/authz.go`.
"""

from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.auth.rbac import Attributes, Authorizer
from fluvial.cluster.endpoints import Endpoints, User
from fluvial.cluster.errors import invalid
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["ParameterGuard"]

_GROUP = "admissionregistration.k8s.io"
_POLICIES = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
}


class ParameterGuard:
    """Guards the policies and bindings of one control plane."""

    def __init__(self, endpoints: Endpoints, authorizer: Authorizer) -> None:
        self._endpoints = endpoints
        self._authorizer = authorizer

    def guard(self, obj: Object, old: Object | None, user: User) -> None:
        """Refuse (422) a policy or binding with parameters that its author may not read."""
        kind = obj["kind"]
        if "system:masters" in user.groups or not obj["apiVersion"].startswith(f"{_GROUP}/"):
            return
        if kind in _POLICIES:
            self._guard_policy(obj, old, user)
        elif kind.removesuffix("Binding") in _POLICIES:
            self._guard_binding(obj, old, user)

    def _guard_policy(self, obj: Object, old: Object | None, user: User) -> None:
        wanted = obj["spec"].get("paramKind")
        if wanted is None or (old is not None and old["spec"].get("paramKind") == wanted):
            return
        group, resource = self._place(wanted)
        attributes = Attributes("get", group, resource, namespace="*", name="*")
        if not self._authorizer.authorize(user, attributes).allowed:
            text = (
                f'user {_shown(user)} must have "get" permission on all objects of the referenced '
                f"paramKind (kind={wanted['kind']}, apiVersion={wanted['apiVersion']})"
            )
            cause = fielderrors.forbidden("spec.paramKind", text)
            raise invalid(_GROUP, obj["kind"], obj["metadata"]["name"], [cause])

    def _guard_binding(self, obj: Object, old: Object | None, user: User) -> None:
        spec = obj["spec"]
        reference, name = spec.get("paramRef"), spec.get("policyName")
        before = {} if old is None else old["spec"]
        if reference is None or (before.get("paramRef"), before.get("policyName")) == (
            reference, name,
        ):  # fmt: skip
            return
        prefix = f"{_GROUP}/{_POLICIES[obj['kind'].removesuffix('Binding')]}"
        policy = self._endpoints.store.get(prefix, ("", str(name)))
        kind = None if policy is None else policy.object["spec"].get("paramKind")
        group, resource = ("*", "*") if kind is None else self._place(kind)
        verb = "get" if reference.get("name") else "list"
        attributes = Attributes(
            verb,
            group,
            resource,
            namespace=reference.get("namespace") or "",
            name=reference.get("name") or "",
        )
        if not self._authorizer.authorize(user, attributes).allowed:
            text = (
                f'user {_shown(user)} does not have "{verb}" permission on the object referenced '
                "by paramRef"
            )
            cause = fielderrors.forbidden("spec.paramRef", text)
            raise invalid(_GROUP, obj["kind"], obj["metadata"]["name"], [cause])

    def _place(self, kind: Object) -> tuple[str, str]:
        """Return group and plural name of a kind; one that is not served may be any resource."""
        group, _, version = kind["apiVersion"].rpartition("/")
        found: Resource | None = self._endpoints.catalog.find_kind(group, version, kind["kind"])
        return group, "*" if found is None else found.plural


def _shown(user: User) -> str:
    """Print a user as Go prints the struct."""
    return f"&{{{user.name} {user.uid} [{' '.join(user.groups)}] map[]}}"
