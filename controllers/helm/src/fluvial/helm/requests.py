"""What annotations ask for once: a force, or a reset of the failure counters."""

from fluvial.apis.helm import HelmRelease
from fluvial.toolkit.lifecycle import REQUESTED_AT

__all__ = ["FORCE_AT", "RESET_AT", "handle_requests"]

FORCE_AT = "reconcile.fluxcd.io/forceAt"
RESET_AT = "reconcile.fluxcd.io/resetAt"


def handle_requests(obj: HelmRelease) -> tuple[bool, bool]:
    """Return whether a force and a reset are due, and remember both as handled.

    Each counts only together with a reconcile request of the same value, and once; it is handled
    even if it does not count.
    """
    annotations, status = obj.metadata.annotations, obj.status
    token = annotations.get(REQUESTED_AT, "")
    force, reset = annotations.get(FORCE_AT, ""), annotations.get(RESET_AT, "")
    fresh = bool(token) and token != status.last_handled_reconcile_at
    forced = fresh and force == token and force != status.last_handled_force_at
    cleared = fresh and reset == token and reset != status.last_handled_reset_at
    if force:
        status.last_handled_force_at = force
    if reset:
        status.last_handled_reset_at = reset
    return forced, cleared
