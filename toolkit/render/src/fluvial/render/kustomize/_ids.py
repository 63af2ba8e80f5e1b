"""Identities of resources during a build, with the namespace as kustomize compares it."""

from typing import Any, NamedTuple

from fluvial.render.kustomize._schema import is_cluster_scoped
from fluvial.render.yaml import dump

__all__ = ["Gvk", "ResourceId", "split_group", "text"]

_NO_NAMESPACE = "_non_namespaceable_"


def text(value: Any) -> str:
    """Return a scalar as its source would read; empty for collections."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str(value)  # a Written, of which the text counts
    if isinstance(value, dict | list):
        return ""
    return dump(value).rstrip("\n")


def split_group(api_version: str) -> tuple[str, str]:
    """Split at the first slash, as kustomize does: the core group is empty."""
    group, slash, version = api_version.partition("/")
    return (group, version) if slash else ("", api_version)


class Gvk(NamedTuple):
    """Group, version and kind; empty parts of a selector match anything."""

    group: str = ""
    version: str = ""
    kind: str = ""

    def selects(self, other: "Gvk") -> bool:
        """Say whether every non-empty part equals the other's."""
        return (
            (not self.group or self.group == other.group)
            and (not self.version or self.version == other.version)
            and (not self.kind or self.kind == other.kind)
        )

    @property
    def api_version(self) -> str:
        """`group/version`, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        """Print as kustomize's messages do."""
        return ".".join(
            (self.kind or "[noKind]", self.version or "[noVer]", self.group or "[noGrp]")
        )


class ResourceId(NamedTuple):
    """Who a resource is, or was: kind, name and namespace."""

    gvk: Gvk
    name: str
    namespace: str

    @property
    def effective_namespace(self) -> str:
        """The namespace that identities are compared by; a constant for cluster-scoped kinds."""
        if is_cluster_scoped(self.gvk.api_version, self.gvk.kind):
            return _NO_NAMESPACE
        return self.namespace or "default"

    @property
    def key(self) -> tuple[Gvk, str, str]:
        """What must be unique within a build."""
        return (self.gvk, self.name, self.effective_namespace)

    @property
    def cluster_scoped(self) -> bool:
        """Whether the kind is known to have no namespace."""
        return is_cluster_scoped(self.gvk.api_version, self.gvk.kind)

    def __str__(self) -> str:
        """Print as kustomize's messages do."""
        return f"{self.gvk}/{self.name or '[noName]'}.{self.namespace or '[noNs]'}"
