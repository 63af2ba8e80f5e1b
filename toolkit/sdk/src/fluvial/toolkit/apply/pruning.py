"""Deleting what is no longer wanted, and nothing else."""

from collections.abc import Iterable

from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.toolkit.apply.changes import Action, Change, ChangeSet
from fluvial.toolkit.apply.errors import ObjectError, PruneRefused
from fluvial.toolkit.apply.inventory import Entry, Inventory
from fluvial.toolkit.apply.options import PruneOptions
from fluvial.toolkit.apply.ordering import order
from fluvial.toolkit.apply.owner import Owner
from fluvial.toolkit.apply.policy import Policy
from fluvial.toolkit.client import (
    ApiError,
    Client,
    Conflict,
    NotFound,
    Resource,
    TransportError,
    UnknownKind,
)
from fluvial.toolkit.clock import Clock

__all__ = ["prune", "wait_gone"]

_TRIES = 5
_GONE_POLL = 2.0


async def prune(client: Client, owner: Owner, stale: Inventory, options: PruneOptions) -> ChangeSet:
    """Delete in reverse order, each object only if it carries both owner labels.

    An object that another owner has taken over, that asks to be kept, or that is gone is not kept
    in the inventory. What the server refuses, what still terminates and what the guard holds back
    is in `kept`; errors are in `failures` and do not stop the others. Raises PruneRefused, before
    anything is deleted, for more than the options allow.
    """
    _guard(stale, options)
    result = ChangeSet()
    kept = []
    for identity in order(stale.ids, reverse=True):
        version = stale.version(identity) or ""
        try:
            change, gone = await _prune_one(client, owner, identity, stale=stale, options=options)
        except (ApiError, TransportError, UnknownKind) as error:
            result.failures.append(
                ObjectError(identity, f"{identity} delete failed: {error}", error)
            )
            change, gone = Change(identity, version, Action.UNKNOWN), False
        except ObjectError as error:
            result.failures.append(error)
            change, gone = Change(identity, version, Action.UNKNOWN), False
        result.changes.append(change)
        if not gone:
            kept.append(Entry(identity, version))
    # In the order of the inventory, not of the prune.
    left = Inventory(kept)
    result.kept = Inventory(entry for entry in stale if entry.id in left)
    return result


def _guard(stale: Inventory, options: PruneOptions) -> None:
    if options.everything or not len(stale):
        return
    if not len(options.remaining):
        raise PruneRefused(
            f"refused to prune: nothing is left to apply, so all {len(stale)} objects "
            f"({_some(stale.ids)}) would be deleted. If that is meant, delete the owner or allow it"
        )
    if options.at_most is not None and len(stale) > options.at_most:
        raise PruneRefused(
            f"refused to prune: {len(stale)} objects ({_some(stale.ids)}) would be deleted, at "
            f"most {options.at_most} are allowed at once"
        )


def _some(ids: list[ObjectId]) -> str:
    shown = ", ".join(str(identity) for identity in ids[:3])
    return f"{shown}, …" if len(ids) > 3 else shown


async def _prune_one(
    client: Client, owner: Owner, identity: ObjectId, *, stale: Inventory, options: PruneOptions
) -> tuple[Change, bool]:
    """Return what happened, and whether the object may leave the inventory."""
    version = stale.version(identity) or ""
    try:
        resource = await client.mapper.resource(identity.group, identity.kind)
    except UnknownKind:
        if await _kind_is_gone(client, identity, version):
            return Change(identity, version, Action.DELETED), True
        raise
    for attempt in range(_TRIES):
        try:
            live = await client.get(resource, identity.name, identity.namespace or None)
        except NotFound:
            return Change(identity, version, Action.DELETED), True
        metadata = live["metadata"]
        if not owner.owns(live) or Policy(owner.group, live, None).kept:
            return Change(identity, version, Action.SKIPPED, metadata=metadata), True
        if metadata.get("deletionTimestamp"):
            return Change(identity, version, Action.DELETED, metadata=metadata), False
        if not options.everything:
            await _check_contents(client, live, stale, options)
        try:
            # The versions: between our look and this, another owner may have taken it over.
            answer = await client.delete(
                resource,
                identity.name,
                identity.namespace or None,
                propagation="Background",
                uid=metadata.get("uid"),
                resource_version=metadata.get("resourceVersion"),
            )
        except NotFound:
            return Change(identity, version, Action.DELETED), True
        except Conflict:
            if attempt == _TRIES - 1:
                raise
            continue
        pending = answer.get("kind") != "Status" and bool(
            (answer.get("metadata") or {}).get("finalizers")
            or (answer.get("spec") or {}).get("finalizers")
        )
        return Change(identity, version, Action.DELETED, metadata=metadata), not pending
    raise AssertionError("the last try returns or raises")


async def _kind_is_gone(client: Client, identity: ObjectId, version: str) -> bool:
    """Whether the server itself says that it serves no such kind, so that no object is left.

    Discovery may miss a group because its server is down; then the answer here is an error.
    """
    if not identity.group:
        return False
    try:
        await client.get_raw(
            f"/apis/{identity.group}/{version}" if version else f"/apis/{identity.group}"
        )
    except NotFound:
        return True
    except (ApiError, TransportError):
        return False
    try:
        await client.mapper.refresh()
        await client.mapper.resource(identity.group, identity.kind)
    except UnknownKind:
        return True
    return False


async def _check_contents(
    client: Client, live: Unstructured, stale: Inventory, options: PruneOptions
) -> None:
    """Hold back a Namespace or definition whose deletion would take along what should live."""
    identity = ObjectId.from_object(live)
    if (identity.group, identity.kind) == ("", "Namespace"):
        inside = [other for other in options.remaining.ids if other.namespace == identity.name]
        if inside:
            raise ObjectError(
                identity,
                f"{identity} is kept: {_some(inside)} in it would be deleted, and should stay",
            )
    elif (identity.group, identity.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        spec = live.get("spec") or {}
        group = spec.get("group") or ""
        kind = (spec.get("names") or {}).get("kind") or ""
        try:
            resource = await client.mapper.resource(group, kind)
        except UnknownKind:
            return
        others = await _others(client, resource, stale)
        if others:
            raise ObjectError(
                identity,
                f"{identity} is kept: {_some(others)} would be deleted with it, and nobody said so",
            )


async def _others(client: Client, resource: Resource, stale: Inventory) -> list[ObjectId]:
    found = await client.list_page(resource, metadata_only=True)
    ids: Iterable[ObjectId] = (
        ObjectId(
            resource.group,
            resource.kind,
            item["metadata"].get("namespace") or "",
            item["metadata"]["name"],
        )
        for item in found.items
    )
    return [identity for identity in ids if identity not in stale]


async def wait_gone(
    client: Client,
    ids: Iterable[ObjectId],
    timeout: float,  # noqa: ASYNC109  (by the clock that is passed in)
    clock: Clock,
) -> list[ObjectId]:
    """Wait until objects are gone, in all at most `timeout` seconds; return those that are not."""
    end = clock.monotonic() + timeout
    left = list(ids)
    while True:
        still = []
        for identity in left:
            try:
                resource = await client.mapper.resource(identity.group, identity.kind)
                await client.get(
                    resource, identity.name, identity.namespace or None, metadata_only=True
                )
            except (NotFound, UnknownKind):
                continue
            still.append(identity)
        left = still
        if not left or clock.monotonic() >= end:
            return left
        await clock.sleep(_GONE_POLL)
