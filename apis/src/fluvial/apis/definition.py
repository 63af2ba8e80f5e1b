"""The definition of a kind: names, scope, columns and the model of its objects."""

import dataclasses
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from fluvial.apis.ids import GroupKind, GroupVersionKind, split_api_version
from fluvial.apis.meta import Reported, Resource
from fluvial.apis.schema import Model, json_name, unobserved

__all__ = ["AGE", "READY", "STATUS", "Column", "Kind", "define"]

M = TypeVar("M", bound=Resource)


class Column(NamedTuple):
    """A printer column of `kubectl get`; priority 1 is shown only with `-o wide`."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")
READY: Final = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')
STATUS: Final = Column("Status", '.status.conditions[?(@.type=="Ready")].message')


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


def define(
    api_version: str,
    kind: str,
    spec: type[Model],
    status: type[Any] = Reported,
    *,
    plural: str = "",
    columns: tuple[Column, ...] = (READY, STATUS, AGE),
) -> Kind[Any]:
    """Define a kind of one's own from the model of its spec.

    `api_version` is `group/version`. `status` extends or replaces `Reported`, of which the toolkit
    needs the first two fields. `plural` is `kind` in lower case with an s unless given. The CRD is
    `fluvial.apis.crds.crd(kind)`.
    """
    group, version = split_api_version(api_version)
    if not group:
        raise ValueError(f"{kind}: {api_version!r} has no group: write group/version")
    model = msgspec.defstruct(
        kind,
        [("spec", spec), ("status", status, unobserved(status))],
        bases=(Resource,),
        module=spec.__module__,
        kw_only=True,
        omit_defaults=True,
        rename=json_name,
    )
    return Kind(
        group=group,
        version=version,
        kind=kind,
        plural=plural or f"{kind.lower()}s",
        model=model,
        columns=columns,
        categories=(),
    )
