"""Telling people: Kubernetes events, and the notification controller's HTTP endpoint."""

import asyncio
import random
import socket
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import aiohttp
import msgspec

from fluvial.apis.ids import Unstructured, split_api_version
from fluvial.toolkit.client import Client, ClientError, NotFound, Resource
from fluvial.toolkit.clock import Clock, rfc3339
from fluvial.toolkit.logs import logger
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.redact import redact

__all__ = ["EventRecorder", "EventType"]

EventType: TypeAlias = Literal["Normal", "Warning", "Trace"]
"""Normal is posted as `info`, Warning as `error`; Trace is a Normal event that is not posted."""

EVENTS = Resource("", "v1", "events", "Event")
"""The endpoint of Events."""

_PREFIX = "event.toolkit.fluxcd.io/"
_CORE_LIMIT = 1024
"""The API server refuses longer messages of events."""
_POST_LIMIT = 39000
_QUEUE = 1000
_AGGREGATED = 1000
"""How many different events are remembered for counting."""
_POST_TIMEOUT = 5.0
_POST_RETRIES = 4
_POST_BACKOFF, _POST_CAP = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class _Event:
    involved: dict[str, str]
    type: EventType
    reason: str
    message: str
    metadata: dict[str, str]
    stamp: str


class EventRecorder:
    """Takes events from reconciles without ever holding them up, and sends them in order.

    Equal events (object, type, reason and message) become one with a count. A full queue drops the
    newest event and counts it in `fluvial_events_dropped_total`. `address` is `--events-addr`;
    empty posts nothing.
    """

    def __init__(
        self,
        client: Client,
        component: str,
        *,
        address: str = "",
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self.component = component
        """Who reports: the controller's name."""
        self._address = address
        self._clock = clock
        self._dropped = metrics.events_dropped
        self._host = socket.gethostname()
        self._core: asyncio.Queue[_Event] = asyncio.Queue(_QUEUE)
        self._posts: asyncio.Queue[_Event] = asyncio.Queue(_QUEUE)
        self._counts: OrderedDict[tuple[str, ...], tuple[str, int]] = OrderedDict()
        self._log = logger("events")

    def event(
        self,
        obj: Unstructured,
        type: EventType,
        reason: str,
        message: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Record that something happened to `obj`.

        The keys of `metadata` get the object's API group as prefix unless they have one. The
        object's annotations `event.toolkit.fluxcd.io/<key>` are added. Credentials in the message
        are blanked.
        """
        meta = obj.get("metadata") or {}
        group, _ = split_api_version(obj.get("apiVersion") or "")
        extra = {
            key: value
            for key, value in (meta.get("annotations") or {}).items()
            if key.startswith(_PREFIX)
        }
        for key, value in (metadata or {}).items():
            extra[key if "/" in key else f"{group}/{key}"] = value
        fields = ("namespace", "name", "uid", "resourceVersion")
        involved = {"apiVersion": obj.get("apiVersion") or "", "kind": obj.get("kind") or ""}
        involved |= {field: meta[field] for field in fields if meta.get(field)}
        stamp = rfc3339(self._clock.now())
        event = _Event(involved, type, reason, redact(message), extra, stamp)
        self._put(self._core, event)
        addressed = involved["kind"] and involved.get("name") and involved.get("namespace")
        if self._address and type != "Trace" and addressed:
            self._put(self._posts, event)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_core(), name="events/core")
            if self._address:
                tasks.create_task(self._send_posts(), name="events/posts")

    async def flush(self) -> None:
        """Wait until everything that was recorded so far was sent or given up."""
        await self._core.join()
        await self._posts.join()

    def _put(self, queue: asyncio.Queue[_Event], event: _Event) -> None:
        try:
            queue.put_nowait(event)
        except asyncio.QueueFull:
            self._dropped.labels("queue_full").inc()

    async def _send_core(self) -> None:
        while True:
            event = await self._core.get()
            try:
                await self._write(event)
            except ClientError as error:
                self._dropped.labels("refused").inc()
                self._log.debug("event not written", error=str(error), reason=event.reason)
            finally:
                self._core.task_done()

    async def _write(self, event: _Event) -> None:
        involved = event.involved
        namespace = involved.get("namespace") or "default"
        message = _cut(event.message, _CORE_LIMIT)
        key = (namespace, involved.get("uid", ""), event.type, event.reason, message)
        known = self._counts.get(key)
        if known is not None:
            name, count = known
            patch = {
                "count": count + 1,
                "lastTimestamp": event.stamp,
                "metadata": {"annotations": event.metadata or None},
            }
            try:
                await self._client.patch(EVENTS, name, patch, namespace)
            except NotFound:
                del self._counts[key]  # expired on the server
            else:
                self._remember(key, name, count + 1)
                return
        name = f"{involved['name']}.{random.getrandbits(64):016x}"
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": name,
                "namespace": namespace,
                **({"annotations": event.metadata} if event.metadata else {}),
            },
            "involvedObject": involved,
            "reason": event.reason,
            "message": message,
            "source": {"component": self.component},
            "firstTimestamp": event.stamp,
            "lastTimestamp": event.stamp,
            "count": 1,
            "type": "Warning" if event.type == "Warning" else "Normal",
        }
        await self._client.create(EVENTS, body, namespace)
        self._remember(key, name, 1)

    def _remember(self, key: tuple[str, ...], name: str, count: int) -> None:
        self._counts[key] = (name, count)
        self._counts.move_to_end(key)
        while len(self._counts) > _AGGREGATED:
            self._counts.popitem(last=False)

    async def _send_posts(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_POST_TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                event = await self._posts.get()
                try:
                    await self._post(session, event)
                finally:
                    self._posts.task_done()

    async def _post(self, session: aiohttp.ClientSession, event: _Event) -> None:
        body: dict[str, Any] = {
            "involvedObject": event.involved,
            "severity": "error" if event.type == "Warning" else "info",
            "timestamp": event.stamp,
            "message": _cut(event.message, _POST_LIMIT),
            "reason": event.reason,
            "reportingController": self.component,
            "reportingInstance": self._host,
        }
        if event.metadata:
            body["metadata"] = event.metadata
        content = msgspec.json.encode(body)
        trouble = ""
        for attempt in range(_POST_RETRIES + 1):
            if attempt:
                delay = min(_POST_BACKOFF * 2 ** (attempt - 1), _POST_CAP)
                await self._clock.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311
            try:
                async with session.post(
                    self._address, data=content, headers={"Content-Type": "application/json"}
                ) as response:
                    status = response.status
            except (aiohttp.ClientError, OSError) as error:
                trouble = str(error) or type(error).__name__
                continue
            if status < 500:
                # 429 says that it is a duplicate, which is as good as delivered.
                if status >= 400 and status != 429:
                    self._dropped.labels("refused").inc()
                    self._log.error("notification refused", status=status, reason=event.reason)
                return
            trouble = f"status {status}"
        self._dropped.labels("failed").inc()
        self._log.error("notification failed", error=trouble, reason=event.reason)


def _cut(message: str, limit: int) -> str:
    encoded = message.encode()
    if len(encoded) <= limit:
        return message
    return encoded[: limit - 3].decode(errors="ignore") + "..."
