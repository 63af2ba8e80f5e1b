"""Endpoints, and what comes back from them."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from fluvial.apis.ids import GroupVersionKind, Unstructured

__all__ = ["ObjectList", "PatchType", "Propagation", "Resource", "WatchEvent"]

PatchType: TypeAlias = Literal["apply", "merge", "json"]
"""Server-side apply, JSON merge patch (RFC 7386), JSON patch (RFC 6902)."""

Propagation: TypeAlias = Literal["Background", "Foreground", "Orphan"]
"""What happens to the dependents of a deleted object."""


@dataclass(frozen=True, slots=True)
class Resource:
    """An endpoint of the API: `plural` is its path segment, `kind` the kind of its objects."""

    group: str
    """The API group; empty for the core group."""
    version: str
    """The API version."""
    plural: str
    kind: str
    namespaced: bool = True
    """Whether its objects live in namespaces."""
    verbs: frozenset[str] = field(default=frozenset(), compare=False)
    """What discovery says it takes; empty where it was not asked."""
    subresources: frozenset[str] = field(default=frozenset(), compare=False)
    """Such as `status`; empty where discovery was not asked."""

    @property
    def api_version(self) -> str:
        """`group/version`, or only the version for the core group."""
        return self.gvk.api_version

    @property
    def gvk(self) -> GroupVersionKind:
        """Group, version and kind."""
        return GroupVersionKind(self.group, self.version, self.kind)

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """Return the URL path of a collection, an object or a subresource.

        A cluster-scoped resource ignores `namespace`. Raises ValueError for a name that would
        leave its path segment, and for an object of a namespaced resource without namespace.
        """
        parts = ["api", self.version] if not self.group else ["apis", self.group, self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", _segment(namespace)]
        elif self.namespaced and name:
            raise ValueError(f"{self.kind} {name!r} needs a namespace")
        parts.append(self.plural)
        if name:
            parts.append(_segment(name))
        if subresource:
            parts.append(subresource)
        return "/" + "/".join(parts)

    def __str__(self) -> str:
        """Print as RBAC and kubectl do: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _segment(text: str) -> str:
    if "/" in text or "%" in text or text in {".", ".."} or not text.isprintable():
        raise ValueError(f"not a name: {text!r}")
    return text


class ObjectList(msgspec.Struct):
    """A list, whole or one page of it.

    `resource_version` is where a watch goes on; `continue_` is the token of the next page, empty
    after the last one; `remaining` is what the server estimates to come.
    """

    items: list[Unstructured]
    """The objects, decoded."""
    resource_version: str = ""
    continue_: str = ""
    remaining: int | None = None


class WatchEvent(msgspec.Struct):
    """One line of a watch: `type` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: Unstructured
    """The object as it is now, or was at its end."""
