"""Role, ClusterRole and their bindings."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import path_segment_errors
from fluvial.cluster.objects import Object

__all__ = ["GROUP", "STRATEGIES"]

GROUP = "rbac.authorization.k8s.io"


class RoleStrategy(Strategy):
    """Rules of Role and ClusterRole."""

    generation = False
    name_errors = staticmethod(path_segment_errors)
    create_on_update = True

    def default(self, obj: Object) -> None:
        """Rules are always written."""
        obj.setdefault("rules", None)

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Every rule needs verbs, and resources or URLs."""
        errors: list[Cause] = []
        for index, rule in enumerate(obj.get("rules") or []):
            path = f"rules[{index}]"
            if not rule.get("verbs"):
                errors.append(
                    fielderrors.required(f"{path}.verbs", "verbs must contain at least one value")
                )
            if rule.get("nonResourceURLs"):
                continue
            if not rule.get("apiGroups"):
                text = "resource rules must supply at least one api group"
                errors.append(fielderrors.required(f"{path}.apiGroups", text))
            if not rule.get("resources"):
                text = "resource rules must supply at least one resource"
                errors.append(fielderrors.required(f"{path}.resources", text))
        return errors


class BindingStrategy(Strategy):
    """Rules of RoleBinding and ClusterRoleBinding."""

    generation = False
    name_errors = staticmethod(path_segment_errors)
    create_on_update = True

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
        if role.get("apiGroup") != GROUP:
            errors.append(
                fielderrors.not_supported("roleRef.apiGroup", role.get("apiGroup"), (GROUP,))
            )
        if role.get("kind") not in ("Role", "ClusterRole"):
            errors.append(
                fielderrors.not_supported(
                    "roleRef.kind", role.get("kind", ""), ("ClusterRole", "Role")
                )
            )
        if not role.get("name"):
            errors.append(fielderrors.required("roleRef.name"))
        for index, subject in enumerate(obj.get("subjects") or []):
            path = f"subjects[{index}]"
            if not subject.get("name"):
                errors.append(fielderrors.required(f"{path}.name"))
            kinds = ("Group", "ServiceAccount", "User")
            if subject.get("kind") not in kinds:
                errors.append(
                    fielderrors.not_supported(f"{path}.kind", subject.get("kind", ""), kinds)
                )
            elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
                errors.append(fielderrors.required(f"{path}.namespace"))
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
    f"{GROUP}/roles": RoleStrategy(),
    f"{GROUP}/clusterroles": RoleStrategy(),
    f"{GROUP}/rolebindings": BindingStrategy(),
    f"{GROUP}/clusterrolebindings": BindingStrategy(),
}
