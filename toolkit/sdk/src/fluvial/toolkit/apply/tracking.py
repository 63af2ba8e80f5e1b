"""Which applied objects need no look: ledgers that are fed by metadata watches.

A `Tracker` belongs to a process, a `Claim` to one owner and one set of inputs. An `Applier` that is
given a claim passes over what is known to be unmoved, and notes what it has verified.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.apply.inventory import Entry
from fluvial.toolkit.apply.undeclared import BUILT_IN
from fluvial.toolkit.apply.unmoved import Ledger, Verdict
from fluvial.toolkit.client import Client, Resource
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.informer import Change, Informer, Selection
from fluvial.toolkit.references import DEFINITIONS
from fluvial.toolkit.store import Key, key_of

__all__ = ["Claim", "Tracker"]

_GATHER: Final = 2.0
"""Seconds from the first object that a watch has to show to its list: more of them follow."""

_AGAIN: Final = 60.0
"""Seconds between two lists of an endpoint at least."""


@dataclass(slots=True)
class _Watched:
    """One endpoint; without an informer nothing is shown yet."""

    ledger: Ledger
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    informer: Informer | None = None
    task: asyncio.Task[None] | None = None


class Tracker:
    """Follows the metadata of all applied objects of a process, one watch per endpoint.

    `label` is the owner label whose existence selects what is watched: anyone can write it, so it
    only filters; what counts are the objects that were announced by `expect`. `manager`, `controls`
    and `override` are those of `Ledger`. Watches use the identity of `client` and live in `tasks`;
    they follow one `namespace`, None all: objects elsewhere are never known to be unmoved, nor are
    those of kinds that cannot be watched.

    Definitions are followed too: one that changes brings all objects of its kind into doubt.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        *,
        manager: str,
        label: str,
        controls: Collection[str] = (),
        override: Sequence[str] = (),
        namespace: str | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._tasks = tasks
        self._manager = manager
        self._label = label
        self._controls = controls
        self._override = override
        self._namespace = namespace
        self._watched: dict[Resource, _Watched] = {}
        self._epochs: dict[tuple[str, str], int] = {}
        self._definitions = Informer(
            client, Selection(DEFINITIONS, metadata_only=True), clock, transform=_versions
        )
        self._definitions.add_handler(self._redefined)
        tasks.create_task(self._definitions.run(), name="tracker/definitions")

    def expect(self, resource: Resource, keys: Iterable[Key]) -> None:
        """Announce objects, before they are read or applied: a change from now on is noticed."""
        keys = [key for key in keys if self._follows(resource, key)]
        if not keys:
            return
        watched = self._watched.get(resource)
        if watched is None:
            ledger = Ledger(resource, self._manager, self._controls, self._override)
            watched = self._watched[resource] = _Watched(ledger)
            watched.task = self._tasks.create_task(
                self._follow(resource, watched), name=f"tracker/{resource}"
            )
        watched.ledger.expect(keys)

    def forget(self, entry: Entry) -> None:
        """Drop an object that is no longer applied; the last of an endpoint ends its watch.

        It may be applied at another version still.
        """
        identity, version = entry
        for resource, watched in list(self._watched.items()):
            if resource.gvk != (identity.group, version, identity.kind):
                continue
            watched.ledger.forget([Key(identity.namespace, identity.name)])
            if not len(watched.ledger):
                if watched.task is not None:
                    watched.task.cancel()
                del self._watched[resource]

    def epoch(self, resource: Resource) -> int:
        """Return a number that is another one after the definition of the kind has changed."""
        return self._epochs.get((resource.group, resource.plural), 0)

    def doubted(self, resource: Resource, key: Key) -> None:
        """Take back what was verified of an object."""
        if resource in self._watched:
            self._watched[resource].ledger.doubted(key)

    def verified(
        self,
        resource: Resource,
        live: Unstructured,
        wanted: Unstructured,
        claim: bytes,
        *,
        epoch: int,
        exact: bool = False,
    ) -> None:
        """Remember an answer of the server that equals what is wanted; see `Ledger.verified`.

        `epoch` is that from before the question: an answer by another definition is worth nothing.
        """
        watched, key = self._watched.get(resource), key_of(live)
        if watched is None or epoch != self.epoch(resource) or not self._follows(resource, key):
            return
        # The server keeps the generation of what has a definition, not of other servers' kinds.
        exact = exact or not (resource.group in BUILT_IN or self._is_defined(resource))
        watched.ledger.verified(live, wanted, claim, exact=exact)
        selected = self._label in (live["metadata"].get("labels") or {})
        listed = watched.informer is None or watched.informer.synced.is_set()
        if selected and listed and not watched.ledger.shown(key):
            # It was there before it was expected: only a new list shows it.
            watched.wanted.set()

    def verdict(self, resource: Resource, key: Key, claim: bytes) -> Verdict:
        """Say whether an object needs no look; costs no request."""
        watched = self._watched.get(resource)
        if watched is None:
            return Verdict.UNVERIFIED
        found = watched.ledger.verdict(key, claim)
        return found if found is not Verdict.UNMOVED or self._alive(resource) else Verdict.SILENT

    def shown(self, resource: Resource, key: Key) -> int:
        """Return the version in which an object was shown last; 0 where nothing shows it now."""
        watched = self._watched.get(resource)
        return watched.ledger.shown(key) if watched and self._alive(resource) else 0

    def _follows(self, resource: Resource, key: Key) -> bool:
        if "watch" not in resource.verbs:
            return False
        return not resource.namespaced or self._namespace in {None, key.namespace}

    def _is_defined(self, resource: Resource) -> bool:
        name = f"{resource.plural}.{resource.group}"
        return self._definitions.store.get("", name) is not None

    def _alive(self, resource: Resource) -> bool:
        informer = self._watched[resource].informer
        if informer is None or not informer.alive():
            return False
        # Kinds that are built in have no definition that could change.
        return resource.group in BUILT_IN or self._definitions.alive()

    async def _follow(self, resource: Resource, watched: _Watched) -> None:
        """Keep one watch, begun anew when something verified was never shown; until cancelled."""
        await watched.wanted.wait()
        await self._clock.sleep(_GATHER)
        while True:
            watched.wanted.clear()
            watched.informer = Informer(
                self._client,
                Selection(
                    resource, self._namespace, label_selector=self._label, metadata_only=True
                ),
                self._clock,
                transform=lambda obj: obj,  # managedFields are what it is about
                picture=watched.ledger,
            )
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(watched.informer.run())
                await self._clock.sleep(_AGAIN)
                await watched.wanted.wait()
                running.cancel()

    def _redefined(self, change: Change) -> None:
        plural, _, group = change.key.name.partition(".")
        self._epochs[group, plural] = self._epochs.get((group, plural), 0) + 1
        for resource, watched in self._watched.items():
            if (resource.group, resource.plural) == (group, plural):
                watched.ledger.doubt_all()


class Claim:
    """What one owner wants of its objects, by one set of inputs.

    `inputs` is a digest of everything that says whose the objects are and how they are to be:
    where it is another one, nothing counts as verified. Without `trusted` nothing is passed over,
    and all that is found to be in order is verified anew.
    """

    def __init__(self, tracker: Tracker, inputs: bytes, *, trusted: bool) -> None:
        self._tracker = tracker
        self.inputs = inputs
        """The digest, 16 bytes."""
        self.trusted = trusted
        """Whether what is known to be unmoved needs no look."""

    def unmoved(self, resource: Resource, key: Key) -> bool:
        """Whether an object may be passed over."""
        return self.trusted and self._tracker.verdict(resource, key, self.inputs) is Verdict.UNMOVED

    def begin(self, resource: Resource, key: Key) -> int:
        """Begin a look at an object, before it is read; returns what `verified` needs."""
        self._tracker.expect(resource, [key])
        self._tracker.doubted(resource, key)
        return self._tracker.epoch(resource)

    def verified(
        self,
        resource: Resource,
        live: Unstructured,
        wanted: Unstructured,
        epoch: int,
        *,
        exact: bool = False,
    ) -> None:
        """End a look that has found a live object as it is wanted."""
        self._tracker.verified(resource, live, wanted, self.inputs, epoch=epoch, exact=exact)


def _versions(definition: Unstructured) -> Unstructured:
    """Keep of a definition what tells whether it has changed."""
    kept = ("name", "uid", "resourceVersion")
    return {"metadata": {key: definition["metadata"].get(key) for key in kept}}
