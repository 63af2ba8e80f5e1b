import pytest

from fluvial.apis.flagger.canary import CanaryStatus
from fluvial.canary.revision import compare
from fluvial.canary.state import Change

OLD, NEW, GO = "v2:old", "v2:new", "85d557f47b"
ONE, TWO = {"configmap/a": "1"}, {"configmap/a": "2"}


def status(phase, applied, promoted="", tracked=None):
    return CanaryStatus(
        phase=phase,
        last_applied_spec=applied,
        last_promoted_spec=promoted,
        tracked_configs=tracked,
    )


@pytest.mark.parametrize(
    ("known", "hash", "tracked", "equal", "change", "reason"),
    [
        (status("Succeeded", ""), OLD, {}, False, Change.REVISION, "nothing was ever applied"),
        (status("Succeeded", OLD, OLD), OLD, {}, False, Change.NONE, "the same"),
        (status("Succeeded", OLD, OLD), NEW, {}, False, Change.REVISION, "another template"),
        (status("Succeeded", OLD, OLD, ONE), OLD, ONE, False, Change.NONE, "the same data"),
        (status("Succeeded", OLD, OLD, ONE), OLD, TWO, False, Change.REVISION, "other data"),
        (status("Succeeded", OLD, OLD, ONE), OLD, {}, False, Change.REVISION, "one less"),
        (status("Succeeded", OLD, OLD), OLD, ONE, False, Change.REVISION, "no map, but one config"),
        (status("Failed", NEW, OLD), NEW, {}, False, Change.NONE, "the failed one is known"),
        (status("Failed", NEW, OLD), "v2:c", {}, False, Change.REVISION, "any other is tried"),
        (status("Failed", NEW, OLD), OLD, {}, False, Change.REVERTED, "back at the promoted one"),
        (status("Failed", NEW, OLD, ONE), OLD, TWO, False, Change.REVISION, "but not its data"),
        (status("Progressing", NEW, OLD), OLD, {}, False, Change.NONE, "never a new run"),
        (status("Progressing", NEW, OLD), "v2:c", {}, False, Change.REVISION, "changed again"),
        (status("Succeeded", GO, GO), OLD, {}, True, Change.FOREIGN, "the primary equals it"),
        (status("Initialized", GO, GO), OLD, {}, True, Change.FOREIGN, "likewise"),
        (status("Succeeded", GO, GO), OLD, {}, False, Change.REVISION, "the primary differs"),
        (status("Succeeded", GO, GO), OLD, ONE, True, Change.REVISION, "its data differs"),
        (status("Failed", GO, GO), OLD, {}, False, Change.FOREIGN, "a failed one stays failed"),
        (status("Progressing", GO, GO), OLD, {}, True, Change.REVISION, "restarted once"),
    ],
)
def test_comparison(known, hash, tracked, *, equal, change, reason):
    assert compare(known, hash, tracked, primary_equal=equal) is change, reason
