"""What the toolkit's testing package tells about a status."""

import pytest

from fluvial.toolkit.testing import inconsistencies

READY = {"type": "Ready", "status": "True", "observedGeneration": 2}
FAILED = {"type": "Ready", "status": "False", "observedGeneration": 2}
UNKNOWN = {"type": "Ready", "status": "Unknown", "observedGeneration": 2}
BUSY = {"type": "Reconciling", "status": "True", "observedGeneration": 2}
STALLED = {"type": "Stalled", "status": "True", "observedGeneration": 2}


@pytest.mark.parametrize(
    ("conditions", "observed", "expected", "reason"),
    [
        ([READY], 2, "", "done"),
        ([FAILED, BUSY], 1, "", "tried again"),
        ([FAILED, STALLED], 2, "", "given up"),
        ([UNKNOWN, BUSY], 1, "", "under way"),
        ([], 2, "Ready is missing", "nothing is said"),
        ([READY, BUSY], 2, "Ready is True and so is", "done and under way"),
        ([READY, STALLED], 2, "Ready is True and so is", "done and given up"),
        ([UNKNOWN], 1, "Ready is Unknown", "nobody works at it"),
        ([FAILED, BUSY, STALLED], 2, "both there", "given up and under way"),
        ([READY], 3, "beyond generation", "from the future"),
        ([READY], 1, "generation 1 of 2", "the last edit was not seen"),
        (
            [READY, {"type": "Healthy", "status": "True", "observedGeneration": 1}],
            2,
            "Healthy not of generation 2",
            "one condition lags",
        ),
    ],
)
def test_inconsistencies(conditions, observed, expected, reason):
    status = {"conditions": conditions, "observedGeneration": observed}
    found = inconsistencies({"metadata": {"generation": 2}, "status": status})
    assert bool(found) == bool(expected), reason
    assert expected in "; ".join(found), reason
