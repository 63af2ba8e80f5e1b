"""The conditions and reasons that all source kinds share, and the Ready that follows from them."""

from datetime import datetime
from typing import Final, TypeVar, cast

from fluvial.apis.meta import Resource
from fluvial.toolkit import Context, conditions
from fluvial.toolkit.conditions import STALLED, Conditioned

__all__ = [
    "ARTIFACT_IN_STORAGE",
    "ARTIFACT_OUTDATED",
    "BUILD_FAILED",
    "FAILURES",
    "FETCH_FAILED",
    "INCLUDE_UNAVAILABLE",
    "OWNED",
    "SOURCE_VERIFIED",
    "STORAGE_OPERATION_FAILED",
    "advertise",
    "failed_before",
    "summarize",
]

M = TypeVar("M", bound=Resource)

ARTIFACT_IN_STORAGE: Final = "ArtifactInStorage"
ARTIFACT_OUTDATED: Final = "ArtifactOutdated"
BUILD_FAILED: Final = "BuildFailed"
FETCH_FAILED: Final = "FetchFailed"
INCLUDE_UNAVAILABLE: Final = "IncludeUnavailable"
SOURCE_VERIFIED: Final = "SourceVerified"
STORAGE_OPERATION_FAILED: Final = "StorageOperationFailed"

FAILURES: Final = (STORAGE_OPERATION_FAILED, FETCH_FAILED, BUILD_FAILED, INCLUDE_UNAVAILABLE)

OWNED: Final = (*FAILURES, ARTIFACT_OUTDATED, ARTIFACT_IN_STORAGE, SOURCE_VERIFIED)
"""The condition types of this controller besides Ready, Reconciling and Stalled."""

_NEGATIVE: Final = (*FAILURES, ARTIFACT_OUTDATED, STALLED)


def failed_before(obj: Conditioned) -> bool:
    """Say whether the last attempt left a failure behind."""
    return any(conditions.is_true(obj, failure) for failure in FAILURES)


def advertise(ctx: Context[M], reason: str, message: str) -> None:
    """Say that the artifact in the status is the wanted one; what stood against it goes."""
    obj = cast("Conditioned", ctx.obj)
    conditions.delete(obj, *FAILURES, ARTIFACT_OUTDATED)
    ctx.mark(ARTIFACT_IN_STORAGE, "True", reason, message)
    summarize(obj, now=ctx.now)


def summarize(obj: Conditioned, *, now: datetime) -> None:
    """Set Ready from the other conditions by upstream's rule, for an attempt that is through.

    Reconciling is left out: it is there only until the toolkit concludes the attempt.
    """
    conditions.summarize(
        obj,
        (*OWNED, STALLED),
        now=now,
        negative=_NEGATIVE,
        bipolar=(SOURCE_VERIFIED,),
    )
