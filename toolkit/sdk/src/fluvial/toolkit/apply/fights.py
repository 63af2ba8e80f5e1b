"""Fights over fields: another manager sets what the manifest sets, each time anew."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from fluvial.apis.ids import ObjectId
from fluvial.toolkit.apply.changes import Change, ChangeSet

__all__ = ["Fight", "Fights"]

_MOST: Final = 1000
"""Fights that are remembered per owner; the oldest are forgotten, and told again."""

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Fight:
    """Fields of an object that others had set otherwise, and that were set back."""

    id: ObjectId
    """The object."""
    paths: tuple[str, ...]
    """The fields, as RFC 6901 pointers without values."""
    managers: tuple[str, ...]
    """Who had set them."""

    def __str__(self) -> str:
        """Say who, what, and the way out."""
        shown = ", ".join(self.paths[:_SHOWN]) + (", …" if len(self.paths) > _SHOWN else "")
        return (
            f"{self.id}: {shown} was changed by {', '.join(self.managers)} and is set back each "
            "time; to leave it to them, take it out of the manifest or add it to spec.ignore"
        )


class Fights:
    """Remembers what was told, so that each fight is told once.

    A fight that goes on is the same as long as it is about the same fields of the same object, and
    this process lives: nobody wants to hear of it at every interval.
    """

    def __init__(self) -> None:
        self._told: dict[Hashable, dict[Fight, None]] = {}

    def news(self, owner: Hashable, changes: ChangeSet) -> list[Fight]:
        """Return the fights of an owner's apply that were not told yet."""
        told = self._told.setdefault(owner, {})
        found = []
        for change in changes.changes:
            fight = _fight(change)
            if fight is None or fight in told:
                continue
            if len(told) >= _MOST:
                del told[next(iter(told))]
            told[fight] = None
            found.append(fight)
        return found

    def forget(self, owner: Hashable) -> None:
        """Forget an owner that is gone."""
        self._told.pop(owner, None)


def _fight(change: Change) -> Fight | None:
    if not change.changed or not change.managers:
        return None
    return Fight(change.id, tuple(one.path for one in change.fields), change.managers)
