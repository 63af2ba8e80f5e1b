"""What an apply or a prune did, object by object."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.toolkit.apply.errors import ObjectError
from fluvial.toolkit.apply.inventory import Entry, Inventory

__all__ = ["MISSING", "Action", "Change", "ChangeSet", "FieldChange"]


class Action(StrEnum):
    """What happened to an object, in upstream's words."""

    CREATED = "created"
    """It was not there."""
    CONFIGURED = "configured"
    """It was there, and differed."""
    UNCHANGED = "unchanged"
    """It was there as it should be: nothing was written."""
    SKIPPED = "skipped"
    """An annotation or option keeps it from being applied."""
    DELETED = "deleted"
    """It was pruned."""
    UNKNOWN = "unknown"
    """It was not got to."""


class _Missing:
    """A field that is not there; not the same as null."""

    def __repr__(self) -> str:
        return "<missing>"


MISSING = _Missing()
"""Stands for a field that is not there; not the same as null."""


class FieldChange(NamedTuple):
    """One field: an RFC 6901 pointer, the live value and the one it gets, MISSING for neither.

    Values of Secrets are masked: `***`, or `*** (before)` and `*** (after)` where they differ.
    """

    path: str
    """An RFC 6901 pointer."""
    before: Any
    """The live value."""
    after: Any
    """The value that it gets."""


@dataclass(slots=True)
class Change:
    """One object.

    `fields` is what differs between the live object and the manifest (a created object has none);
    `managers` names who had set these fields meanwhile: a fight over a field shows here.
    `metadata` is that of the server's last answer (uid, resourceVersion, generation,
    managedFields), None where there is no live object. `recreated` says that it was deleted first,
    for a field that is immutable. `dropped` lists the fields of a built-in kind that the server
    does not know and that were left out (a typo, most likely).
    """

    id: ObjectId
    """The object."""
    version: str
    """Its API version, without the group."""
    action: Action
    """What was done."""
    fields: list[FieldChange] = field(default_factory=list)
    managers: tuple[str, ...] = ()
    metadata: Unstructured | None = None
    recreated: bool = False
    dropped: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether something was written: upstream counts created and configured."""
        return self.action in {Action.CREATED, Action.CONFIGURED}

    def __str__(self) -> str:
        """Print the log line: `Kind/namespace/name created`."""
        return f"{self.id} {self.action}"


@dataclass(slots=True)
class ChangeSet:
    """All of them, in the order in which they were treated.

    `kept` and `failures` belong to a prune: what still exists and so stays in the inventory
    (refused by the server, or still terminating), and why, where there was an error.
    """

    changes: list[Change] = field(default_factory=list)
    """One per object."""
    kept: Inventory = field(default_factory=Inventory)
    failures: list[ObjectError] = field(default_factory=list)

    @property
    def inventory(self) -> Inventory:
        """Every object that was treated, the skipped ones included, as the server names it."""
        return Inventory(Entry(change.id, change.version) for change in self.changes)

    @property
    def changed(self) -> bool:
        """Whether anything was created or configured."""
        return any(change.changed for change in self.changes)

    @property
    def checked(self) -> list[ObjectId]:
        """What health is asked of: all but the skipped."""
        return [change.id for change in self.changes if change.action is not Action.SKIPPED]

    def only(self, *actions: Action) -> list[Change]:
        """Pick the changes with one of these actions."""
        return [change for change in self.changes if change.action in actions]

    def log(self, *actions: Action) -> str:
        """One line per object: `Kind/ns/name created`; by default those that changed.

        Upstream's event for an apply lists created and configured, that for a prune deleted (and
        skipped) ones.
        """
        wanted: Iterable[Action] = actions or (Action.CREATED, Action.CONFIGURED)
        return "\n".join(str(change) for change in self.only(*wanted))
