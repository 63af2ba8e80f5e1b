"""Whether the target differs from what the status remembers. Pure."""

from collections.abc import Mapping

from fluvial.apis.flagger.canary import CanaryStatus
from fluvial.canary.checksum import is_ours
from fluvial.canary.state import Change, Phase

__all__ = ["compare"]


def compare(
    status: CanaryStatus, hash: str, tracked: Mapping[str, str], *, primary_equal: bool
) -> Change:
    """Compare the target with the status.

    `hash` is that of the target's pod template, `tracked` the checksums of its configuration;
    `primary_equal` says that the primary has exactly the target's template. A hash that another
    implementation left says nothing: a settled Canary begins a run only if the primary differs.
    A target that is back at the promoted revision never begins one.
    """
    known = status.tracked_configs
    configs_changed = dict(tracked) != known if known is not None else bool(tracked)
    applied = status.last_applied_spec
    if applied and not is_ours(applied):
        return _foreign(status, configs_changed=configs_changed, primary_equal=primary_equal)
    if not applied:
        return Change.REVISION
    if hash == applied:
        return Change.REVISION if configs_changed else Change.NONE
    if hash != status.last_promoted_spec or configs_changed:
        return Change.REVISION
    return Change.REVERTED if status.phase == Phase.FAILED else Change.NONE


def _foreign(status: CanaryStatus, *, configs_changed: bool, primary_equal: bool) -> Change:
    if configs_changed:
        return Change.REVISION
    if status.phase == Phase.FAILED:
        return Change.FOREIGN
    if status.phase in {Phase.INITIALIZED, Phase.SUCCEEDED} and primary_equal:
        return Change.FOREIGN
    return Change.REVISION
