"""What admission is asked about: one request, with the objects before and after it."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.endpoints.target import Target, User, WriteOptions
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["Attributes", "Kind"]

_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A kind by group and version."""

    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, resource: Resource, subresource: str) -> Kind:
        """Return the kind that an endpoint speaks."""
        sub = resource.subresource(subresource) if subresource else None
        if sub is None:
            return cls(resource.group, resource.version, resource.kind)
        group, version = (sub.group, sub.version) if sub.version else (
            resource.group, resource.version,
        )  # fmt: skip
        return cls(group, version, sub.kind)

    def shown(self) -> Object:
        """Return it as a `GroupVersionKind` stands in a review."""
        return {"group": self.group, "version": self.version, "kind": self.kind}

    @property
    def api_version(self) -> str:
        """Return `group/version`, as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclasses.dataclass(frozen=True, slots=True)
class Attributes:
    """One request. `object` is None for a deletion, `old` for a creation.

    `namespace` is that of the request, which for a Namespace is its own name. `warnings` is the
    list of the write: what webhooks and policies warn of is added to it, as what they have to
    say to the audit log is to `annotations`.
    """

    operation: str
    resource: Resource
    subresource: str
    kind: Kind
    namespace: str
    name: str
    object: Object | None
    old: Object | None
    options: Object
    dry_run: bool
    user: User
    warnings: list[str]
    annotations: dict[str, str]

    @classmethod
    def of(
        cls,
        target: Target,
        operation: str,
        obj: Object | None,
        old: Object | None,
        options: WriteOptions,
    ) -> Attributes:
        """Return the attributes of a write on an endpoint."""
        resource = target.resource
        return cls(
            operation,
            resource,
            target.subresource,
            Kind.of(resource, target.subresource),
            target.name if resource.prefix == "/namespaces" else target.namespace,
            target.name,
            obj,
            old,
            {"kind": _OPTIONS[operation], "apiVersion": "meta.k8s.io/v1", **options.stated},
            options.dry_run,
            options.user,
            options.warnings,
            options.annotations,
        )

    def now(self, obj: Object, name: str) -> Attributes:
        """Return the same request with the object as it is by now, under its final name."""
        return dataclasses.replace(self, object=obj, name=name)

    def unnamed(self) -> Attributes:
        """Return the same request as one about a whole collection."""
        return dataclasses.replace(self, name="")

    def shown(self, resource: Resource, kind: Kind) -> Object:
        """Return the request without objects, in the version that was matched.

        This is the `request` of CEL, and with uid and objects that of an `AdmissionReview`.
        """
        asked = self.resource
        request: Object = {
            "kind": kind.shown(),
            "resource": _resource(resource),
            "subResource": self.subresource,
            "requestKind": self.kind.shown(),
            "requestResource": _resource(asked),
            "requestSubResource": self.subresource,
            "name": self.name,
            "namespace": self.namespace,
            "operation": self.operation,
            "userInfo": self.user.info(),
            "dryRun": self.dry_run,
            "options": self.options,
        }
        return {key: value for key, value in request.items() if value != ""}


def _resource(resource: Resource) -> Object:
    return {
        "group": resource.group,
        "version": resource.version,
        "resource": resource.plural,
    }
