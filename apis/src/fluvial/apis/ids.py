"""Identities of Kubernetes objects, in the forms that statuses and inventories use.

Everything that names an object without holding it speaks in these types: the engines, the apply
engine, the controllers and the command.
"""

from typing import Any, NamedTuple, Self, TypeAlias

__all__ = ["GroupKind", "GroupVersionKind", "ObjectId", "Unstructured", "split_api_version"]

Unstructured: TypeAlias = dict[str, Any]
"""A Kubernetes object as decoded JSON; the one place where `Any` is the honest type."""


def split_api_version(api_version: str) -> tuple[str, str]:
    """Split `apps/v1` into `("apps", "v1")`, and the core `v1` into `("", "v1")`."""
    group, slash, version = api_version.rpartition("/")
    return (group, version) if slash else ("", api_version)


class GroupKind(NamedTuple):
    """A kind without its version, e.g. `Deployment` of `apps`; the core group is empty."""

    group: str
    kind: str

    def __str__(self) -> str:
        """Print as upstream does: `Deployment.apps`, or `Service` for the core group."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


class GroupVersionKind(NamedTuple):
    """A kind with its version."""

    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, api_version: str, kind: str) -> Self:
        """Build from the two fields that every object carries."""
        return cls(*split_api_version(api_version), kind)

    @property
    def api_version(self) -> str:
        """`group/version`, or only the version for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_kind(self) -> GroupKind:
        """The same without the version."""
        return GroupKind(self.group, self.kind)


class ObjectId(NamedTuple):
    """The identity of an object across versions: what an inventory entry names.

    `namespace` is empty for cluster-scoped objects and for objects that leave it open.
    """

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def from_object(cls, obj: Unstructured) -> Self:
        """Read the identity of a decoded object.

        Raises ValueError naming the missing field when apiVersion, kind or metadata.name is not a
        non-empty string.
        """
        metadata = obj.get("metadata") or {}
        for field, value in (
            ("apiVersion", obj.get("apiVersion")),
            ("kind", obj.get("kind")),
            ("metadata.name", metadata.get("name") if isinstance(metadata, dict) else None),
        ):
            if not isinstance(value, str) or not value:
                raise ValueError(f"object has no {field}")
        group, _ = split_api_version(obj["apiVersion"])
        return cls(group, obj["kind"], metadata.get("namespace") or "", metadata["name"])

    @classmethod
    def parse(cls, inventory_id: str) -> Self:
        """Read `<namespace>_<name>_<group>_<kind>`, upstream's inventory form.

        A colon in a name (RBAC allows it) stands there as a double underscore. Raises ValueError
        for any other form.
        """
        namespace, first, rest = inventory_id.partition("_")
        rest, second, kind = rest.rpartition("_")
        name, third, group = rest.rpartition("_")
        if not (first and second and third and name and kind):
            raise ValueError(f"not an inventory id: {inventory_id!r}")
        return cls(group, kind, namespace, name.replace("__", ":"))

    @property
    def inventory_id(self) -> str:
        """`<namespace>_<name>_<group>_<kind>`, with colons of the name as double underscores."""
        name = self.name.replace(":", "__")
        return f"{self.namespace}_{name}_{self.group}_{self.kind}"

    @property
    def group_kind(self) -> GroupKind:
        """The kind without identity."""
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        """Print as upstream's change logs do: `Kind/namespace/name`, or `Kind/name`."""
        middle = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind}/{middle}{self.name}"
