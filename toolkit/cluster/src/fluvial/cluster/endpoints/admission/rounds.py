"""Who is called again: mutators that were followed by a change, once.

The mutators of a request are called in up to two rounds. The second comes when something changed
the object in the first; in it a mutator is called only if its policy is `IfNeeded` and the object
has changed since it was called. Same as upstream, `apiserver/pkg/admission/reinvocation.go`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable

import msgspec

from fluvial.cluster.objects import Object

__all__ = ["Rounds", "Turn"]


@dataclasses.dataclass(slots=True)
class Turn:
    """What is remembered of the mutators of one sort (webhooks, policies) in a request."""

    rounds: Rounds
    _called: set[Hashable] = dataclasses.field(default_factory=set)
    _again: set[Hashable] = dataclasses.field(default_factory=set)
    _last: bytes = b""

    def begin(self, obj: Object | None) -> None:
        """Begin a round with the object as it is now."""
        if self.rounds.second and self._called and _frozen(obj) != self._last:
            self.changed()

    def skips(self, key: Hashable) -> bool:
        """Tell whether a mutator is not to be called in this round."""
        return self.rounds.second and key not in self._again

    def changed(self) -> None:
        """Note that the object has changed: those called before may be called again."""
        self._again |= self._called
        self._called = set()

    def mutated(self) -> None:
        """Note that a mutator of this sort has changed the object."""
        self.changed()
        self.rounds.wanted = True

    def called(self, key: Hashable) -> None:
        """Note that a mutator was called that is to be called again if needed."""
        self._called.add(key)

    def end(self, obj: Object | None) -> None:
        """End a round with the object as it is now."""
        if self._called:
            self._last = _frozen(obj)


@dataclasses.dataclass(slots=True)
class Rounds:
    """The rounds of one request: whether this is the second, and whether one is wanted."""

    second: bool = False
    wanted: bool = False
    policies: Turn = dataclasses.field(init=False)
    webhooks: Turn = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.policies, self.webhooks = Turn(self), Turn(self)


def _frozen(obj: Object | None) -> bytes:
    return msgspec.json.encode(obj, order="deterministic")
