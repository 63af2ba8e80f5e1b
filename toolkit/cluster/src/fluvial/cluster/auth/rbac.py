"""The RBAC authorizer, with the escalation checks of roles and bindings.

`system:masters` may do everything. All else comes from the stored roles and bindings, read at
each request, so a change has effect at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from fluvial.cluster.endpoints import Endpoints, User
from fluvial.cluster.errors import StatusError, forbidden, not_found
from fluvial.cluster.objects import Object

__all__ = ["Attributes", "Authorizer", "Decision"]

GROUP = "rbac.authorization.k8s.io"
_CLUSTER_BINDINGS = f"{GROUP}/clusterrolebindings"
_BINDINGS = f"{GROUP}/rolebindings"
Rule = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Attributes:
    """What a request does: on a resource, or (`path` set) on a URL."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """Return `resource/subresource`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """The verdict; `reason` names the binding that allows, as reviews show it."""

    allowed: bool
    reason: str = ""


def _covers(rule: Rule, wanted: Attributes) -> bool:
    verbs = rule.get("verbs") or []
    if "*" not in verbs and wanted.verb not in verbs:
        return False
    if wanted.path:
        return any(_path_covers(url, wanted.path) for url in rule.get("nonResourceURLs") or [])
    groups = rule.get("apiGroups") or []
    if "*" not in groups and wanted.group not in groups:
        return False
    names = rule.get("resourceNames") or []
    if names and wanted.name not in names:
        return False
    return any(_resource_covers(item, wanted) for item in rule.get("resources") or [])


def _path_covers(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url[:-1]))


def _resource_covers(item: str, wanted: Attributes) -> bool:
    if item in ("*", wanted.full_resource):
        return True
    return bool(wanted.subresource) and item == f"*/{wanted.subresource}"


def _sanitized(text: str) -> str:
    """Keep what users choose from looking like a tag."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Authorizer:
    """Decides by the roles and bindings of one control plane."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def authorize(self, user: User, wanted: Attributes) -> Decision:
        """Return the decision; the reason of a refusal is that roles of bindings are missing."""
        if "system:masters" in user.groups:
            return Decision(True)
        for rule, reason in self._rules(user, wanted.namespace):
            if _covers(rule, wanted):
                return Decision(True, reason)
        missing = self.missing(user, wanted.namespace)
        return Decision(False, f"RBAC: {missing}" if missing else "")

    def missing(self, user: User, namespace: str) -> str:
        """Tell which roles that a user is bound to are not there; empty when all are."""
        found: dict[str, None] = {}
        for binding, place in self._bindings(namespace):
            subjects = binding.get("subjects") or []
            role = binding["roleRef"]
            is_bound = any(_is_subject(each, user, place) for each in subjects)
            if is_bound and not self._exists(role, place):
                found[f'{role["kind"].lower()}.{GROUP} "{role["name"]}" not found'] = None
        return ", ".join(found) if len(found) < 2 else f"[{', '.join(found)}]"

    def _bindings(self, namespace: str) -> Iterator[tuple[Object, str]]:
        """Yield bindings and where they count, in the order in which upstream visits them."""
        store = self._endpoints.store
        for entry in store.entries(_CLUSTER_BINDINGS):
            yield entry.object, ""
        if namespace:
            for entry in store.entries(_BINDINGS, namespace):
                yield entry.object, namespace

    def rules(self, user: User, namespace: str) -> list[Rule]:
        """Return all rules that a user has in a namespace, for reviews."""
        return [rule for rule, _ in self._rules(user, namespace)]

    def _rules(self, user: User, namespace: str) -> Iterator[tuple[Rule, str]]:
        for binding, place in self._bindings(namespace):
            kind = "RoleBinding" if place else "ClusterRoleBinding"
            yield from self._bound(binding, user, kind, place)

    def _bound(
        self, binding: Object, user: User, kind: str, namespace: str
    ) -> Iterator[tuple[Rule, str]]:
        for subject in binding.get("subjects") or []:
            if not _is_subject(subject, user, namespace):
                continue
            role = binding["roleRef"]
            name = binding["metadata"]["name"]
            shown = f"{name}/{namespace}" if namespace else name
            whom = f'{subject["kind"]} "{subject["name"]}'
            if subject["kind"] == "ServiceAccount":
                whom += f"/{subject.get('namespace') or namespace}"
            reason = (
                f'RBAC: allowed by {kind} "{shown}" of {role["kind"]} "{role["name"]}" to {whom}"'
            )
            for rule in self.role_rules(role, namespace):
                yield rule, reason
            return

    def role_rules(self, role: Object, namespace: str) -> list[Rule]:
        """Return the rules of a role reference; none when the role is missing."""
        prefix = f"{GROUP}/roles" if role.get("kind") == "Role" else f"{GROUP}/clusterroles"
        place = namespace if role.get("kind") == "Role" else ""
        entry = self._endpoints.store.get(prefix, (place, role.get("name", "")))
        return list(entry.object.get("rules") or []) if entry else []

    def refusal(self, user: User, wanted: Attributes) -> StatusError:
        """Return the 403 for a request that was not allowed."""
        reason = self.authorize(user, wanted).reason
        because = f": {reason}" if reason else ""
        if wanted.path:
            text = f'User "{user.name}" cannot {wanted.verb} path "{wanted.path}"'
            return StatusError(403, "Forbidden", f"forbidden: {_sanitized(text)}{because}", {})
        scope = (
            f'in the namespace "{wanted.namespace}"'
            if wanted.namespace
            else ("at the cluster scope")
        )
        why = (
            f'User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" in API '
            f'group "{wanted.group}" {scope}'
        )
        why = _sanitized(why) + because
        error = forbidden(wanted.group, wanted.resource, wanted.name, why)
        if not wanted.name:
            qualified = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
            error.message = f"{qualified} is forbidden: {why}"
        return error

    def guard(self, obj: Object, old: Object | None, user: User) -> None:
        """Refuse a role or binding that gives rights which its author lacks."""
        if "system:masters" in user.groups or not obj["apiVersion"].startswith(GROUP):
            return
        kind, meta = obj["kind"], obj["metadata"]
        namespace = meta.get("namespace", "")
        if kind in ("Role", "ClusterRole"):
            rules = obj.get("rules") or []
            if old is not None and rules == (old.get("rules") or []):
                return
            verb, resource, name = "escalate", kind.lower() + "s", meta["name"]
        else:
            role = obj["roleRef"]
            if not self._exists(role, namespace):
                raise not_found(GROUP, f"{kind.lower()}s", role.get("name", ""))
            if old is not None and (obj.get("subjects"), role) == (
                old.get("subjects"), old["roleRef"],
            ):  # fmt: skip
                return
            rules = self.role_rules(role, namespace)
            verb, resource, name = "bind", role["kind"].lower() + "s", role["name"]
        wanted = Attributes(verb, GROUP, resource, namespace=namespace, name=name)
        if self.authorize(user, wanted).allowed:
            return
        missing = self._missing(user, namespace, rules)
        if missing:
            raise self._escalation(obj, user, missing)

    def _exists(self, role: Object, namespace: str) -> bool:
        prefix = f"{GROUP}/roles" if role.get("kind") == "Role" else f"{GROUP}/clusterroles"
        place = namespace if role.get("kind") == "Role" else ""
        return self._endpoints.store.get(prefix, (place, role.get("name", ""))) is not None

    def _missing(self, user: User, namespace: str, rules: list[Rule]) -> list[Rule]:
        owned = [rule for rule, _ in self._rules(user, namespace)]
        return [
            single
            for rule in rules
            for single in _split(rule)
            if not any(_rule_covers(mine, single) for mine in owned)
        ]

    @staticmethod
    def _escalation(obj: Object, user: User, missing: list[Rule]) -> StatusError:
        groups = " ".join(f'"{name}"' for name in user.groups)
        shown = "\n".join(sorted(_compact(missing)))
        why = (
            f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not '
            f"currently held:\n{shown}"
        )
        plural = obj["kind"].lower() + "s"
        return forbidden(GROUP, plural, obj["metadata"]["name"], why)


def _is_subject(subject: Object, user: User, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name")
    if kind == "User":
        return name == user.name
    if kind == "Group":
        return name in user.groups
    place = subject.get("namespace") or namespace
    return kind == "ServiceAccount" and user.name == f"system:serviceaccount:{place}:{name}"


def _split(rule: Rule) -> Iterator[Rule]:
    for verb in rule.get("verbs") or []:
        for url in rule.get("nonResourceURLs") or []:
            yield {"verbs": [verb], "nonResourceURLs": [url]}
        for group in rule.get("apiGroups") or []:
            for resource in rule.get("resources") or []:
                single = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                names = rule.get("resourceNames") or []
                if not names:
                    yield single
                for name in names:
                    yield {**single, "resourceNames": [name]}


def _rule_covers(mine: Rule, single: Rule) -> bool:
    verb = single["verbs"][0]
    if "*" not in (mine.get("verbs") or []) and verb not in (mine.get("verbs") or []):
        return False
    if "nonResourceURLs" in single:
        url = single["nonResourceURLs"][0]
        return any(_path_covers(own, url) for own in mine.get("nonResourceURLs") or [])
    groups = mine.get("apiGroups") or []
    if "*" not in groups and single["apiGroups"][0] not in groups:
        return False
    names = mine.get("resourceNames") or []
    if names and (single.get("resourceNames") or [None])[0] not in names:
        return False
    resource, _, sub = single["resources"][0].partition("/")
    wanted = Attributes("", resource=resource, subresource=sub)
    return any(_resource_covers(item, wanted) for item in mine.get("resources") or [])


def _compact(rules: list[Rule]) -> list[str]:
    merged: dict[tuple[str, ...], list[str]] = {}
    for rule in rules:
        key: tuple[str, ...]
        if "nonResourceURLs" in rule:
            key = ("", rule["nonResourceURLs"][0], "")
        else:
            name = (rule.get("resourceNames") or [""])[0]
            key = (rule["apiGroups"][0], rule["resources"][0], name, "r")
        verbs = merged.setdefault(key, [])
        if rule["verbs"][0] not in verbs:
            verbs.append(rule["verbs"][0])
    lines = []
    for key, verbs in merged.items():
        shown = " ".join(f'"{verb}"' for verb in verbs)
        if len(key) == 3:
            lines.append(f'{{NonResourceURLs:["{key[1]}"], Verbs:[{shown}]}}')
            continue
        names = f', ResourceNames:["{key[2]}"]' if key[2] else ""
        lines.append(f'{{APIGroups:["{key[0]}"], Resources:["{key[1]}"]{names}, Verbs:[{shown}]}}')
    return lines
