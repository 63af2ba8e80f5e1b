"""What a reconciler is given besides the object."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from fluvial.apis.definition import Kind
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import Resource as Model
from fluvial.toolkit import conditions
from fluvial.toolkit.client import Client
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.conditions import READY
from fluvial.toolkit.events import EventRecorder, EventType
from fluvial.toolkit.failure import Transient
from fluvial.toolkit.flags import RuntimeFlags
from fluvial.toolkit.lifecycle import Reconciled
from fluvial.toolkit.logs import Logger
from fluvial.toolkit.metrics import Metrics
from fluvial.toolkit.status import Patcher
from fluvial.toolkit.store import Key

if TYPE_CHECKING:
    from fluvial.toolkit.apply import ChangeSet

__all__ = ["Context", "Finalizer", "Reconciler", "Result"]

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Result:
    """How a reconcile that succeeded wants to go on; all in seconds.

    `interval` comes back after that time, jittered by `--interval-jitter-percentage`;
    `requeue_after` after exactly that time, at once for 0; `requeue` after the backoff of a
    failure, longer each time. None of them waits for a change.
    """

    interval: float | None = None
    requeue_after: float | None = None
    requeue: bool = False


class Context(Generic[M]):
    """One attempt at one object.

    `obj` may be changed in its status only; what changed is written at the end, or at once by
    `patch_status` and `progress`. Everything here belongs to the controller's own identity: a
    tenant's is `client.impersonate(…)`.
    """

    def __init__(
        self,
        *,
        obj: M,
        raw: Unstructured,
        kind: Kind[M],
        client: Client,
        flags: RuntimeFlags,
        clock: Clock,
        metrics: Metrics,
        recorder: EventRecorder,
        log: Logger,
        patcher: Patcher[M],
        requested: str,
        interrupted: asyncio.Event,
    ) -> None:
        self.obj = obj
        self.raw = raw
        """The object as the last read or write returned it; `managedFields` may be missing."""
        self.kind = kind
        """The object's kind."""
        self.client = client
        self.flags = flags
        """The process's settings."""
        self.clock = clock
        """Where time comes from."""
        self.metrics = metrics
        """What the process counts."""
        self.revision = ""
        """The revision of a source that this is about; empty for what the status says."""
        self.log = log
        """A logger that names the object in every line."""
        self.requested = requested
        """The reconcile request (`requestedAt`) that this attempt answers, or an empty string."""
        self.interrupted = interrupted
        """Set as soon as the object is queued again: a long wait may give up for a newer state."""
        self._recorder = recorder
        self._patcher = patcher

    @property
    def key(self) -> Key:
        """Namespace and name of the object."""
        return Key(self.obj.metadata.namespace, self.obj.metadata.name)

    @property
    def now(self) -> datetime:
        """The present time in UTC, for conditions and histories."""
        return self.clock.now()

    def ready(self, reason: str, message: str) -> None:
        """Set Ready to True; written with the status at the end."""
        conditions.mark_true(self._lived, READY, reason, message, now=self.now)

    def mark(
        self, type: str, status: conditions.ConditionStatus, reason: str, message: str
    ) -> None:
        """Set a condition; written with the status at the end. Its type must be an owned one."""
        conditions.mark(self._lived, type, status, reason, message, now=self.now)

    async def apply(self, *objects: Unstructured) -> "ChangeSet":
        """Apply objects that belong to this one, server-side; see `fluvial.toolkit.apply`.

        Those of its namespace, or without one, get an owner reference and go with it; all carry
        the two labels that say whose they are. What does not differ from the live object is not
        written. The field manager is the controller's name. Raises Transient when something could
        not be applied: it is tried again.
        """
        # Imported here: controllers that apply nothing need not hold the engine in memory.
        from fluvial.toolkit.apply import Applier, ApplyFailed, Owner  # noqa: PLC0415

        owner = Owner(self.kind.group, self.key.name, self.key.namespace)
        applier = Applier(self.client, self._recorder.component, owner, clock=self.clock)
        try:
            return await applier.apply([self._owned(obj) for obj in objects])
        except ApplyFailed as error:
            raise Transient("ApplyFailed", str(error)) from error

    def _owned(self, obj: Unstructured) -> Unstructured:
        """Return the object in this one's namespace and, if it may, with an owner reference."""
        meta = self.obj.metadata
        metadata = {"namespace": meta.namespace, **obj["metadata"]}
        if metadata["namespace"] == meta.namespace:
            reference = {
                "apiVersion": self.kind.api_version,
                "kind": self.kind.kind,
                "name": meta.name,
                "uid": meta.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
            metadata["ownerReferences"] = [reference]
        return {**obj, "metadata": metadata}

    async def progress(self, message: str, *, reason: str = "Progressing") -> None:
        """Say what is going on: Reconciling is True, Ready Unknown; written at once."""
        conditions.mark_unknown(self._lived, READY, reason, message, now=self.now)
        conditions.mark_reconciling(self._lived, reason, message, now=self.now)
        await self.patch_status()

    async def patch_status(self) -> None:
        """Write the status as it is now, e.g. an inventory before the first apply.

        Raises NotFound when the object is gone: then there is nothing left to reconcile.
        """
        self.raw = await self._patcher.status(self.raw, self.obj)

    def event(
        self,
        type: EventType,
        reason: str,
        message: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Tell people; see `EventRecorder.event`."""
        self._recorder.event(self.raw, type, reason, message, metadata)

    @property
    def _lived(self) -> Reconciled:
        return cast("Reconciled", self.obj)


class Reconciler(Protocol[M]):
    """What a controller is made of."""

    async def reconcile(self, ctx: Context[M], obj: M) -> Result:
        """Bring the world to where `obj.spec` wants it.

        Must be idempotent: it may have been killed anywhere the last time. Raise `Stalled`,
        `Waiting` or `Transient` to say why not; the conditions, the event, the log line and the
        retry follow from that.
        """


class Finalizer(Protocol[M]):
    """A reconciler that has to clean up."""

    async def finalize(self, ctx: Context[M], obj: M) -> None:
        """Undo what was done for `obj`, which is being deleted; also when it is suspended.

        Returning removes the finalizer; raising keeps it, and it is tried again.
        """
