"""Ready mirrors the condition that speaks of the latest generation."""

from fluvial.apis.meta import Condition
from fluvial.helm.attempt import RELEASED, REMEDIATED, Attempt
from fluvial.helm.digests import common_metadata_digest, post_renderers_digest
from fluvial.toolkit import conditions

__all__ = ["summarize"]


def summarize(it: Attempt) -> Condition | None:
    """Set Ready from Remediated and Released, and return the one that decided.

    The highest observed generation decides, Remediated before Released; a remediation, even a
    successful one, is never Ready. The digests of what decorates the release become the observed
    ones.
    """
    obj = it.obj
    found = [conditions.get(obj, name) for name in (REMEDIATED, RELEASED)]
    present = [one for one in found if one is not None]
    if not present:
        return None
    winner = max(present, key=lambda one: one.observed_generation)  # max keeps the first of equals
    good = winner.status == "True" and winner.type != REMEDIATED
    it.ctx.mark(conditions.READY, "True" if good else "False", winner.reason, winner.message)
    if good:
        obj.status.observed_post_renderers_digest = post_renderers_digest(obj)
        obj.status.observed_common_metadata_digest = common_metadata_digest(obj)
    return winner
