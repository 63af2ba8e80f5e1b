"""A controller at work: what wakes its objects, the workers, and what follows from an attempt."""

import asyncio
import dataclasses
import random
import time
import uuid
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from fluvial.apis.decoding import DecodeError, decode
from fluvial.apis.definition import Kind
from fluvial.apis.duration import format_duration
from fluvial.apis.ids import Unstructured
from fluvial.apis.meta import Condition
from fluvial.apis.meta import Resource as Model
from fluvial.apis.schema import Model as Schema
from fluvial.toolkit import lifecycle
from fluvial.toolkit.client import ClientError, LeaseLost, NotFound, resource_of_kind
from fluvial.toolkit.conditions import READY
from fluvial.toolkit.conditions import get as get_condition
from fluvial.toolkit.context import Context, Finalizer, Result
from fluvial.toolkit.controller import Controller, Watch
from fluvial.toolkit.events import EventType
from fluvial.toolkit.failure import ReconcileError, Stalled, Transient, Waiting
from fluvial.toolkit.informer import Change, Informer, Selection
from fluvial.toolkit.lifecycle import Reconciled
from fluvial.toolkit.logs import Logger, logger
from fluvial.toolkit.queue import BACKGROUND, CHANGED, REQUESTED, Backoff, QueueClosed, WorkQueue
from fluvial.toolkit.redact import redact
from fluvial.toolkit.runtime import Runtime
from fluvial.toolkit.status import Patcher
from fluvial.toolkit.store import Key, supersedes
from fluvial.toolkit.tracing import revision_of

__all__ = ["work"]

M = TypeVar("M", bound=Model)
N = TypeVar("N", bound=Model)


async def work(controller: Controller[M], runtime: Runtime, stopping: asyncio.Event) -> None:
    """Run a controller until `stopping` is set and what is in progress has ended."""
    await _Run(controller, runtime).run(stopping)


class _Waker(Protocol):
    def __call__(self, change: Change) -> None: ...


class _BareStatus(Schema, kw_only=True):
    """The part of a status that all kinds share."""

    conditions: list[Condition] = []  # noqa: RUF012 - msgspec copies it
    observed_generation: int = 0


class _Bare(Model, kw_only=True):
    """An object of which only the condition matters, whatever else is wrong with it."""

    status: _BareStatus = msgspec.field(default_factory=_BareStatus)


class _Run(Generic[M]):
    """One controller at work."""

    def __init__(self, spec: Controller[M], runtime: Runtime) -> None:
        self._spec = spec
        self._rt = runtime
        flags = runtime.flags
        self._queue: WorkQueue[Key] = WorkQueue(spec.name, runtime.clock, runtime.metrics)
        self._backoff: Backoff[Key] = Backoff(flags.min_retry_delay, flags.max_retry_delay)
        self._retries = runtime.metrics.queue_retries.labels(spec.name, spec.name)
        self._undecodable: set[Key] = set()
        self._written: dict[Key, Unstructured] = {}
        """What our own writes returned, until the informer has caught up with them."""
        self._resource = resource_of_kind(spec.kind)
        self._informer = runtime.informers.get(
            Selection(
                self._resource, flags.watch_namespace, label_selector=flags.watch_label_selector
            )
        )
        self._store = self._informer.store
        self._bound = logger(
            "controller",
            controller=spec.name,
            controllerGroup=spec.kind.group,
            controllerKind=spec.kind.kind,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        for name, indexer in self._spec.indexes.items():
            self._store.add_index(name, indexer)
        handlers: list[tuple[Informer, Callable[[Change], None]]] = [(self._informer, self._on_own)]
        for watch in self._spec.watches:
            selection = watch.selection(self._rt.flags.watch_namespace)
            handlers.append((self._rt.informers.get(selection), self._waker(watch)))
        for informer, handler in handlers:
            informer.add_handler(handler)
        workers = self._spec.concurrent or self._rt.flags.concurrent
        self._rt.metrics.max_concurrent.labels(self._spec.name).set(workers)
        self._rt.metrics.active_workers.labels(self._spec.name).set(0)
        try:
            async with asyncio.TaskGroup() as tasks:
                closer = tasks.create_task(self._close_when(stopping))
                # No work before every cache is whole: a map function would miss objects.
                for informer, _ in handlers:
                    await _either(informer.synced, stopping)
                running = [
                    tasks.create_task(self._work(), name=f"{self._spec.name}/worker-{n}")
                    for n in range(workers)
                ]
                self._bound.info("Starting workers", **{"worker count": workers})
                await asyncio.wait(running)
                closer.cancel()
        finally:
            for informer, handler in handlers:
                informer.remove_handler(handler)

    async def _close_when(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._queue.close()

    def _on_own(self, change: Change) -> None:
        key = change.key
        if change.type == "deleted":
            self._forget(key)
            return
        seen = self._written.get(key)
        if seen is not None and not supersedes(seen, change.object):
            del self._written[key]
        if self._spec.predicate(change):
            annotations = change.object["metadata"].get("annotations") or {}
            status = change.object.get("status") or {}
            token = annotations.get(lifecycle.REQUESTED_AT)
            asked = token is not None and token != status.get("lastHandledReconcileAt")
            self._queue.add(key, REQUESTED if asked else CHANGED)

    def _waker(self, watch: Watch) -> _Waker:
        def wake(change: Change) -> None:
            if watch.predicate(change):
                for key in watch.map(change.object, self._store):
                    self._queue.add(key, CHANGED)

        return wake

    def _forget(self, key: Key) -> None:
        self._queue.cancel(key)
        self._backoff.forget(key)
        self._written.pop(key, None)
        self._undecodable.discard(key)
        self._count_undecodable()
        self._rt.metrics.forget(self._spec.kind.kind, key.namespace, key.name)

    async def _work(self) -> None:
        active = self._rt.metrics.active_workers.labels(self._spec.name)
        while True:
            try:
                key, interrupted = await self._queue.get()
            except QueueClosed:
                return
            active.inc()
            try:
                await self._handle(key, interrupted)
            finally:
                active.dec()
                self._queue.done(key)
            # An attempt that has nothing to wait for does not suspend, and the queue may be long:
            # watches, probes and the lease must get their turn in between.
            await asyncio.sleep(0)

    async def _handle(self, key: Key, interrupted: asyncio.Event) -> None:
        """Run one attempt and queue what follows from it; nothing but LeaseLost escapes."""
        line = self._bound.bind(
            {self._spec.kind.kind: {"name": key.name, "namespace": key.namespace}},
            name=key.name,
            namespace=key.namespace,
            reconcileID=str(uuid.uuid4()),
        )
        start = self._rt.clock.monotonic()
        outcome = "success"
        try:
            result = await self._attempt(key, interrupted, line)
        except LeaseLost:
            raise  # ends the process
        except ReconcileError as error:
            outcome = self._after_failure(key, error, self._rt.clock.monotonic() - start, line)
        except ClientError as error:
            wrapped = Transient("Failed", str(error))
            outcome = self._after_failure(key, wrapped, self._rt.clock.monotonic() - start, line)
        except Exception as error:  # noqa: BLE001 - one object's bug must not stop the others
            self._rt.metrics.reconcile_panics.labels(self._spec.name).inc()
            wrapped = Transient("Failed", f"{type(error).__name__}: {error}")
            wrapped.__cause__ = error
            outcome = self._after_failure(key, wrapped, self._rt.clock.monotonic() - start, line)
        else:
            outcome = self._after_success(key, result or Result())
        elapsed = self._rt.clock.monotonic() - start
        name = self._spec.name
        self._rt.metrics.reconciles.labels(name, outcome).inc()
        self._rt.metrics.reconcile_time.labels(name).observe(elapsed)
        if self._store.get(*key) is not None:
            labels = (self._spec.kind.kind, key.name, key.namespace)
            self._rt.metrics.reconcile_duration.labels(*labels).observe(elapsed)

    def _after_success(self, key: Key, result: Result) -> str:
        if result.requeue:
            self._queue.add_after(key, self._backoff.next(key))
            self._retries.inc()
            return "requeue"
        self._backoff.forget(key)
        delay = result.requeue_after
        if delay is None and result.interval is not None:
            delay = result.interval * self._jitter()
        if delay is None:
            return "success"
        self._queue.add_after(key, delay, BACKGROUND)
        return "requeue_after"

    def _after_failure(self, key: Key, error: ReconcileError, elapsed: float, line: Logger) -> str:
        took = format_duration(round(elapsed, 3))
        shown = error.__cause__ if isinstance(error.__cause__, Exception) else error
        if isinstance(error, Stalled):
            self._backoff.forget(key)
            self._rt.metrics.reconcile_errors.labels(self._spec.name).inc()
            line.error(f"Reconciliation stalled after {took}", error=shown)
            return "error"
        if isinstance(error, Waiting):
            self._backoff.forget(key)
            delay = error.requeue_after
            if delay is None:
                delay = float(getattr(self._rt.flags, "requeue_dependency", 30.0))
            line.info(f"{error.message}, next try in {format_duration(delay)}")
            self._queue.add_after(key, delay)
            return "requeue_after"
        delay = getattr(error, "retry_after", None)
        if delay is None:
            delay = self._backoff.next(key)
        self._retries.inc()
        self._rt.metrics.reconcile_errors.labels(self._spec.name).inc()
        next_try = format_duration(round(delay, 3))
        line.error(f"Reconciliation failed after {took}, next try in {next_try}", error=shown)
        self._queue.add_after(key, delay)
        return "error"

    def _jitter(self) -> float:
        percent = float(getattr(self._rt.flags, "interval_jitter_percentage", 0))
        return 1 + percent / 100 * random.uniform(-1, 1)  # noqa: S311

    async def _current(self, key: Key) -> Unstructured | None:
        """Return the object as of our own last write at least.

        The informer may lag behind: an attempt on an older status would forget what the one before
        wrote, an inventory for example.
        """
        cached = self._store.get(*key)
        written = self._written.get(key)
        if cached is None or written is None or not supersedes(written, cached):
            self._written.pop(key, None)
            return cached
        try:
            return await self._rt.client.get(self._resource, key.name, key.namespace or None)
        except NotFound:
            return None

    async def _attempt(self, key: Key, interrupted: asyncio.Event, line: Logger) -> Result | None:
        try:
            raw = await self._current(key)
        except ClientError as error:
            raise Transient("Failed", str(error)) from error
        if raw is None:
            return None
        try:
            obj = decode(self._spec.kind, raw)
        except DecodeError as error:
            await self._refuse(key, raw, error, line)
            return None
        self._undecodable.discard(key)
        self._count_undecodable()
        patcher = self._patcher(key, self._spec.kind)
        ctx = Context(
            obj=obj,
            raw=raw,
            kind=self._spec.kind,
            client=self._rt.client,
            flags=self._rt.flags,
            clock=self._rt.clock,
            metrics=self._rt.metrics,
            recorder=self._rt.recorder,
            log=line,
            patcher=patcher,
            requested=lifecycle.request_of(cast("Reconciled", obj)),
            interrupted=interrupted,
        )
        if obj.metadata.deletion_timestamp:
            await self._finalize(ctx, patcher)
            return None
        if self._spec.finalizer and self._spec.finalizer not in obj.metadata.finalizers:
            try:
                ctx.raw = await patcher.finalizer(raw, self._spec.finalizer, present=True)
            except NotFound:
                return None
            except ClientError as error:
                raise Transient("Failed", str(error)) from error
        if getattr(getattr(obj, "spec", None), "suspend", False):
            line.info("Reconciliation is suspended for this object")
            return None
        return await self._reconcile(ctx)

    async def _finalize(self, ctx: Context[M], patcher: Patcher[M]) -> None:
        name = self._spec.finalizer
        if name is None or name not in ctx.obj.metadata.finalizers:
            return
        try:
            async with asyncio.timeout(self._spec.timeout):
                await cast("Finalizer[M]", self._spec.reconciler).finalize(ctx, ctx.obj)
            await patcher.finalizer(ctx.raw, name, present=False)
        except NotFound:
            return  # gone by itself
        except TimeoutError as error:
            raise Transient("Failed", "finalizing took too long") from error
        except (LeaseLost, ReconcileError):
            raise
        except ClientError as error:
            raise Transient("Failed", str(error)) from error

    async def _reconcile(self, ctx: Context[M]) -> Result | None:
        spans = self._rt.tracing
        if spans is None:
            return await self._reconciled(ctx)
        began, before, failure = time.time_ns(), ctx.raw, None
        try:
            return await self._reconciled(ctx)
        except ReconcileError as error:
            failure = error.message
            raise
        finally:
            # A pass that writes nothing is nothing that became of a revision.
            if ctx.raw is not before:
                revision = ctx.revision or revision_of(ctx.raw)
                spans.attempt(ctx.raw, revision, began, time.time_ns(), error=failure)

    async def _reconciled(self, ctx: Context[M]) -> Result | None:
        if not self._spec.conditions:
            return await self._call(ctx)
        obj = cast("Reconciled", ctx.obj)
        before = get_condition(obj, READY)
        told = (before.reason, before.message) if before is not None else None
        try:
            lifecycle.begin(obj, now=ctx.now)
            if not lifecycle.observed_current(obj):
                await ctx.patch_status()
            result = await self._call(ctx)
            lifecycle.succeed(obj, now=ctx.now)
        except ReconcileError as error:
            error.message = redact(error.message)
            if error.ready is not None:
                error.ready = (error.ready[0], redact(error.ready[1]))
            lifecycle.fail(obj, error, now=ctx.now)
            # People hear of waiting once, and of failures each time that the backoff allows.
            waits = isinstance(error, Waiting)
            if not error.told and not (waits and told == (error.reason, error.message)):
                kind: EventType = "Normal" if waits else "Warning"
                ctx.event(kind, error.reason, error.message, error.metadata)
            if not await self._conclude(ctx):
                return None
            raise
        except NotFound:
            return None  # of the first status write: the object is gone
        if not await self._conclude(ctx):
            return None
        ctx.log.info("Reconciliation finished")
        return result

    async def _call(self, ctx: Context[M]) -> Result:
        """Call the reconciler; whatever it raises comes out as a ReconcileError or LeaseLost."""
        try:
            async with asyncio.timeout(self._spec.timeout) as scope:
                return await self._spec.reconciler.reconcile(ctx, ctx.obj)
        except (ReconcileError, LeaseLost):
            raise
        except TimeoutError as error:
            limit = format_duration(self._spec.timeout)
            message = f"gave up after {limit}" if scope.expired() else f"timed out: {error}"
            raise Transient("Failed", message) from error
        except ClientError as error:
            raise Transient("Failed", str(error)) from error
        except Exception as error:
            self._rt.metrics.reconcile_panics.labels(self._spec.name).inc()
            raise Transient("Failed", f"{type(error).__name__}: {error}") from error

    async def _conclude(self, ctx: Context[M]) -> bool:
        """Write the final status; False when the object is gone."""
        lifecycle.handle_request(cast("Reconciled", ctx.obj))
        try:
            await ctx.patch_status()
        except NotFound:
            return False
        except LeaseLost:
            raise
        except ClientError as error:
            raise Transient("Failed", f"status not written: {error}") from error
        return True

    async def _refuse(self, key: Key, raw: Unstructured, error: DecodeError, line: Logger) -> None:
        """Say on the object that it cannot be read; the others of its kind go on."""
        self._undecodable.add(key)
        self._count_undecodable()
        line.error("the object does not fit its kind", error=str(error))
        self._rt.recorder.event(raw, "Warning", "Invalid", str(error))
        if not self._spec.conditions:
            return
        bare: Kind[Any] = dataclasses.replace(self._spec.kind, model=_Bare)  # type: ignore[arg-type]
        try:
            obj = decode(bare, raw)
            lifecycle.fail(obj, Stalled("Invalid", str(error)), now=self._rt.clock.now())
            await self._patcher(key, bare).status(raw, obj)
        except (DecodeError, ClientError) as trouble:
            line.error("the condition could not be written", error=str(trouble))

    def _patcher(self, key: Key, kind: Kind[N]) -> Patcher[N]:
        return Patcher(
            self._rt.client,
            kind,
            field_manager=self._spec.manager or self._rt.name,
            owned=self._spec.owned,
            clock=self._rt.clock,
            written=lambda live: self._written.__setitem__(key, live),
        )

    def _count_undecodable(self) -> None:
        self._rt.metrics.undecodable.labels(self._spec.kind.kind).set(len(self._undecodable))


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
