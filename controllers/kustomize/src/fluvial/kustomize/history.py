"""The history of results in a status: newest first, five at most, repeats counted."""

from collections.abc import Mapping
from datetime import datetime

from fluvial.apis.duration import format_duration
from fluvial.apis.meta import Snapshot
from fluvial.toolkit import rfc3339

__all__ = ["record"]

_LONGEST = 5


def record(
    history: list[Snapshot],
    digest: str,
    status: str,
    *,
    now: datetime,
    took: float,
    metadata: Mapping[str, str],
) -> list[Snapshot]:
    """Return the history with one more result; an entry is known by its digest and its status.

    `took` is in seconds. A repeat moves to the front, with its time, duration and count renewed.
    """
    stamp = rfc3339(now)
    same = next(
        (one for one in history if (one.digest, one.last_reconciled_status) == (digest, status)),
        None,
    )
    newest = Snapshot(
        digest=digest,
        first_reconciled=same.first_reconciled if same else stamp,
        last_reconciled=stamp,
        last_reconciled_duration=format_duration(took),
        last_reconciled_status=status,
        total_reconciliations=same.total_reconciliations + 1 if same else 1,
        metadata=dict(metadata),
    )
    return [newest, *(one for one in history if one is not same)][:_LONGEST]
