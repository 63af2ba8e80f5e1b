"""The action for a stored artifact that is the wanted one: say so again, if it was in doubt."""

from fluvial.apis.source import GitRepository
from fluvial.source.conditions import (
    ARTIFACT_IN_STORAGE,
    ARTIFACT_OUTDATED,
    FAILURES,
    summarize,
)
from fluvial.source.gitrepository.state import Keep
from fluvial.toolkit import Context, conditions

__all__ = ["keep"]


def keep(ctx: Context[GitRepository], action: Keep, *, recovered: bool) -> None:
    """Clear what an earlier attempt left; an attempt that finds all as it was writes nothing.

    `recovered` says that the last attempt failed: then people hear that all is well again.
    """
    obj = ctx.obj
    conditions.delete(obj, *FAILURES, ARTIFACT_OUTDATED)
    message = f"stored artifact for revision '{action.revision}'"
    ctx.mark(ARTIFACT_IN_STORAGE, "True", "Succeeded", message)
    summarize(obj, now=ctx.now)
    if recovered:
        artifact = obj.status.artifact
        assert artifact is not None
        ctx.event(
            "Normal",
            "Succeeded",
            f"stored artifact with revision '{action.revision}' is up-to-date",
            {"revision": artifact.revision, "digest": artifact.digest},
        )
