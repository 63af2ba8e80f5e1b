"""CustomResourceDefinition as an object: defaults and the checks of its spec."""

# ruff: noqa: ARG002 - hooks share one signature
from __future__ import annotations

from fluvial.cluster import fielderrors, fields
from fluvial.cluster.builtin.definitionconversion import (
    bundle_errors,
    conversion_errors,
    default_conversion,
)
from fluvial.cluster.builtin.strategy import Context, Strategy
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["CLEANUP", "STRATEGIES"]

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


class DefinitionStrategy(Strategy):
    """Rules of CustomResourceDefinition."""

    deletion_generation = False
    status_keeps = ("labels", "annotations", "finalizers", "ownerReferences")

    def finalizer_errors(self, name: str, field: str) -> list[Cause]:
        """Accept the server's own finalizer, which has no domain."""
        return [] if name == CLEANUP else super().finalizer_errors(name, field)

    def default(self, obj: Object) -> None:
        """Default names and conversion."""
        spec = obj.setdefault("spec", {})
        names = spec.setdefault("names", {})
        if names.get("kind"):
            names.setdefault("singular", names["kind"].lower())
            names.setdefault("listKind", names["kind"] + "List")
        default_conversion(spec)

    def prepare_create(self, obj: Object, context: Context) -> None:
        """Begin with the stored versions and nothing accepted."""
        obj["status"] = {
            "conditions": None,  # as Go writes a list that nobody has set
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": fields.stored_versions(obj["spec"]),
        }

    def prepare_update(self, obj: Object, old: Object, context: Context) -> None:
        """Remember every version that objects may be stored in."""
        versions = obj["spec"].get("versions") or []
        stored = [v.get("name", "") for v in versions if v.get("storage")]
        status = obj.setdefault("status", {})
        known = list(status.get("storedVersions") or [])
        status["storedVersions"] = known + [name for name in stored if name not in known]

    def validate(self, obj: Object, context: Context) -> list[Cause]:
        """Check names, versions, schemas and the conversion."""
        errors: list[Cause] = [
            {"reason": error.type, "message": error.message, "field": error.field}
            for error in fields.check_definition(obj)
        ]
        return errors + conversion_errors(obj["spec"].get("conversion") or {})

    def validate_update(self, obj: Object, old: Object, context: Context) -> list[Cause]:
        """Refuse another group or scope, and a bundle of certificates that was better before."""
        return bundle_errors(obj, old) + [
            fielderrors.immutable(f"spec.{key}", obj["spec"].get(key))
            for key in ("group", "scope")
            if obj["spec"].get(key) != old["spec"].get(key)
        ]


STRATEGIES: dict[str, Strategy] = {
    "apiextensions.k8s.io/customresourcedefinitions": DefinitionStrategy()
}
