"""The history in a status."""

from datetime import UTC, datetime, timedelta

from fluvial.kustomize.history import record

START = datetime(2026, 1, 1, tzinfo=UTC)


def add(history, digest, status="ReconciliationSucceeded", *, minutes=0, took=1.5, **metadata):
    now = START + timedelta(minutes=minutes)
    return record(history, digest, status, now=now, took=took, metadata=metadata)


def test_the_first_result():
    (only,) = add([], "sha256:a", revision="main@sha1:1")
    assert only.digest == "sha256:a"
    assert only.first_reconciled == only.last_reconciled == "2026-01-01T00:00:00Z"
    assert only.last_reconciled_duration == "1.5s"
    assert only.last_reconciled_status == "ReconciliationSucceeded"
    assert only.total_reconciliations == 1
    assert only.metadata == {"revision": "main@sha1:1"}


def test_a_repeat_is_counted_and_renewed_and_comes_first():
    history = add(add([], "sha256:a", revision="1"), "sha256:b")
    again = add(history, "sha256:a", minutes=5, took=0.25, revision="2")
    assert [(one.digest, one.total_reconciliations) for one in again] == [
        ("sha256:a", 2),
        ("sha256:b", 1),
    ]
    assert again[0].first_reconciled == "2026-01-01T00:00:00Z"
    assert again[0].last_reconciled == "2026-01-01T00:05:00Z"
    assert again[0].last_reconciled_duration == "250ms"
    assert again[0].metadata == {"revision": "2"}


def test_another_result_of_the_same_build_is_another_entry():
    history = add(add([], "sha256:a"), "sha256:a", "HealthCheckFailed")
    assert [one.last_reconciled_status for one in history] == [
        "HealthCheckFailed",
        "ReconciliationSucceeded",
    ]


def test_five_are_kept():
    history = []
    for number in range(7):
        history = add(history, f"sha256:{number}")
    assert [one.digest for one in history] == [f"sha256:{n}" for n in (6, 5, 4, 3, 2)]


def test_the_given_history_is_left_alone():
    before = add([], "sha256:a")
    add(before, "sha256:a")
    assert before[0].total_reconciliations == 1
