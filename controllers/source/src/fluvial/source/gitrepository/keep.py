"""The action for a stored artifact that is the wanted one: say so again, if it was in doubt."""

from fluvial.apis.source import GitRepository
from fluvial.source.conditions import advertise
from fluvial.source.gitrepository.state import Keep
from fluvial.toolkit import Context

__all__ = ["keep"]


def keep(ctx: Context[GitRepository], action: Keep, *, recovered: bool) -> None:
    """Clear what an earlier attempt left; an attempt that finds all as it was writes nothing.

    `recovered` says that the last attempt failed: then people hear that all is well again.
    """
    advertise(ctx, "Succeeded", f"stored artifact for revision '{action.revision}'")
    if recovered:
        artifact = ctx.obj.status.artifact
        assert artifact is not None
        ctx.event(
            "Normal",
            "Succeeded",
            f"stored artifact with revision '{action.revision}' is up-to-date",
            {"revision": artifact.revision, "digest": artifact.digest},
        )
