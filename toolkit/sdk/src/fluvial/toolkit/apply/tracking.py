"""Which applied objects need no look: ledgers that are fed by metadata watches."""

import asyncio
from collections.abc import Callable, Collection, Iterable

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.apply.unmoved import Ledger, Verdict
from fluvial.toolkit.client import Client, Resource
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.informer import Change, Informer, Selection
from fluvial.toolkit.store import Key, key_of

__all__ = ["Tracker"]

_DEBOUNCE = 10.0
"""Seconds between two dry-runs of one object that a watch has made doubtful."""


class Tracker:
    """Follows the metadata of all applied objects of a process, one watch per endpoint.

    `label` is the owner label whose existence selects what is watched: anyone can write it, so it
    only filters; what counts are the objects that were announced by `expect`. `moved(object)` is
    called for each shown change of an expected object that is not proved to be unmoved. Watches use
    the identity of `client` and live in `tasks`.
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
        moved: Callable[[Unstructured], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._tasks = tasks
        self._manager = manager
        self._label = label
        self._controls = controls
        self._moved = moved
        self._watched: dict[Resource, tuple[Ledger, Informer, asyncio.Task[None]]] = {}
        self._asked: dict[tuple[Resource, Key], float] = {}

    def expect(self, resource: Resource, keys: Iterable[Key]) -> None:
        """Announce objects before they are applied; the first of an endpoint begins its watch."""
        if resource not in self._watched:
            self._watched[resource] = self._watch(resource)
        self._watched[resource][0].expect(keys)

    def forget(self, resource: Resource, keys: Iterable[Key]) -> None:
        """Drop objects that are no longer applied; the last of an endpoint ends its watch."""
        known = self._watched.get(resource)
        if known is None:
            return
        ledger, _, task = known
        for key in keys:
            ledger.forget([key])
            self._asked.pop((resource, key), None)
        if not len(ledger):
            task.cancel()
            del self._watched[resource]

    def verified(self, resource: Resource, live: Unstructured) -> None:
        """Remember an answer of the server that equals what is wanted, with its managedFields."""
        self.expect(resource, [key_of(live)])
        self._watched[resource][0].verified(live)

    def doubted(self, resource: Resource, key: Key) -> None:
        """Take back what was verified: an input has changed that no watch shows."""
        if resource in self._watched:
            self._watched[resource][0].doubted(key)

    def verdict(self, resource: Resource, key: Key) -> Verdict:
        """Say whether an object needs no look; costs no request."""
        known = self._watched.get(resource)
        if known is None:
            return Verdict.UNVERIFIED
        ledger, informer, _ = known
        found = ledger.verdict(key)
        return Verdict.SILENT if found is Verdict.UNMOVED and not informer.alive() else found

    def ask(self, resource: Resource, key: Key) -> float:
        """Return 0 if a dry-run may be made now, and count it; else the seconds to wait."""
        now = self._clock.monotonic()
        last = self._asked.get((resource, key))
        if last is not None and now - last < _DEBOUNCE:
            return _DEBOUNCE - (now - last)
        self._asked[resource, key] = now
        return 0.0

    def _watch(self, resource: Resource) -> tuple[Ledger, Informer, asyncio.Task[None]]:
        ledger = Ledger(resource, self._manager, self._controls)
        informer = Informer(
            self._client,
            Selection(resource, label_selector=self._label, metadata_only=True),
            self._clock,
            transform=lambda obj: obj,  # managedFields are what it is about
            picture=ledger,
        )

        def look(change: Change) -> None:
            key = change.key
            found = ledger.verdict(key)
            if found not in {Verdict.UNMOVED, Verdict.UNVERIFIED}:
                self._moved(change.object)

        informer.add_handler(look)
        task = self._tasks.create_task(informer.run(), name=f"tracker/{resource}")
        return ledger, informer, task
