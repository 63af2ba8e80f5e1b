"""The action for a stored chart that is the wanted one: say so again, if it was in doubt."""

from fluvial.apis.source import HelmChart
from fluvial.source.conditions import advertise
from fluvial.source.helmchart.state import Keep, summary, values_files
from fluvial.toolkit import Context

__all__ = ["keep"]


def keep(ctx: Context[HelmChart], action: Keep, *, recovered: bool) -> None:
    """Clear what an earlier attempt left; an attempt that finds all as it was writes nothing.

    `recovered` says that the last attempt failed: then people hear that all is well again.
    """
    status = ctx.obj.status
    artifact = status.artifact
    assert artifact is not None
    message = summary(action.wanted, status.observed_values_files or values_files(ctx.obj))
    advertise(ctx, action.wanted.reason, message)
    if recovered:
        facts = {"revision": artifact.revision, "digest": artifact.digest}
        ctx.event("Normal", action.wanted.reason, message, facts)
