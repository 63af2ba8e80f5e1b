"""Unlock: a record that an interrupted action left pending becomes a failed one."""

from fluvial.helm import snapshots
from fluvial.helm.attempt import Release
from fluvial.helm.storage import Record

__all__ = ["unlock"]


async def unlock(it: Release) -> tuple[Record, str]:
    """Mark the newest record as failed; returns it, with the status that it had.

    Its snapshot follows only if it is of this very record.
    """
    record = it.records[0]
    stale = record.status
    snapshot = snapshots.latest(it.obj)
    ours = snapshot is not None and snapshots.matches(snapshot, record)
    record.info.status = "failed"
    record.info.description = f"Release unlocked from stale '{stale}' state"
    await it.storage.update(record, it.ctx.now)
    if ours:
        it.observe(record)
    return record, stale
