"""Waiting until objects are as they should be."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import aclosing
from typing import NamedTuple

from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.toolkit.apply.expressions import HealthExpressions
from fluvial.toolkit.apply.kstatus import State, Status, compute
from fluvial.toolkit.client import (
    ApiError,
    Client,
    Forbidden,
    NotFound,
    TransportError,
    UnknownKind,
)
from fluvial.toolkit.clock import Clock, RealClock

__all__ = ["Health", "verdict", "wait"]

_POLL = 5.0
"""Seconds between looks where no watch is possible, and at what changes by time alone."""

_READERS = 8
_WATCHES = 64
_WITH_PODS = {("apps", "StatefulSet"), ("apps", "ReplicaSet"), ("extensions", "ReplicaSet")}


class Health(NamedTuple):
    """The last verdict on one object; prints as `Kind/ns/name status: 'InProgress'`."""

    id: ObjectId
    """The object."""
    state: State
    """The verdict, in kstatus's words."""
    message: str = ""
    """Why, where it is not current."""

    def __str__(self) -> str:
        return f"{self.id} status: '{self.state}'"


async def wait(
    client: Client,
    ids: Iterable[ObjectId],
    timeout: float,  # noqa: ASYNC109  (by the clock that is passed in)
    exprs: HealthExpressions | None = None,
    *,
    fail_fast: bool = True,
    vanishing: Collection[ObjectId] = (),
    clock: Clock | None = None,
) -> list[Health]:
    """Follow objects until all are current, one has failed, or `timeout` seconds are over.

    The verdicts come in the order of `ids`; everything is looked at once at least. Without
    `fail_fast` it goes on until every object is current or failed. `exprs` outrank the built-in
    rules. An object of `vanishing` (a Job with ttlSecondsAfterFinished) is current when it is gone.

    Each object is read, and then watched by its name, with the client's own identity: a tenant
    needs get and watch. Without watch, and beyond 64 objects that are not ready, it is read every
    5 s, as upstream does; so are pods, and what owns pods directly, for their verdict may change
    by time or by a pod. A kind that is unknown or a read that fails makes Unknown, which passes.
    """
    board = _Board(client, list(dict.fromkeys(ids)), exprs, fail_fast, set(vanishing))
    clock = clock or RealClock()
    async with asyncio.TaskGroup() as tasks:
        work = [tasks.create_task(_follow(board, identity, clock)) for identity in board.ids]
        timer = tasks.create_task(clock.sleep(timeout))
        timer.add_done_callback(lambda _: board.expire())
        board.settle()
        await board.done.wait()
        for task in (*work, timer):
            task.cancel()
    return board.healths()


def verdict(healths: Sequence[Health]) -> str:
    """Put the outcome in upstream's words; empty when all are current."""
    failed = [str(health) for health in healths if health.state is State.FAILED]
    if failed:
        return f"failed early due to stalled resources: [{', '.join(failed)}]"
    late = [str(health) for health in healths if health.state is not State.CURRENT]
    return f"timeout waiting for: [{', '.join(late)}]" if late else ""


class _Board:
    """The verdicts so far, and whether they are enough."""

    def __init__(
        self,
        client: Client,
        ids: list[ObjectId],
        exprs: HealthExpressions | None,
        fail_fast: bool,
        vanishing: set[ObjectId],
    ) -> None:
        self.client = client
        self.ids = ids
        self.done = asyncio.Event()
        self.readers = asyncio.Semaphore(_READERS)
        self.watches = asyncio.Semaphore(_WATCHES)
        self._exprs = exprs or HealthExpressions()
        self._fail_fast = fail_fast
        self._vanishing = vanishing
        self._found: dict[ObjectId, Status] = {}
        self._expired = False

    def healths(self) -> list[Health]:
        unseen = Status(State.UNKNOWN, "not looked at yet")
        return [Health(identity, *self._found.get(identity, unseen)) for identity in self.ids]

    def settle(self) -> None:
        states = {
            self._found[identity].state if identity in self._found else None
            for identity in self.ids
        }
        settled = states <= {State.CURRENT, State.FAILED}
        hopeless = self._fail_fast and State.FAILED in states
        if settled or hopeless or (self._expired and None not in states):
            self.done.set()

    def expire(self) -> None:
        """End the waiting, but not before everything was looked at once."""
        self._expired = True
        self.settle()

    def note(self, identity: ObjectId, status: Status) -> None:
        self._found[identity] = status
        self.settle()

    async def judge(self, identity: ObjectId, obj: Unstructured | None) -> None:
        if obj is None:
            gone = identity in self._vanishing
            self.note(identity, Status(State.CURRENT, "done and gone") if gone else compute(None))
            return
        status = self._exprs.compute(obj) or compute(obj)
        if status.state is State.IN_PROGRESS and (identity.group, identity.kind) in _WITH_PODS:
            status = await _with_pods(self.client, obj, status)
        self.note(identity, status)


async def _follow(board: _Board, identity: ObjectId, clock: Clock) -> None:
    """Keep the verdict of one object up to date until cancelled."""
    client, may_watch = board.client, True
    while True:
        try:
            resource = await client.mapper.resource(identity.group, identity.kind)
            if resource.namespaced and not identity.namespace:
                board.note(identity, Status(State.FAILED, "needs a namespace"))
                return
            async with board.readers:
                obj = await _get(client, identity)
            await board.judge(identity, obj)
        except (ApiError, TransportError, UnknownKind) as error:
            board.note(identity, Status(State.UNKNOWN, str(error)))
        else:
            if may_watch and not board.watches.locked() and not _by_time(identity):
                async with board.watches:
                    may_watch = await _watch(board, identity, obj)
        await clock.sleep(_POLL)


def _by_time(identity: ObjectId) -> bool:
    """Whether the verdict may change without the object: by its pods, or by the clock."""
    return (identity.group, identity.kind) in _WITH_PODS or (identity.group, identity.kind) == (
        "",
        "Pod",
    )


async def _watch(board: _Board, identity: ObjectId, obj: Unstructured | None) -> bool:
    """Follow one object's events until the stream ends; False when watching is forbidden."""
    resource = await board.client.mapper.resource(identity.group, identity.kind)
    version = obj["metadata"].get("resourceVersion") if obj else None
    try:
        async with aclosing(
            board.client.watch(
                resource,
                identity.namespace or None,
                resource_version=version,
                field_selector=f"metadata.name={identity.name}",
            )
        ) as events:
            async for event in events:
                if event.type != "BOOKMARK":
                    await board.judge(identity, None if event.type == "DELETED" else event.object)
    except Forbidden:
        return False
    except (ApiError, TransportError):
        # The next read tells what was missed.
        return True
    return True


async def _get(client: Client, identity: ObjectId) -> Unstructured | None:
    resource = await client.mapper.resource(identity.group, identity.kind)
    try:
        return await client.get(resource, identity.name, identity.namespace or None)
    except NotFound:
        return None


async def _with_pods(client: Client, obj: Unstructured, status: Status) -> Status:
    """Fail with a failed pod, unless that is on its way out or only waits for room."""
    labels = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    if not labels:
        return status
    pods = await client.mapper.resource("", "Pod")
    found = await client.list(
        pods,
        obj["metadata"].get("namespace"),
        label_selector=",".join(f"{key}={value}" for key, value in labels.items()),
    )
    for pod in found.items:
        found_status = compute(pod)
        waits = (pod.get("status") or {}).get("phase") == "Pending"
        if found_status.state is State.FAILED and not waits:
            return Status(State.FAILED, f"pod {pod['metadata']['name']}: {found_status.message}")
    return status
