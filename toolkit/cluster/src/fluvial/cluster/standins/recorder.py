"""Events as controllers write them: one object per thing that happens, counted when it repeats."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections import OrderedDict

from fluvial.cluster.errors import StatusError
from fluvial.cluster.objects import Object, metadata, name_of, namespace_of, rfc3339
from fluvial.cluster.standins.metadata import uid_of
from fluvial.cluster.standins.timer import Timer, seconds_since
from fluvial.cluster.standins.view import ApiAccess

__all__ = ["LIFETIME", "Happening", "Recorder"]

EVENTS = "v1/events"
LIFETIME = 3600.0
"""Seconds after which an event is removed, as upstream's default."""

_SWEEP = 300.0
_REMEMBERED = 4096
_WAITING = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Happening:
    """What is to be told of an object; `field` names a part of it, such as a container."""

    obj: Object
    reason: str
    message: str
    component: str
    warning: bool = False
    field: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Return what makes two happenings the same one, repeated."""
        return (uid_of(self.obj), self.field, self.reason, self.message, self.component)


class Recorder:
    """Writes events one after the other, behind whoever tells of them.

    What does not fit the queue is dropped: nothing waits for an event, and nothing depends on it.
    """

    def __init__(self, api: ApiAccess, timer: Timer) -> None:
        self._api = api
        self._timer = timer
        self._queue: asyncio.Queue[Happening] = asyncio.Queue(_WAITING)
        self._known: OrderedDict[tuple[str, ...], tuple[str, str, int]] = OrderedDict()

    def tell(self, happening: Happening) -> None:
        """Have an event written."""
        if not self._queue.full():
            self._queue.put_nowait(happening)

    async def run(self) -> None:
        """Write until cancelled, and remove what is old."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(), name="events of the past")
            while True:
                happening = await self._queue.get()
                try:
                    await self._write(happening)
                except StatusError:
                    # The namespace ends, or the event was removed: an event is worth no retry.
                    self._known.pop(happening.key, None)

    async def _write(self, happening: Happening) -> None:
        now, key = rfc3339(self._timer.now()), happening.key
        if key in self._known:
            namespace, name, count = self._known[key]
            self._known[key] = (namespace, name, count + 1)
            patch = {"count": count + 1, "lastTimestamp": now}
            await self._api.patch_merge(EVENTS, namespace, name, patch)
            return
        made = _event(happening, now)
        await self._api.create(made)
        self._known[key] = (namespace_of(made), name_of(made), 1)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _sweep(self) -> None:
        while True:
            await self._timer.sleep(_SWEEP)
            now = self._timer.now()
            for event in await self._api.list(EVENTS):
                last = event.get("lastTimestamp") or metadata(event).get("creationTimestamp")
                if last and seconds_since(last, now) > LIFETIME:
                    try:
                        await self._api.delete(EVENTS, namespace_of(event), name_of(event))
                    except StatusError as error:
                        if error.code != 404:
                            raise


def _event(happening: Happening, now: str) -> Object:
    obj = happening.obj
    namespace = namespace_of(obj) or "default"
    involved = {
        "apiVersion": obj.get("apiVersion", ""),
        "kind": obj.get("kind", ""),
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "uid": uid_of(obj),
        "resourceVersion": metadata(obj).get("resourceVersion", ""),
        "fieldPath": happening.field,
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name_of(obj)}.{secrets.token_hex(8)}", "namespace": namespace},
        "involvedObject": {key: value for key, value in involved.items() if value},
        "type": "Warning" if happening.warning else "Normal",
        "reason": happening.reason,
        "message": happening.message,
        "source": {"component": happening.component},
        "reportingComponent": happening.component,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
