"""The definition of a kind: names, scope, columns and the model of its objects."""

import dataclasses
from typing import Generic, NamedTuple, TypeVar

from fluvial.apis.ids import GroupKind, GroupVersionKind
from fluvial.apis.meta import Resource

__all__ = ["Column", "Kind"]

M = TypeVar("M", bound=Resource)


class Column(NamedTuple):
    """A printer column of `kubectl get`; priority 1 is shown only with `-o wide`."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind(Generic[M]):
    """A kind as its CRD defines it: one served and stored version, with a status subresource."""

    group: str
    version: str
    kind: str
    plural: str
    model: type[M]
    columns: tuple[Column, ...]
    categories: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    namespaced: bool = True

    @property
    def singular(self) -> str:
        """The name in the singular, e.g. `gitrepository`."""
        return self.kind.lower()

    @property
    def gvk(self) -> GroupVersionKind:
        """Group, version and kind."""
        return GroupVersionKind(self.group, self.version, self.kind)

    @property
    def group_kind(self) -> GroupKind:
        """Group and kind."""
        return GroupKind(self.group, self.kind)

    @property
    def api_version(self) -> str:
        """`group/version`, as objects carry it."""
        return f"{self.group}/{self.version}"

    @property
    def crd_name(self) -> str:
        """The name of the CustomResourceDefinition, `plural.group`."""
        return f"{self.plural}.{self.group}"

    def __str__(self) -> str:
        """Print as `Kind.group`."""
        return str(self.group_kind)
