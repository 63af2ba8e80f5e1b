"""What all controllers of one process share."""

import asyncio
from dataclasses import dataclass

from fluvial.toolkit.client import Client
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.events import EventRecorder
from fluvial.toolkit.flags import RuntimeFlags
from fluvial.toolkit.informer import Informer, Selection, Transform, trim
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.tracing import Tracing

__all__ = ["Informers", "Runtime"]


class Informers:
    """The informers of a process: one per selection, started when first asked for.

    Started ones end with `tasks`; `drop` ends one earlier, e.g. when its definition is gone.
    """

    def __init__(self, client: Client, clock: Clock, tasks: asyncio.TaskGroup) -> None:
        self._client = client
        self._clock = clock
        self._tasks = tasks
        self._running: dict[Selection, tuple[Informer, asyncio.Task[None]]] = {}

    def get(self, selection: Selection, transform: Transform = trim) -> Informer:
        """Return the informer of a selection, started; the first caller's transform counts."""
        known = self._running.get(selection)
        if known is not None:
            return known[0]
        informer = Informer(self._client, selection, self._clock, transform=transform)
        task = self._tasks.create_task(informer.run(), name=f"informer/{selection.resource}")
        self._running[selection] = (informer, task)
        return informer

    def drop(self, selection: Selection) -> None:
        """Stop an informer and forget what it knew."""
        known = self._running.pop(selection, None)
        if known is not None:
            known[1].cancel()

    def close(self) -> None:
        """Stop all."""
        for selection in list(self._running):
            self.drop(selection)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a controller needs around it; the manager makes one per process."""

    name: str
    """The controller process's name, e.g. `source-controller`."""
    client: Client
    """The controller's own identity at the API server."""
    flags: RuntimeFlags
    """The process's settings."""
    clock: Clock
    """Where time comes from."""
    metrics: Metrics
    """What the process counts."""
    recorder: EventRecorder
    """Where events go."""
    informers: Informers
    """The shared caches."""
    tracing: Tracing | None = None
    """Where traces go, None where nobody collects them."""
