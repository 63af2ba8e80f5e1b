"""Role, ClusterRole and their bindings."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.labelselectors import label_selector_errors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import dns_subdomain_errors, path_segment_errors
from fluvial.cluster.objects import Object

__all__ = ["GROUP", "STRATEGIES"]

GROUP = "rbac.authorization.k8s.io"


class RoleStrategy(Strategy):
    """Rules of Role and ClusterRole."""

    generation = False
    name_errors = staticmethod(path_segment_errors)
    create_on_update = True

    def __init__(self, *, cluster_wide: bool) -> None:
        self.cluster_wide = cluster_wide

    def default(self, obj: Object) -> None:
        """Rules are always written."""
        obj.setdefault("rules", None)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Every rule needs verbs, and resources or URLs."""
        errors: list[Cause] = []
        for index, rule in enumerate(obj.get("rules") or []):
            errors += self._rule_errors(rule, f"rules[{index}]")
        aggregation = obj.get("aggregationRule")
        if aggregation is not None:
            selectors = aggregation.get("clusterRoleSelectors") or []
            where = "aggregationRule.clusterRoleSelectors"
            if not selectors:
                text = "at least one clusterRoleSelector required if aggregationRule is non-nil"
                errors.append(fielderrors.required(where, text))
            for index, selector in enumerate(selectors):
                errors += label_selector_errors(selector, f"{where}[{index}]")
        return errors

    def _rule_errors(self, rule: Object, path: str) -> list[Cause]:
        errors: list[Cause] = []
        if not rule.get("verbs"):
            text = "verbs must contain at least one value"
            errors.append(fielderrors.required(f"{path}.verbs", text))
        if rule.get("nonResourceURLs"):
            where = f"{path}.nonResourceURLs"
            if not self.cluster_wide:
                text = "namespaced rules cannot apply to non-resource URLs"
                errors.append(fielderrors.invalid(where, rule["nonResourceURLs"], text))
            if any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                errors.append(fielderrors.invalid(where, rule["nonResourceURLs"], text))
            return errors
        if not rule.get("apiGroups"):
            text = "resource rules must supply at least one api group"
            errors.append(fielderrors.required(f"{path}.apiGroups", text))
        if not rule.get("resources"):
            text = "resource rules must supply at least one resource"
            errors.append(fielderrors.required(f"{path}.resources", text))
        return errors


class BindingStrategy(Strategy):
    """Rules of RoleBinding and ClusterRoleBinding; `role_kinds` is what may be bound."""

    generation = False
    name_errors = staticmethod(path_segment_errors)
    create_on_update = True

    def __init__(self, *role_kinds: str) -> None:
        self.role_kinds = role_kinds

    def default(self, obj: Object) -> None:
        """Default the API groups of subjects and role."""
        for subject in obj.get("subjects") or []:
            if subject.get("kind") in ("User", "Group"):
                subject.setdefault("apiGroup", GROUP)
        obj.setdefault("roleRef", {}).setdefault("apiGroup", GROUP)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check the role and the subjects."""
        errors: list[Cause] = []
        role = obj.get("roleRef") or {}
        group, name = role.get("apiGroup", ""), role.get("name", "")
        if group != GROUP:
            errors.append(fielderrors.not_supported("roleRef.apiGroup", group, (GROUP,)))
        kind = role.get("kind", "")
        if kind not in self.role_kinds:
            errors.append(fielderrors.not_supported("roleRef.kind", kind, self.role_kinds))
        if not name:
            errors.append(fielderrors.required("roleRef.name"))
        errors += [
            fielderrors.invalid("roleRef.name", name, text) for text in path_segment_errors(name)
        ]
        for index, subject in enumerate(obj.get("subjects") or []):
            errors += self._subject_errors(subject, f"subjects[{index}]")
        return errors

    def _subject_errors(self, subject: Object, path: str) -> list[Cause]:
        errors: list[Cause] = []
        name, group = subject.get("name", ""), subject.get("apiGroup", "")
        if not name:
            errors.append(fielderrors.required(f"{path}.name"))
        kind = subject.get("kind", "")
        if kind == "ServiceAccount":
            bad = dns_subdomain_errors(name) if name else []
            errors += [fielderrors.invalid(f"{path}.name", name, text) for text in bad]
            if group:
                errors.append(fielderrors.not_supported(f"{path}.apiGroup", group, ("",)))
            if self.role_kinds == ("ClusterRole",) and not subject.get("namespace"):
                errors.append(fielderrors.required(f"{path}.namespace"))
        elif kind in ("User", "Group"):
            if group != GROUP:
                errors.append(fielderrors.not_supported(f"{path}.apiGroup", group, (GROUP,)))
        else:
            kinds = ("ServiceAccount", "User", "Group")
            errors.append(fielderrors.not_supported(f"{path}.kind", kind, kinds))
        return errors

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another role."""
        if obj.get("roleRef") != old.get("roleRef"):
            role = obj.get("roleRef") or {}
            shown = {name: role.get(name[:1].lower() + name[1:], "") for name in ("Kind", "Name")}
            shown = {"APIGroup": role.get("apiGroup", ""), **shown}
            return [fielderrors.invalid("roleRef", shown, "cannot change roleRef")]
        return []


STRATEGIES: dict[str, Strategy] = {
    f"{GROUP}/roles": RoleStrategy(cluster_wide=False),
    f"{GROUP}/clusterroles": RoleStrategy(cluster_wide=True),
    f"{GROUP}/rolebindings": BindingStrategy("Role", "ClusterRole"),
    f"{GROUP}/clusterrolebindings": BindingStrategy("ClusterRole"),
}
