"""CustomResourceDefinition as an object: defaults and the checks of its spec."""

from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["STRATEGIES"]


class DefinitionStrategy(Strategy):
    """Rules of CustomResourceDefinition."""

    def default(self, obj: Object) -> None:
        """Default names and conversion."""
        spec = obj.setdefault("spec", {})
        names = spec.setdefault("names", {})
        if names.get("kind"):
            names.setdefault("singular", names["kind"].lower())
            names.setdefault("listKind", names["kind"] + "List")
        spec.setdefault("conversion", {"strategy": "None"})

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Begin with the stored versions and nothing accepted."""
        stored = [v["name"] for v in obj["spec"].get("versions") or [] if v.get("storage")]
        obj["status"] = {
            "conditions": [],
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": stored,
        }

    def prepare_update(self, obj: Object, old: Object, context: Context) -> None:
        """Remember every version that objects may be stored in."""
        stored = [v["name"] for v in obj["spec"].get("versions") or [] if v.get("storage")]
        status = obj.setdefault("status", {})
        known = list(status.get("storedVersions") or [])
        status["storedVersions"] = known + [name for name in stored if name not in known]

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check names and versions."""
        spec, meta = obj["spec"], obj["metadata"]
        names, errors = spec.get("names") or {}, []
        wanted = f"{names.get('plural', '')}.{spec.get('group', '')}"
        if meta.get("name") != wanted:
            text = 'must be spec.names.plural+"."+spec.group'
            errors.append(fielderrors.invalid("metadata.name", meta.get("name"), text))
        if not spec.get("group"):
            errors.append(fielderrors.required("spec.group"))
        if spec.get("scope") not in ("Cluster", "Namespaced"):
            errors.append(
                fielderrors.not_supported(
                    "spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced")
                )
            )
        versions = spec.get("versions") or []
        if sum(bool(version.get("storage")) for version in versions) != 1:
            text = "must have exactly one version marked as storage version"
            errors.append(fielderrors.invalid("spec.versions", versions, text))
        for index, version in enumerate(versions):
            if not (version.get("schema") or {}).get("openAPIV3Schema"):
                path = f"spec.versions[{index}].schema.openAPIV3Schema"
                errors.append(fielderrors.required(path, "schemas are required"))
        for key in ("plural", "kind"):
            if not names.get(key):
                errors.append(fielderrors.required(f"spec.names.{key}"))
        return errors

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Group, scope and the plural name cannot change."""
        errors = []
        for key in ("group", "scope"):
            if obj["spec"].get(key) != old["spec"].get(key):
                errors.append(fielderrors.immutable(f"spec.{key}", obj["spec"].get(key)))
        return errors


STRATEGIES: dict[str, Strategy] = {
    "apiextensions.k8s.io/customresourcedefinitions": DefinitionStrategy()
}
