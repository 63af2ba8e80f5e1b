"""What a request is about, and how a write is to be done."""

from __future__ import annotations

import dataclasses

from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["SYSTEM", "Target", "User", "WriteOptions"]


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """Who asks: name, uid, groups in order, and extra values by key."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def info(self) -> Object:
        """Return the user as a `UserInfo` shows it."""
        info: Object = {"username": self.name}
        if self.uid:
            info["uid"] = self.uid
        if self.groups:
            info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra}
        return info


SYSTEM = User("system:apiserver", ("system:masters", "system:authenticated"))
"""The identity of the control plane's own components."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """An endpoint: a resource, a namespace ("" for all or none), a name, a subresource."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return the store's key."""
        return (self.namespace, self.name)


@dataclasses.dataclass(slots=True)
class WriteOptions:
    """How a write is to be done; `warnings` collects what the client is told besides.

    `annotations` is what the audit log is told besides.

    `manager` is the field manager; `validation` one of Ignore, Warn, Strict; `duplicates` what
    a strict decoder of the body says of duplicate fields; `stated` the options as the client gave
    them, of which admission is told.
    """

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"
    user: User = SYSTEM
    duplicates: tuple[str, ...] = ()
    stated: Object = dataclasses.field(default_factory=dict)
    warnings: list[str] = dataclasses.field(default_factory=list)
    annotations: dict[str, str] = dataclasses.field(default_factory=dict)
    status_code: int = 200
