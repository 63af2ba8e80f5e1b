"""Requests by annotation: force and reset."""

import pytest

from fluvial.helm.requests import FORCE_AT, RESET_AT, handle_requests
from fluvial.toolkit.lifecycle import REQUESTED_AT


@pytest.mark.parametrize(
    ("annotations", "handled", "expected", "reason"),
    [
        ({}, "", (False, False), "nothing asked"),
        ({REQUESTED_AT: "1", FORCE_AT: "1"}, "", (True, False), "a force"),
        ({REQUESTED_AT: "1", RESET_AT: "1"}, "", (False, True), "a reset"),
        ({REQUESTED_AT: "2", FORCE_AT: "1"}, "", (False, False), "a force of another request"),
        ({FORCE_AT: "1"}, "", (False, False), "a force without a request"),
        ({REQUESTED_AT: "1", FORCE_AT: "1"}, "1", (False, False), "a request that was handled"),
    ],
)
def test_requests(model, annotations, handled, expected, reason):
    obj = model(annotations=annotations)
    obj.status.last_handled_reconcile_at = handled
    assert handle_requests(obj) == expected, reason
    assert obj.status.last_handled_force_at == annotations.get(FORCE_AT, ""), reason
    assert obj.status.last_handled_reset_at == annotations.get(RESET_AT, ""), reason


def test_a_force_acts_once(model):
    obj = model(annotations={REQUESTED_AT: "1", FORCE_AT: "1"})
    assert handle_requests(obj) == (True, False)
    assert handle_requests(obj) == (False, False)
