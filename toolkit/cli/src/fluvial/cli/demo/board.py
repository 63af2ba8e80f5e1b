"""What the cluster says of the demo's objects, as it is told by watches."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import CANARY, GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION
from fluvial.cli.demo.errors import StepFailed
from fluvial.toolkit import Client, Resource
from fluvial.toolkit.client import ClientError, resource_of_kind

__all__ = ["EVENTS", "FOLLOWED", "GATEWAYS", "Board", "Note", "Stage", "condition", "describe"]

T = TypeVar("T")

EVENTS: Final = Resource("", "v1", "events", "Event")
GATEWAYS: Final = Resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
FOLLOWED: Final = (
    resource_of_kind(GIT_REPOSITORY),
    resource_of_kind(KUSTOMIZATION),
    resource_of_kind(HELM_RELEASE),
    resource_of_kind(CANARY),
    GATEWAYS,
    EVENTS,
)

_PAUSE: Final = 0.2
"""Seconds before a watch that broke is made again."""

_GUILTY: Final = {
    "GitRepository": "source",
    "Kustomization": "kustomize",
    "HelmRelease": "helm",
    "Canary": "canary",
    "Gateway": "plane",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a canary stood from `at` on: phase, weight of the new version, failed checks."""

    at: float
    phase: str
    weight: int
    failed: int


@dataclass(frozen=True, slots=True)
class Note:
    """What the canary controller said in an event."""

    at: float
    type: str
    message: str


@dataclass(slots=True)
class Board:
    """The newest state of every followed object, and what happened to the canary.

    Times are of `time.monotonic`. `first` has when a kind's object was first seen at a revision:
    a GitRepository with its artifact, a Kustomization or HelmRelease applied and ready.
    """

    objects: dict[tuple[str, str], Unstructured] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    first: dict[tuple[str, str], float] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _events: dict[str, int] = field(default_factory=dict)

    async def follow(self, client: Client, resource: Resource, namespace: str) -> None:
        """Keep up with one kind until cancelled; a broken watch is made again."""
        while True:
            with contextlib.suppress(ClientError):
                # Without a version a watch begins with the present state.
                events = client.watch(resource, namespace)
                async with aclosing(events) as stream:
                    async for event in stream:
                        if event.type in {"ADDED", "MODIFIED"}:
                            await self.take(event.object)
            await asyncio.sleep(_PAUSE)

    async def take(self, obj: Unstructured) -> None:
        """Note the state of an object and wake who waits."""
        now, kind = time.monotonic(), obj["kind"]
        if kind == "Event":
            self._take_event(obj, now)
        else:
            self.objects[kind, obj["metadata"]["name"]] = obj
            self._take_revision(obj, now)
        if kind == "Canary":
            self._take_stage(obj, now)
        async with self._changed:
            self._changed.notify_all()

    def get(self, kind: str, name: str) -> Unstructured:
        """Return the newest state of an object, empty where there is none yet."""
        return self.objects.get((kind, name), {})

    async def until(
        self, holds: Callable[[], T | None], what: str, kind: str, name: str, *, within: float
    ) -> T:
        """Wait until `holds()` returns something, and return that.

        `what` says what is expected; after `within` seconds StepFailed tells it, with the state of
        the object of that kind and name. `holds` may raise StepFailed itself.
        """
        try:
            async with asyncio.timeout(within), self._changed:
                while (found := holds()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            seen = describe(self.get(kind, name)) or f"no {kind} {name}"
            raise StepFailed(
                f"{what}: not within {within:.0f} s; seen: {seen}", process=_GUILTY.get(kind, "")
            ) from None

    def _take_event(self, event: Unstructured, now: float) -> None:
        """Note a canary's event, once per count: a series counts up in place."""
        if event.get("involvedObject", {}).get("kind") != "Canary":
            return
        uid, count = event["metadata"]["uid"], event.get("count") or 1
        if self._events.get(uid) != count:
            self._events[uid] = count
            self.notes.append(Note(now, event.get("type", ""), event.get("message", "")))

    def _take_revision(self, obj: Unstructured, now: float) -> None:
        kind, status = obj["kind"], obj.get("status") or {}
        if kind == "GitRepository":
            revision = (status.get("artifact") or {}).get("revision")
        else:
            applied = status.get("lastAppliedRevision")
            revision = applied if condition(obj, "Ready").get("status") == "True" else None
        if revision:
            self.first.setdefault((kind, revision), now)

    def _take_stage(self, canary: Unstructured, now: float) -> None:
        status = canary.get("status") or {}
        stage = Stage(
            now,
            status.get("phase") or "",
            int(status.get("canaryWeight") or 0),
            int(status.get("failedChecks") or 0),
        )
        last = self.stages[-1] if self.stages else None
        if last is None or (last.phase, last.weight, last.failed) != (
            stage.phase,
            stage.weight,
            stage.failed,
        ):
            self.stages.append(stage)


def condition(obj: Unstructured, type: str) -> Unstructured:
    """Return a condition of an object, empty where it has none of that type."""
    conditions: list[Unstructured] = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == type), {})


def describe(obj: Unstructured) -> str:
    """Say in one line what an object's status and conditions are."""
    if not obj:
        return ""
    status = obj.get("status") or {}
    parts = [
        f"{each['type']}={each['status']} ({each.get('reason', '')}: {each.get('message', '')})"
        for each in status.get("conditions") or []
    ]
    if obj["kind"] == "Canary":
        parts.insert(
            0,
            f"phase {status.get('phase') or 'none'}, weight {status.get('canaryWeight', 0)},"
            f" {status.get('failedChecks', 0)} failed checks",
        )
    return f"{obj['kind']} {obj['metadata']['name']}: {'; '.join(parts) or 'no status yet'}"
