"""The apply engine: stages, dry-runs, writes, in that order."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from fluvial.apis.ids import GroupKind, ObjectId, Unstructured, split_api_version
from fluvial.toolkit.apply._plan import Plan, Planner, readable
from fluvial.toolkit.apply.changes import Action, Change, ChangeSet
from fluvial.toolkit.apply.errors import ApplyFailed, ObjectError
from fluvial.toolkit.apply.health import verdict, wait
from fluvial.toolkit.apply.inventory import Entry, Inventory
from fluvial.toolkit.apply.kstatus import State, compute
from fluvial.toolkit.apply.managers import cleanup_patch
from fluvial.toolkit.apply.manifests import expand, normalize
from fluvial.toolkit.apply.options import ApplyOptions, PruneOptions
from fluvial.toolkit.apply.ordering import Stage, sort_key, stages
from fluvial.toolkit.apply.owner import Owner
from fluvial.toolkit.apply.pruning import prune
from fluvial.toolkit.apply.tracking import Claim
from fluvial.toolkit.client import (
    ApiError,
    Client,
    Conflict,
    LeaseLost,
    NotFound,
    TransportError,
    UnknownKind,
)
from fluvial.toolkit.clock import Clock, RealClock

__all__ = ["Applier", "BeforeWrite"]

BeforeWrite: TypeAlias = Callable[[Inventory], Awaitable[None]]
"""Awaited once, before the first write of a run, with everything that may exist from then on."""

_GONE_POLL = 2.0
_TRIES = 5
_DEFINITION = "CustomResourceDefinition"


class Applier:
    """Applies decoded objects on behalf of one owner.

    `manager` is the field manager, `concurrency` how many objects of a stage are read and
    dry-run at a time. The client's identity is the one that everything is done with. With a `claim`
    an apply passes over objects that are known to be unmoved: they count as unchanged.
    """

    def __init__(
        self,
        client: Client,
        manager: str,
        owner: Owner,
        concurrency: int = 4,
        *,
        clock: Clock | None = None,
        claim: Claim | None = None,
    ) -> None:
        self._client = client
        self._manager = manager
        self._owner = owner
        self._concurrency = concurrency
        self._clock = clock or RealClock()
        self._claim = claim

    async def apply(
        self,
        objects: Iterable[Unstructured],
        options: ApplyOptions | None = None,
        before_write: BeforeWrite | None = None,
    ) -> ChangeSet:
        """Apply objects in stages and return what happened to each.

        Per stage all objects are dry-run first, concurrently; then what differs is written, in
        order. After definitions and classes it waits until they are current. Unchanged objects
        cost a GET and a dry-run, and no write.

        Raises ApplyFailed with every error of the stage at which it stopped; what was done until
        then is in its `changes`. The client's LeaseLost passes through.
        """
        options = options or ApplyOptions()
        prepared = self._prepare(objects, options)
        gate = _Gate(before_write, options.previous.union(await self._identify(prepared)))
        planner = Planner(self._client, self._manager, self._owner, options, self._claim)
        result = ChangeSet()
        for which, members in stages(prepared, options.custom_stage):
            plans, errors = await self._plan(planner, members)
            if errors:
                raise ApplyFailed(errors, result)
            waited = []
            for plan in plans:
                try:
                    change, live = await self._execute(plan, planner, gate)
                except ObjectError as error:
                    raise ApplyFailed([error], result) from error
                result.changes.append(change)
                # What was passed over was waited for when it was verified, and is the same still.
                if change.action is not Action.SKIPPED and live is not None:
                    waited.append((change, live))
            if which in {Stage.DEFINITIONS, Stage.CLASSES}:
                await self._settle(waited, options, result)
        return result

    async def diff(
        self, objects: Iterable[Unstructured], options: ApplyOptions | None = None
    ) -> list[Change]:
        """Return what `apply` would do, without a write; values of Secrets are masked.

        An object whose definition or Namespace is among the objects and does not exist yet cannot
        be dry-run: it counts as created. Raises ApplyFailed.
        """
        options = options or ApplyOptions()
        prepared = self._prepare(objects, options)
        prepared.sort(key=lambda obj: sort_key(ObjectId.from_object(obj)))
        planner = Planner(self._client, self._manager, self._owner, options)
        plans, errors = await self._plan(planner, prepared)
        defined = {group_kind for group_kind, _ in _definitions(prepared)}
        spaces = {obj["metadata"]["name"] for obj in prepared if obj["kind"] == "Namespace"}
        changes = [plan.change for plan in plans]
        left = []
        for error in errors:
            unknown = isinstance(error.cause, UnknownKind) and error.id.group_kind in defined
            homeless = isinstance(error.cause, NotFound) and error.id.namespace in spaces
            if unknown or homeless:
                version = next(
                    split_api_version(obj["apiVersion"])[1]
                    for obj in prepared
                    if ObjectId.from_object(obj) == error.id
                )
                changes.append(Change(error.id, version, Action.CREATED))
            else:
                left.append(error)
        if left:
            raise ApplyFailed(left, ChangeSet())
        return sorted(changes, key=lambda change: sort_key(change.id))

    async def prune(self, stale: Inventory, options: PruneOptions | None = None) -> ChangeSet:
        """Delete what is no longer applied; see `fluvial.toolkit.apply.pruning.prune`."""
        return await prune(self._client, self._owner, stale, options or PruneOptions())

    def _prepare(
        self, objects: Iterable[Unstructured], options: ApplyOptions
    ) -> list[Unstructured]:
        """Normalise; where an identity comes twice, the last one counts."""
        prepared = (
            normalize(obj, self._owner, options.labels, options.annotations)
            for obj in expand(objects)
        )
        return list({ObjectId.from_object(obj): obj for obj in prepared}.values())

    async def _identify(self, prepared: Sequence[Unstructured]) -> Inventory:
        """List the objects as the server will name them: cluster-scoped ones have no namespace."""
        scopes = dict(_definitions(prepared))
        entries = []
        for obj in prepared:
            identity = ObjectId.from_object(obj)
            try:
                namespaced = (await self._client.resource_of(obj)).namespaced
            except UnknownKind:
                namespaced = scopes.get(identity.group_kind, True)
            identity = identity if namespaced else identity._replace(namespace="")
            entries.append(Entry(identity, split_api_version(obj["apiVersion"])[1]))
        return Inventory(entries)

    async def _plan(
        self, planner: Planner, members: Sequence[Unstructured]
    ) -> tuple[list[Plan], list[ObjectError]]:
        slots = asyncio.Semaphore(self._concurrency)

        async def one(obj: Unstructured) -> Plan | ObjectError | LeaseLost:
            async with slots:
                try:
                    return await planner.plan(obj)
                except (ObjectError, LeaseLost) as error:
                    return error

        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(one(obj)) for obj in members]
        outcomes = [task.result() for task in work]
        for outcome in outcomes:
            if isinstance(outcome, LeaseLost):
                # By itself, not in a group: whoever leads looks for just this.
                raise outcome
        return (
            [outcome for outcome in outcomes if isinstance(outcome, Plan)],
            [outcome for outcome in outcomes if isinstance(outcome, ObjectError)],
        )

    async def _execute(
        self, plan: Plan, planner: Planner, gate: "_Gate"
    ) -> tuple[Change, Unstructured | None]:
        """Write what the plan says, if anything; return the change and the live object.

        What is written is what was compared: an object that changed since is planned again.
        Raises ObjectError.
        """
        for _ in range(_TRIES):
            if not plan.change.changed:
                return plan.change, plan.live
            await gate.open()
            try:
                live = await self._write(plan, planner.options)
            except Conflict:
                plan = await planner.plan(plan.obj)
            else:
                plan.change.metadata = live["metadata"]
                return plan.change, live
        identity = plan.change.id
        raise ObjectError(identity, f"{identity} apply failed: it changed {_TRIES} times meanwhile")

    async def _write(self, plan: Plan, options: ApplyOptions) -> Unstructured:
        """Send the write. Raises Conflict when the object is no longer the one of the plan."""
        identity, live = plan.change.id, plan.live
        try:
            if plan.change.recreated:
                await self._delete(plan, options.delete_timeout)
                live = None
            elif plan.cleanup and live is not None:
                live = await self._clean(plan, live, options)
            return await self._client.patch(
                plan.resource,
                identity.name,
                plan.payload if live is None else _pinned(plan.payload, live),
                identity.namespace or None,
                type="apply",
                field_manager=self._manager,
                force=True,
            )
        except Conflict:
            raise
        except (ApiError, TransportError) as error:
            text = readable(error, plan.obj)
            raise ObjectError(identity, f"{identity} apply failed: {text}", error) from error

    async def _clean(
        self, plan: Plan, live: Unstructured, options: ApplyOptions
    ) -> Unstructured | None:
        """Take the fields of former managers over; return the object as it is then, if it is."""
        try:
            return await self._client.patch(
                plan.resource,
                plan.change.id.name,
                cleanup_patch(live, self._manager, options.override_managers),
                plan.change.id.namespace or None,
                type="json",
                field_manager=self._manager,
            )
        except NotFound:
            return None

    async def _delete(self, plan: Plan, limit: float) -> None:
        """Delete the live object and wait until it is gone, or another has its name."""
        identity = plan.change.id
        assert plan.live is not None, "only what exists is recreated"
        uid = plan.live["metadata"].get("uid")
        end = self._clock.monotonic() + limit
        try:
            await self._client.delete(
                plan.resource,
                identity.name,
                identity.namespace or None,
                propagation="Background",
                uid=uid,
            )
            while True:
                live = await self._client.get(
                    plan.resource, identity.name, identity.namespace or None, metadata_only=True
                )
                if live["metadata"].get("uid") != uid:
                    return
                if self._clock.monotonic() >= end:
                    held = ", ".join(live["metadata"].get("finalizers") or ()) or "nothing known"
                    raise ObjectError(
                        identity,
                        f"{identity} recreate failed: not gone after {limit:g} s, held by {held}",
                    )
                await self._clock.sleep(_GONE_POLL)
        except NotFound:
            return

    async def _settle(
        self,
        treated: Sequence[tuple[Change, Unstructured]],
        options: ApplyOptions,
        result: ChangeSet,
    ) -> None:
        """Wait for definitions and classes, and learn the kinds that came with them.

        What is being deleted becomes nothing by waiting: it fails at once.
        """
        ending = [
            ObjectError(
                change.id, f"{change.id} is terminating: nothing can be applied until it is gone"
            )
            for change, live in treated
            if live["metadata"].get("deletionTimestamp")
        ]
        if ending:
            raise ApplyFailed(ending, result)
        waiting = [
            change.id for change, live in treated if compute(live).state is not State.CURRENT
        ]
        if waiting:
            healths = await wait(self._client, waiting, options.stage_timeout, clock=self._clock)
            trouble = verdict(healths)
            if trouble:
                late = next(one for one in healths if one.state is not State.CURRENT)
                raise ApplyFailed([ObjectError(late.id, trouble)], result)
        if any(change.changed and change.id.kind == _DEFINITION for change, _ in treated):
            await self._client.mapper.refresh()


class _Gate:
    """Sees to it that the inventory is written before anything else is."""

    def __init__(self, before_write: BeforeWrite | None, inventory: Inventory) -> None:
        self._before_write = before_write
        self._inventory = inventory

    async def open(self) -> None:
        if self._before_write is not None:
            await self._before_write(self._inventory)
            self._before_write = None


def _pinned(payload: bytes, live: Unstructured) -> bytes:
    """Add the version that was seen: a writer that is late reverts nothing that it did not see."""
    body = msgspec.json.decode(payload)
    body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    return msgspec.json.encode(body)


def _definitions(prepared: Iterable[Unstructured]) -> Iterable[tuple[GroupKind, bool]]:
    """Go through the kinds that the objects define, with whether they are namespaced."""
    for obj in prepared:
        if obj["kind"] == _DEFINITION:
            spec = obj.get("spec") or {}
            kind = (spec.get("names") or {}).get("kind") or ""
            yield GroupKind(spec.get("group") or "", kind), spec.get("scope") == "Namespaced"
